package peer

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/surewire/surewire/bench/encode/internal/values"
)

// differing are the encoders whose output is known to say something else.
var differing = map[string]map[string]string{
	"gojsonexp":        {"a-event": "/final is added: false"},
	"gojsonexp-sorted": {"a-event": "/final is added: false"},
	"std-v2":           {"a-event": "/final is added: false"},
	"std-v2-sorted":    {"a-event": "/final is added: false"},
	"segmentio":        {"c-tool": "/duration is 1s instead of 1000000000"},
	"segmentio-html":   {"c-tool": "/duration is 1s instead of 1000000000"},
	"segmentio-fast":   {"c-tool": "/duration is 1s instead of 1000000000"},
	"jsoniter-fast":    {"c-tool": "/rows/1/score is ", "d-large": "/rows/1/score is "},
}

func TestOutputs(t *testing.T) {
	names := map[string]bool{}
	for _, e := range All() {
		if names[e.Name] {
			t.Errorf("%s is listed twice", e.Name)
		}
		names[e.Name] = true
		for _, v := range values.All() {
			d, want := e.Check(v), differing[e.Name][v.Name]
			if d != "" && (want == "" || !strings.HasPrefix(d, want)) || d == "" && want != "" {
				t.Errorf("%s on %s: difference %q, want %q", e.Name, v.Name, d, want)
			}
		}
	}
	for c := Same; c <= Limits; c++ {
		if !names[c.Base()] {
			t.Errorf("%s, the base of %q, is missing", c.Base(), c.Title())
		}
	}
}

// What is compared must be what was promised: the bytes, not only what they say.
func TestSameBytes(t *testing.T) {
	for _, e := range All() {
		if e.Module != "" || e.Class == Less {
			continue
		}
		for _, v := range values.All() {
			var want bytes.Buffer
			standard := json.NewEncoder(&want)
			standard.SetEscapeHTML(e.Class == HTML)
			if err := standard.Encode(v.Data); err != nil {
				t.Fatal(err)
			}
			codec, _ := e.New(v)
			for _, mode := range Modes {
				got, err := codec.Mode(mode)()
				if e.Name == "std-v2-sorted" {
					continue // its format is another
				}
				if err != nil || !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(want.Bytes())) {
					t.Errorf("%s, %s, on %s: not the bytes of encoding/json (%v)\n got %.300s\nwant %.300s", e.Name, mode, v.Name, err, got, want.Bytes())
				}
			}
		}
	}
}

// What a class promises of the output, on a value that tells them apart.
func TestClasses(t *testing.T) {
	m := map[string]any{"text": "a\xffb<c"}
	for c := range byte(20) {
		m[string('a'+c)] = int(c)
	}
	for _, e := range All() {
		codec, ok := e.New(values.Value{Data: m})
		if !ok || e.Name == "memcpy" {
			continue
		}
		got, err := codec.Reuse()
		checked := err != nil || utf8.Valid(got)
		if claims := e.Class != Less && !strings.Contains(e.About, "UTF-8 unchecked"); claims && !checked {
			t.Errorf("%s wrote what is not UTF-8: %q", e.Name, got)
		} else if !claims && checked && strings.Contains(e.About, "UTF-8 unchecked") {
			t.Errorf("%s does check UTF-8: %q, %v", e.Name, got, err)
		}
		if err != nil {
			continue
		}
		if sorted := bytes.Index(got, []byte(`"a":`)) < bytes.Index(got, []byte(`"t":`)) && bytes.Index(got, []byte(`"b":`)) < bytes.Index(got, []byte(`"c":`)); e.Class != Less && !sorted {
			t.Errorf("%s does not sort: %q", e.Name, got)
		}
		if escaped := !bytes.Contains(got, []byte("<")); escaped != (e.Class == HTML) {
			t.Errorf("%s, of %q: %q", e.Name, e.Class.Title(), got)
		}
	}
}

// The tables say "into a fresh slice": it must not be used again.
func TestFreshIsKept(t *testing.T) {
	for _, e := range All() {
		for _, v := range values.All() {
			codec, ok := e.New(v)
			if !ok {
				continue
			}
			first, _ := codec.Fresh()
			kept := bytes.Clone(first)
			for range 3 {
				next, _ := codec.Fresh()
				clear(next)
			}
			if !bytes.Equal(first, kept) {
				t.Errorf("%s on %s: a fresh slice was used again", e.Name, v.Name)
			}
		}
	}
}

func TestDifference(t *testing.T) {
	for _, c := range []struct{ want, got, difference string }{
		{`{"a":1,"b":[1,2]}`, `{"b":[1.0,2e0],"a":1}`, ""},
		{`{"a":1}`, `{"a":1,"b":2}`, "/b is added: 2"},
		{`{"a":1,"b":2}`, `{"a":1}`, "/b is missing"},
		{`{"a":[1,"x"]}`, `{"a":[1,"y"]}`, "/a/1 is y instead of x"},
		{`{"a":0.142857142}`, `{"a":0.142857}`, "/a is 0.142857 instead of 0.142857142"},
		{`[1]`, `[1,2]`, " is [1 2] instead of [1]"},
		{`1`, `1 2`, "more than one value"},
		{`null`, `0`, " is 0 instead of <nil>"},
		{`true`, `tru`, "unexpected EOF"},
	} {
		if d := Difference([]byte(c.want), []byte(c.got)); d != c.difference {
			t.Errorf("%s and %s: %q, want %q", c.want, c.got, d, c.difference)
		}
	}
}

func TestHandText(t *testing.T) {
	for _, v := range []any{"plain", "\"\\\b\f\n\r\t\x00\x1f\x7f", "a\xffb", "\u2028\u2029é😀", "", 0.0, -1.5, 1e21, 1e-7, 123456789.25, -3e-10, 1e300} {
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		got, err := handAny(nil, v)
		if err != nil || string(got) != strings.TrimSpace(want.String()) {
			t.Errorf("%q: %s, want %s (%v)", v, got, want.String(), err)
		}
	}
	if _, err := handAny(nil, make(chan int)); err == nil {
		t.Error("a channel was written")
	}
}
