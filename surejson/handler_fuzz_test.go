package surejson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire/surejson"
)

// shortEscapes replaces the long escapes of \b and \f, which slog has for some
// strings.
func shortEscapes(line []byte) []byte {
	var out []byte
	for i := 0; i < len(line); i++ {
		out = append(out, line[i])
		if line[i] != '\\' {
			continue
		}
		i++
		switch {
		case bytes.HasPrefix(line[i:], []byte("u0008")):
			out, i = append(out, 'b'), i+4
		case bytes.HasPrefix(line[i:], []byte("u000c")):
			out, i = append(out, 'f'), i+4
		default:
			out = append(out, line[i])
		}
	}
	return out
}

// attr returns an attribute. It is never empty: slog.JSONHandler loses a comma
// where a group turns out to be.
func (c *chooser) attr(depth int) slog.Attr {
	key := "k" + c.text()
	switch c.below(12) {
	case 0:
		return slog.String(key, c.text())
	case 1:
		return slog.Int64(key, int64(c.bits()))
	case 2:
		return slog.Uint64(key, c.bits())
	case 3:
		return slog.Float64(key, c.float())
	case 4:
		return slog.Bool(key, c.byte() > 127)
	case 5:
		return slog.Duration(key, time.Duration(c.bits()))
	case 6:
		return slog.Time(key, time.Unix(int64(c.bits()), int64(c.byte())).In(time.FixedZone("", c.below(24)*1800)))
	case 7, 8:
		if depth > 0 {
			return slog.Attr{Key: key[c.below(2)*len(key):], Value: slog.GroupValue(c.attrs(depth - 1)...)}
		}
	case 9:
		inner := c.attr(depth).Value
		return slog.Any(key, valuer(func() slog.Value { return inner }))
	case 10:
		return slog.Any(key, errors.New(c.text()))
	}
	v := reflect.New(c.typ(2)).Elem()
	c.fill(v, 4)
	return slog.Any(key, v.Interface())
}

// attrs returns attributes, at least one.
func (c *chooser) attrs(depth int) []slog.Attr {
	list := []slog.Attr{c.attr(depth)}
	for range c.below(4) {
		list = append(list, c.attr(depth))
	}
	return list
}

// same makes the same handler of two bases, and the same record.
func (c *chooser) same(a, b slog.Handler) (_, _ slog.Handler, r slog.Record) {
	for range c.below(5) {
		if c.byte()&1 == 0 {
			name := "g" + c.text() // slog.JSONHandler opens a group without a name
			a, b = a.WithGroup(name), b.WithGroup(name)
		} else {
			list := c.attrs(2)
			a, b = a.WithAttrs(list), b.WithAttrs(list)
		}
	}
	var pcs [1]uintptr
	runtime.Callers(1, pcs[:c.below(2)])
	r = slog.NewRecord(time.Unix(int64(c.bits()>>24), int64(c.bits()>>34)), slog.Level(int8(c.byte())), c.text(), pcs[0])
	if c.byte() > 10 {
		r.AddAttrs(c.attrs(3)...)
	}
	return a, b, r
}

// renamed is a ReplaceAttr that changes all it can and leaves nothing out.
func renamed(groups []string, a slog.Attr) slog.Attr {
	return slog.Any(strings.Join(groups, ".")+a.Key, a.Value)
}

// FuzzHandler compares with slog.JSONHandler whatever both write as it is.
func FuzzHandler(f *testing.F) {
	f.Add([]byte("\x04\x05\x01\x02\x03\x04hello\xff\x00\x10world"))
	f.Add(bytes.Repeat([]byte{4, 2, 1, 3, 8, 255, 7, 9, 30, 17}, 20))
	for i := range 48 {
		f.Add(bytes.Repeat([]byte{byte(i), 6, 1, 7, byte(2 * i), 1, 2, 3, byte(i), 5, 8, byte(i), 200, 31}, 8))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := chooser{data: data, leaves: cleanLeaves, keys: typesOf("", 0, int8(0), myString(""))[1:]}
		theirs := &slog.HandlerOptions{AddSource: c.byte()&1 == 1, Level: slog.Level(-1000)}
		if c.byte()&1 == 1 {
			theirs.ReplaceAttr = renamed
		}
		ours := &surejson.HandlerOptions{AddSource: theirs.AddSource, Level: theirs.Level, ReplaceAttr: theirs.ReplaceAttr, Encoder: &surejson.Encoder{Integers: surejson.IntegersAsNumbers}}
		var got, want bytes.Buffer
		h, standard, r := c.same(surejson.NewHandler(&got, ours), slog.NewJSONHandler(&want, theirs))
		h.Handle(t.Context(), r)
		standard.Handle(t.Context(), r)
		line, repairs := cutRepairs(t, got.Bytes())
		for _, repair := range repairs {
			if !strings.Contains(repair, " invalid-utf8 ") {
				return // which slog either fails at, or does not notice
			}
		}
		if !bytes.Equal(line, shortEscapes(want.Bytes())) {
			t.Errorf("\n got %s\nwant %s\n%q", line, want.Bytes(), repairs)
		}
	})
}

// cutRepairs takes the repairs off a line, which must be valid.
func cutRepairs(t *testing.T, line []byte) (rest []byte, repairs []string) {
	t.Helper()
	if !json.Valid(line) || bytes.IndexByte(line, '\n') != len(line)-1 {
		t.Fatalf("not a line of JSON: %q", line)
	}
	i := bytes.LastIndex(line, []byte(`"!repairs":[`))
	if i < 0 || json.Unmarshal(line[i+len(`"!repairs":`):len(line)-2], &repairs) != nil {
		return line, nil
	}
	return append(bytes.TrimSuffix(line[:i:i], []byte(",")), "}\n"...), repairs
}

// FuzzHandlerTotal logs values that misbehave, in lines of any size.
func FuzzHandlerTotal(f *testing.F) {
	f.Add([]byte("\x04\x05\x01\x02\x03\x04hello\xff\x00\x10world"), 0)
	for i := range 48 {
		f.Add(bytes.Repeat([]byte{byte(i), 6, 1, 7, byte(3 * i), 1, 2, 3, byte(i), 5, 8, byte(i), 200, 31}, 8), i*50)
	}
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		c := chooser{data: data, leaves: hostileLeaves, keys: typesOf("", 0, state(0), panicEnum(0), 1.5, keyError{}, textBad{}, &seven)}
		o := &surejson.HandlerOptions{Encoder: &surejson.Encoder{MaxSize: 1<<10 + size&0xFFF, MaxDepth: 3 + size>>12&7}, Level: slog.Level(-1000)}
		if c.byte()&1 == 1 {
			o.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
				switch len(a.Key) % 8 {
				case 1:
					return slog.Attr{}
				case 2:
					panic(a.Key)
				}
				return a
			}
		}
		var got writes
		h, _, r := c.same(surejson.NewHandler(&got, o), slog.NewJSONHandler(io.Discard, nil))
		h.Handle(t.Context(), r)
		if len(got) != 1 || len(got[0]) > o.Encoder.MaxSize {
			t.Fatalf("%d writes, %q", len(got), got)
		}
		cutRepairs(t, []byte(got[0]))
	})
}

// What slog.JSONHandler makes of records that a Handler writes well: should it
// learn, the documentation has to as well.
func TestWhereSlogFails(t *testing.T) {
	loop := map[string]any{}
	loop["self"] = loop
	for _, c := range []struct {
		name    string
		attr    slog.Attr
		with    string // what slog writes
		replace func([]string, slog.Attr) slog.Attr
	}{
		{"an enum", slog.Any("a", state(1)), `"a":1`, nil},
		{"a panic", slog.Any("a", jsonPanic{}), `"a":"!PANIC: `, nil},
		{"a channel", slog.Any("a", []any{1, make(chan int)}), `"a":"!ERROR:json: unsupported type: chan int"`, nil},
		{"a cycle", slog.Any("a", loop), `"a":"!ERROR:json: unsupported value: encountered a cycle`, nil},
		{"an error in a struct", slog.Any("a", struct{ Err error }{io.EOF}), `"a":{"Err":{}}`, nil},
		{"a year of five digits", slog.Time("a", time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)), `outside of range [0,9999]""12026-01-01T00:00:00Z"`, nil},
		{"a group that turns out empty", slog.Group("g", slog.Int("x", 1)), `"msg":"m""after":1`, func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == "x" {
				return slog.Attr{}
			}
			return a
		}},
	} {
		var out bytes.Buffer
		r := slog.NewRecord(time.Time{}, slog.LevelInfo, "m", 0)
		r.AddAttrs(c.attr, slog.Int("after", 1))
		slog.NewJSONHandler(&out, &slog.HandlerOptions{ReplaceAttr: c.replace}).Handle(t.Context(), r)
		if !strings.Contains(out.String(), c.with) {
			t.Errorf("%s: %s", c.name, &out)
		}
		line := logged(t, &surejson.HandlerOptions{ReplaceAttr: c.replace}, nil, c.attr, slog.Int("after", 1))
		if !strings.Contains(line, `"after":1`) {
			t.Errorf("%s: %s", c.name, line)
		}
	}
}
