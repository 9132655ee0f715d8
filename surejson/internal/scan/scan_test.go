package scan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/surewire/surewire/surejson/internal/scan"
)

func TestAppend(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{` { "a" : [ 1 , -2.5e+3 , true , false , null ] , "b" : { } , "c" : [ ] } `, `{"a":[1,-2.5e+3,true,false,null],"b":{},"c":[]}`},
		{`"\"\\\/\b\f\n\r\t\u00e9\ud800"`, `"\"\\\/\b\f\n\r\t\u00e9\ud800"`},
		{"\t\"é\u2028\x7f\"\n", "\"é\u2028\x7f\""},
		{`[[[[1]]],2]`, `[[[null]],2]`},
		{`[[[{"a":9007199254740993}]],9007199254740993]`, `[[[null]],"9007199254740993"]`},
	} {
		limits := scan.Limits{Depth: 3}
		got, _, err := scan.Append([]byte("x"), []byte(c.text), limits, nil)
		if err != nil || string(got) != "x"+c.want {
			t.Errorf("%s: got %s, want %s, %v", c.text, got, c.want, err)
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	for text, at := range map[string]int{
		"": 0, " ": 1, "{": 1, "[": 1, "[1": 2, "[1,": 3, "[1,]": 3, "[,": 1, `{"a"`: 4, `{"a":`: 5, `{"a":1,}`: 7, `{a:1}`: 1, `{"a" 1}`: 5,
		"tru": 0, "nulll": 4, "01": 1, "1 2": 2, "+1": 0, `"a`: 2, "\"\n\"": 1, `"\x"`: 1, `"\u12"`: 1, "]": 0, "[}": 1, `{"a":1]`: 6, "\x00": 0, "1\x00": 1, "\ufeff1": 0,
	} {
		dst, marks, err := scan.Append([]byte("x"), []byte(text), scan.Limits{Depth: 10}, nil)
		var e *scan.SyntaxError
		if !errors.As(err, &e) || e.Offset != at || string(dst) != "x" || marks != nil {
			t.Errorf("%q: %s, %v, %v", text, dst, marks, err)
		}
		if json.Valid([]byte(text)) {
			t.Errorf("%q is valid", text)
		}
	}
}

func TestDeepTextNeedsNoStack(t *testing.T) {
	const n = 3_000_000
	text := bytes.Repeat([]byte("["), n)
	if _, _, err := scan.Append(nil, text, scan.Limits{Depth: 5}, nil); err == nil {
		t.Error("no error")
	}
	got, marks, err := scan.Append(nil, append(text, bytes.Repeat([]byte("]"), n)...), scan.Limits{Depth: 5}, nil)
	if err != nil || string(got) != "[[[[[null]]]]]" || len(marks) != 1 {
		t.Errorf("%s, %v, %v", got, marks, err)
	}
}
