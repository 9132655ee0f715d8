package surejson_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/surewire/surewire/surejson"
)

func TestSlogtest(t *testing.T) {
	var out bytes.Buffer
	newHandler := func(*testing.T) slog.Handler {
		out.Reset()
		return surejson.NewHandler(&out, nil)
	}
	lines := func() (all []map[string]any) {
		for line := range bytes.Lines(out.Bytes()) {
			var m map[string]any
			if err := json.Unmarshal(line, &m); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			all = append(all, m)
		}
		return all
	}
	slogtest.Run(t, newHandler, func(*testing.T) map[string]any { return lines()[0] })
	if err := slogtest.TestHandler(newHandler(t), lines); err != nil {
		t.Error(err)
	}
}

// at is the time of records that are compared.
var at = time.Date(2026, 11, 22, 10, 0, 5, 123456789, time.FixedZone("", 3600))

// A valuer is a LogValuer.
type valuer func() slog.Value

func (v valuer) LogValue() slog.Value { return v() }

type structured struct{ a, b any }

func (s *structured) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("a", s.a), slog.Any("b", s.b))
}

// endless is a LogValuer that leads to itself.
type endless struct{}

func (e endless) LogValue() slog.Value { return slog.AnyValue(e) }

// logged returns the line for one record, without its end.
func logged(t *testing.T, o *surejson.HandlerOptions, with func(slog.Handler) slog.Handler, attrs ...slog.Attr) string {
	t.Helper()
	var out writes
	var h slog.Handler = surejson.NewHandler(&out, o)
	if with != nil {
		h = with(h)
	}
	r := slog.NewRecord(time.Time{}, slog.LevelInfo, "m", 0)
	r.AddAttrs(attrs...)
	if err := h.Handle(t.Context(), r); err != nil {
		t.Error(err)
	}
	if len(out) != 1 {
		t.Fatalf("%d writes", len(out))
	}
	line := strings.TrimSuffix(out[0], "\n")
	if strings.Contains(line, "\n") || len(line) == len(out[0]) || !json.Valid([]byte(line)) || line[0] != '{' {
		t.Fatalf("not one JSON object on one line: %s", out[0])
	}
	return line
}

// writes keeps what each Write was given.
type writes []string

func (w *writes) Write(b []byte) (int, error) {
	*w = append(*w, string(b))
	return len(b), nil
}

func TestLinesThatNeedRepairs(t *testing.T) {
	loop := map[string]any{}
	loop["self"] = loop
	for _, c := range []struct {
		name  string
		attrs []slog.Attr
		want  string // what follows the message
	}{
		{"an enum", []slog.Attr{slog.Any("state", state(1))}, `"state":"connected"`},
		{"an enum out of range", []slog.Attr{slog.Any("state", state(7))}, `"state":"state(7)","!repairs":["/state unknown-enum surejson_test.state"]`},
		{"a String that panics", []slog.Attr{slog.Any("state", panicEnum(1)), slog.Int("n", 1)}, `"state":1,"n":1,"!repairs":["/state method-panic surejson_test.panicEnum: no name"]`},
		{"NaN", []slog.Attr{slog.Float64("load", math.NaN())}, `"load":null,"!repairs":["/load non-finite float64: NaN"]`},
		{"a cycle", []slog.Attr{slog.Any("m", loop)}, `"m":{"self":null},"!repairs":["/m/self cycle map[string]interface {}"]`},
		{"a channel", []slog.Attr{slog.Any("c", make(chan int)), slog.Bool("after", true)}, `"c":null,"after":true,"!repairs":["/c unsupported chan int"]`},
		{"an error", []slog.Attr{slog.Any("err", fmt.Errorf("run: %w", io.EOF))}, `"err":"run: EOF"`},
		{"an error in a struct", []slog.Attr{slog.Any("v", struct{ Err error }{io.EOF})}, `"v":{"Err":"EOF"}`},
		{"an Error that panics", []slog.Attr{slog.Any("err", errorPanics{3})}, `"err":{"Code":3},"!repairs":["/err method-panic surejson_test.errorPanics: no text"]`},
		{"MarshalJSON exits", []slog.Attr{slog.Any("v", jsonExit{}), slog.Int("n", 1)}, `"v":null,"n":1,"!repairs":["/v method-exit surejson_test.jsonExit"]`},
		{"JSON with line ends", []slog.Attr{slog.Any("v", json.RawMessage("{\n\"a\":\n1}"))}, `"v":{"a":1}`},
		{"LogValue panics", []slog.Attr{slog.Any("v", valuer(func() slog.Value { panic("boom") }))}, `"v":null,"!repairs":["/v method-panic surejson_test.valuer: boom"]`},
		{"LogValue exits", []slog.Attr{slog.Any("v", exits{})}, `"v":null,"!repairs":["/v method-exit surejson_test.exits"]`},
		{"LogValue leads to itself", []slog.Attr{slog.Any("v", endless{}), slog.Any("in", []any{endless{}, slog.AnyValue(endless{})})}, `"v":null,"in":[{},null],"!repairs":["/v cycle surejson_test.endless: LogValue called 100 times","/in/1 cycle surejson_test.endless: LogValue called 100 times"]`},
		{"a nil LogValuer that panics", []slog.Attr{slog.Any("v", (*structured)(nil))}, `"v":null,"!repairs":["/v method-panic *surejson_test.structured: runtime error: invalid memory address or nil pointer dereference"]`},
		{"repairs in groups", []slog.Attr{slog.Group("g", slog.Any("a", make(chan int)), slog.Group("h", slog.Float64("b", math.Inf(1))))}, `"g":{"a":null,"h":{"b":null}},"!repairs":["/g/a unsupported chan int","/g/h/b non-finite float64: +Inf"]`},
		{"keys that are no UTF-8", []slog.Attr{slog.String("a\xff", "b\xff"), slog.Group("g\xff", slog.Int("n", 1))}, `"a\ufffd":"b\ufffd","g\ufffd":{"n":1},"!repairs":["/a` + "\ufffd" + ` invalid-utf8 string","/a` + "\ufffd" + ` invalid-utf8 string","/g` + "\ufffd" + ` invalid-utf8 string"]`},
		{"a key to be escaped in a pointer", []slog.Attr{slog.Any(`a/~"`, make(chan int))}, `"a/~\"":null,"!repairs":["/a~1~0\" unsupported chan int"]`},
		{"2^53 and more", []slog.Attr{slog.Int64("a", 1<<53), slog.Uint64("b", 1<<63)}, `"a":9007199254740992,"b":"9223372036854775808","!repairs":["/b big-integer uint64"]`},
		{"a year JSON readers do not know", []slog.Attr{slog.Time("t", time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC))}, `"t":"+012026-01-01T00:00:00Z","!repairs":["/t time-range time.Time"]`},
		{"an empty key that fails", []slog.Attr{slog.Any("", valuer(func() slog.Value { panic("boom") }))}, `"":null,"!repairs":["/ method-panic surejson_test.valuer: boom"]`},
		{"a LogValuer of an empty group", []slog.Attr{slog.Any("g", valuer(func() slog.Value { return slog.GroupValue() })), slog.Int("n", 1)}, `"n":1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := `{"level":"INFO","msg":"m",` + c.want + `}`
			if got := logged(t, nil, nil, c.attrs...); got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			hidden, _, _ := strings.Cut(strings.TrimSuffix(want, "}"), `,"!repairs"`)
			if got := logged(t, &surejson.HandlerOptions{HideRepairs: true}, nil, c.attrs...); got != hidden+"}" {
				t.Errorf("\n got %s\nwant %s}", got, hidden)
			}
		})
	}
}

type exits struct{}

func (exits) LogValue() slog.Value { runtime.Goexit(); return slog.Value{} }

func TestLineKeepsRepairsOfWithAttrs(t *testing.T) {
	with := func(h slog.Handler) slog.Handler {
		h = h.WithAttrs([]slog.Attr{slog.Any("c", make(chan int))}).WithGroup("g")
		return h.WithAttrs([]slog.Attr{slog.Float64("f", math.NaN())}).WithGroup("h")
	}
	want := `{"level":"INFO","msg":"m","c":null,"g":{"f":null,"h":{"n":null}},"!repairs":["/c unsupported chan int","/g/f non-finite float64: NaN","/g/h/n unsupported func()"]}`
	if got := logged(t, nil, with, slog.Any("n", func() {})); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	want = `{"level":"INFO","msg":"m","c":null,"g":{"f":null},"!repairs":["/c unsupported chan int","/g/f non-finite float64: NaN"]}`
	if got := logged(t, nil, with); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestLinePolicies(t *testing.T) {
	e := surejson.Encoder{Integers: surejson.IntegersAsNumbers, Enums: surejson.EnumsAsNumbers, Durations: surejson.DurationText, EscapeHTML: true}
	got := logged(t, &surejson.HandlerOptions{Encoder: &e}, nil, slog.Uint64("u", 1<<63), slog.Any("s", state(1)), slog.Duration("d", time.Second), slog.String("<", ">"))
	if want := `{"level":"INFO","msg":"m","u":9223372036854775808,"s":1,"d":"1s","\u003c":"\u003e"}`; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	e = surejson.Encoder{MaxRepairs: -1}
	got = logged(t, &surejson.HandlerOptions{Encoder: &e}, nil, slog.Any("s", []any{make(chan int), func() {}}))
	if want := `{"level":"INFO","msg":"m","s":[null,null],"!repairs":["and 2 more"]}`; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestLineReplaceAttr(t *testing.T) {
	replace := func(groups []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case "password":
			panic("cannot hide " + a.Value.String()[:0])
		case "gone", "level":
			return slog.Attr{}
		case "chan":
			a.Value = slog.AnyValue(make(chan int))
		case "nil":
			a.Value = slog.Value{}
		case "lazy":
			a.Value = slog.AnyValue(valuer(func() slog.Value { return slog.StringValue(strings.Join(groups, ".")) }))
		}
		return a
	}
	o := &surejson.HandlerOptions{ReplaceAttr: replace}
	panics := valuer(func() slog.Value { panic("boom") })
	got := logged(t, o, nil, slog.String("password", "hunter2"), slog.Int("gone", 1), slog.Int("chan", 1), slog.Group("g", slog.Int("gone", 1)),
		slog.Group("a", slog.Group("b", slog.Int("lazy", 1))), slog.Int("nil", 1), slog.Any("fails", panics), slog.Group("h", slog.Any("gone", panics)))
	want := `{"msg":"m","password":null,"chan":null,"a":{"b":{"lazy":"a.b"}},"nil":null,"fails":null,"!repairs":[` +
		`"/password method-panic func([]string, slog.Attr) slog.Attr: cannot hide ","/chan unsupported chan int","/fails method-panic surejson_test.valuer: boom"]}`
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	all := &surejson.HandlerOptions{ReplaceAttr: func([]string, slog.Attr) slog.Attr { return slog.Attr{} }, AddSource: true}
	for _, with := range []func(slog.Handler) slog.Handler{nil, func(h slog.Handler) slog.Handler { return h.WithGroup("g") }, func(h slog.Handler) slog.Handler { return h.WithGroup("g").WithAttrs([]slog.Attr{slog.Int("a", 1)}) }} {
		if got := logged(t, all, with, slog.Int("a", 1), slog.Group("g", slog.Int("b", 1))); got != `{}` {
			t.Errorf("%s", got)
		}
	}
}

// Values that would fill any line, in each place a line has for them.
func TestLineLimit(t *testing.T) {
	huge := strings.Repeat("x", 1<<20)
	self := valuer(nil)
	self = func() slog.Value { return slog.GroupValue(slog.Any("a", self), slog.Any("b", self)) }
	inline := valuer(nil)
	inline = func() slog.Value { return slog.GroupValue(slog.Any("", inline), slog.Any("", inline)) }
	values := map[string][]slog.Attr{
		"string":          {slog.String("a", huge)},
		"key":             {slog.Int(huge, 1), slog.Int("after", 1)},
		"empty keys":      {slog.Any("", inline)},
		"group of itself": {slog.Any("a", self)},
		"tree":            {slog.Any("a", multiplied(40, "leaf"))},
		"strings":         {slog.Any("a", []string{huge, huge, huge}), slog.String("b", huge), slog.Int("c", 1)},
		"repairs":         {slog.Any("a", make([]chan int, 1)), slog.Any(huge[:100], func() {}), slog.Any("b", strings.Repeat("\x00", 1<<20))},
		"many repairs":    {slog.Any("a", []any{make(chan int), make(chan int), errorPanics{}, func() {}, math.NaN(), math.NaN(), math.NaN(), math.NaN()})},
		"group name":      {slog.Group(huge, slog.Int("a", 1)), slog.Int("b", 1)},
	}
	drop := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.MessageKey {
			return a
		}
		return slog.Attr{}
	}
	with := map[string]func([]slog.Attr) func(slog.Handler) slog.Handler{
		"record": func([]slog.Attr) func(slog.Handler) slog.Handler { return nil },
		"group": func([]slog.Attr) func(slog.Handler) slog.Handler {
			return func(h slog.Handler) slog.Handler { return h.WithGroup("g") }
		},
		"with": func(as []slog.Attr) func(slog.Handler) slog.Handler {
			return func(h slog.Handler) slog.Handler { return h.WithAttrs(as) }
		},
		"with group": func(as []slog.Attr) func(slog.Handler) slog.Handler {
			return func(h slog.Handler) slog.Handler { return h.WithGroup("g").WithAttrs(as).WithGroup("h").WithAttrs(as) }
		},
		"huge group": func(as []slog.Attr) func(slog.Handler) slog.Handler {
			return func(h slog.Handler) slog.Handler { return h.WithGroup(huge).WithAttrs(as) }
		},
	}
	for name, attrs := range values {
		for place, w := range with {
			for _, size := range []int{1, 1 << 10, 3000, 1 << 16} {
				for _, replace := range []func([]string, slog.Attr) slog.Attr{nil, drop} {
					o := &surejson.HandlerOptions{Encoder: &surejson.Encoder{MaxSize: size}, ReplaceAttr: replace}
					line := logged(t, o, w(attrs), attrs...)
					if len(line)+1 > max(size, 1<<10) {
						t.Errorf("%s, %s, %d: %d bytes", name, place, size, len(line)+1)
					}
					if !strings.Contains(line, `"msg":"m"`) || replace == nil && !strings.Contains(line, `"!repairs":["`) {
						t.Errorf("%s, %s, %d: %.300s … %s", name, place, size, line, line[max(0, len(line)-300):])
					}
				}
			}
		}
	}
}

func TestLongMessageLeavesRoom(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(surejson.NewHandler(&out, nil)).With("service", "x")
	logger.Info(strings.Repeat("é", 1<<20), "code", 7)
	if out.Len() > surejson.DefaultMaxLine || !strings.Contains(out.String(), `,"service":"x","code":7,"!repairs":["/msg too-large string: `) {
		t.Errorf("%d bytes, %s", out.Len(), out.Bytes()[out.Len()-200:])
	}
}

// What one handler does must not show in the lines of another.
func TestHandlersShareNothing(t *testing.T) {
	var out writes
	base := surejson.NewHandler(&out, nil).WithGroup("g").WithAttrs([]slog.Attr{slog.Int("a", 1)})
	var handlers []slog.Handler
	for i := range 3 {
		handlers = append(handlers, base.WithAttrs([]slog.Attr{slog.Int("i", i)}), base.WithGroup(fmt.Sprint("h", i)))
	}
	for _, h := range handlers {
		slog.New(h).Info("m", "z", 1)
	}
	for i, suffix := range []string{`"i":0,"z":1}}`, `"h0":{"z":1}}}`, `"i":1,"z":1}}`, `"h1":{"z":1}}}`, `"i":2,"z":1}}`, `"h2":{"z":1}}}`} {
		if !strings.HasSuffix(out[i], `"g":{"a":1,`+suffix+"\n") {
			t.Errorf("%d: %s", i, out[i])
		}
	}
}

func TestHandlerConcurrently(t *testing.T) {
	var out writes // not safe for concurrent use
	logger := slog.New(surejson.NewHandler(&out, &surejson.HandlerOptions{AddSource: true}))
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			mine := logger.With("i", i, "state", state(i%3)).WithGroup("g")
			for j := range 50 {
				mine.Info("m", "j", j, "c", make(chan int), "v", &structured{j, "b"})
			}
		})
	}
	wait.Wait()
	if len(out) != 16*50 {
		t.Errorf("%d lines", len(out))
	}
	for _, line := range out {
		if !json.Valid([]byte(line)) || !strings.HasSuffix(line, `,"!repairs":["/g/c unsupported chan int"]}`+"\n") {
			t.Errorf("%s", line)
		}
	}
}

func TestHandlerEnabled(t *testing.T) {
	var level slog.LevelVar
	h := surejson.NewHandler(io.Discard, &surejson.HandlerOptions{Level: &level}).WithGroup("g").WithAttrs([]slog.Attr{slog.Int("a", 1)})
	level.Set(slog.LevelWarn)
	none := surejson.NewHandler(io.Discard, nil)
	for l, want := range map[slog.Level][2]bool{slog.LevelDebug: {false, false}, slog.LevelInfo: {false, true}, slog.LevelWarn: {true, true}} {
		if h.Enabled(t.Context(), l) != want[0] || none.Enabled(t.Context(), l) != want[1] {
			t.Errorf("%v", l)
		}
	}
}

type brokenWriter struct{ panics bool }

func (w brokenWriter) Write([]byte) (int, error) {
	if w.panics {
		panic("writer")
	}
	return 0, io.ErrShortWrite
}

// A writer's error is returned, and its panic leaves no lock behind.
func TestHandlerWriterFails(t *testing.T) {
	r := slog.NewRecord(at, slog.LevelInfo, "m", 0)
	if err := surejson.NewHandler(brokenWriter{}, nil).Handle(t.Context(), r); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("%v", err)
	}
	h := surejson.NewHandler(brokenWriter{panics: true}, nil)
	for range 2 {
		func() {
			defer func() {
				if recover() != "writer" {
					t.Error("the panic did not come through")
				}
			}()
			h.Handle(t.Context(), r)
		}()
	}
}

func TestHandlerAllocations(t *testing.T) {
	h := surejson.NewHandler(io.Discard, nil).WithAttrs([]slog.Attr{slog.String("service", "x")}).WithGroup("g")
	r := slog.NewRecord(at, slog.LevelInfo, "message", 0)
	r.AddAttrs(slog.Int("n", 1), slog.Any("state", state(1)), slog.Duration("d", time.Second), slog.Group("h", slog.Float64("f", 1.5)), slog.Any("m", map[string]any{"a": "b"}))
	ctx := context.Background()
	if n := testing.AllocsPerRun(100, func() { h.Handle(ctx, r) }); n > 0 && !allocates {
		t.Errorf("%v allocations", n)
	}
}
