package surejson_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"maps"
	"math"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
	"unsafe"
	"weak"

	"github.com/surewire/surewire/surejson"
)

// A hostile value, what it becomes unless that is long or not ours to say, and
// the repairs as "pointer reason type".
type hostile struct {
	name    string
	value   any
	want    string
	repairs []string
	encoder surejson.Encoder
}

type list_ = []string

// make1 calls f: for values that take statements to build.
func make1[T any](f func() T) T { return f() }

func plainTable() []hostile {
	seven, max := 7, uint64(math.MaxUint64)
	var nilFunc func()
	var nilError *errorPointer
	year := func(y int) time.Time { return time.Date(y, 1, 2, 3, 4, 5, 0, time.UTC) }
	return []hostile{
		// Kinds that JSON lacks.
		{name: "chan", value: make(chan int), want: `null`, repairs: list_{" unsupported chan int"}},
		{name: "chan in map", value: map[string]any{"a": 1, "b": make(chan int), "c": 3}, want: `{"a":1,"b":null,"c":3}`, repairs: list_{"/b unsupported chan int"}},
		{name: "func and chan fields", value: handler{"n", func() error { return nil }, make(chan struct{})}, want: `{"name":"n","do":null,"done":null}`, repairs: list_{"/do unsupported func() error", "/done unsupported chan struct {}"}},
		{name: "nil func and chan fields", value: handler{Name: "n"}, want: `{"name":"n","do":null,"done":null}`},
		{name: "nil func", value: []any{nilFunc, 1}, want: `[null,1]`},
		{name: "complex128 in slice", value: []complex128{1, complex(0, -2)}, want: `["(1+0i)","(0-2i)"]`, repairs: list_{"/0 unsupported complex128", "/1 unsupported complex128"}},
		{name: "complex64", value: complex64(complex(0.1, math.Inf(1))), want: `"(0.1+Infi)"`, repairs: list_{" unsupported complex64"}},
		{name: "unsafe.Pointer", value: []any{unsafe.Pointer(&seven), unsafe.Pointer(nil)}, want: `[null,null]`, repairs: list_{"/0 unsupported unsafe.Pointer"}},
		{name: "chan with String", value: make(chanString), want: `"a channel"`, repairs: list_{" string-fallback surejson_test.chanString"}},
		{name: "iter.Seq", value: map[string]any{"s": slices.Values([]int{1}), "t": 1}, want: `{"s":null,"t":1}`, repairs: list_{"/s unsupported iter.Seq[int]"}},
		{name: "iter.Seq2", value: iter.Seq2[string, int](maps.All(map[string]int{"a": 1})), want: `null`, repairs: list_{" unsupported iter.Seq2[string,int]"}},

		// Numbers.
		{name: "NaN in []float64", value: []float64{1, math.NaN(), 3}, want: `[1,null,3]`, repairs: list_{"/1 non-finite float64"}},
		{name: "infinities", value: []any{math.Inf(1), float32(math.Inf(-1))}, want: `[null,null]`, repairs: list_{"/0 non-finite float64", "/1 non-finite float32"}},
		{name: "NaN with string option", value: struct {
			F float64 `json:",string"`
			G int     `json:",string"`
		}{math.NaN(), 1}, want: `{"F":null,"G":"1"}`, repairs: list_{"/F non-finite float64"}},
		{name: "int64 2^53", value: []int64{1 << 53, -(1 << 53)}, want: `[9007199254740992,-9007199254740992]`},
		{name: "int64 2^53+1", value: []int64{1<<53 + 1, -(1<<53 + 1)}, want: `["9007199254740993","-9007199254740993"]`, repairs: list_{"/0 big-integer int64", "/1 big-integer int64"}},
		{name: "int 2^60 in any", value: map[string]any{"n": 1 << 60}, want: `{"n":"1152921504606846976"}`, repairs: list_{"/n big-integer int"}},
		{name: "uint64 max", value: uint64(math.MaxUint64), want: `"18446744073709551615"`, repairs: list_{" big-integer uint64"}},
		{name: "uintptr max", value: ^uintptr(0), want: `"18446744073709551615"`, repairs: list_{" big-integer uintptr"}},
		{name: "big integers with string option", value: struct {
			N int64       `json:",string"`
			P *uint64     `json:",string"`
			J json.Number `json:",string"`
			M int64
		}{math.MinInt64, &max, "9007199254740993", math.MaxInt64}, want: `{"N":"-9223372036854775808","P":"18446744073709551615","J":"9007199254740993","M":"9223372036854775807"}`, repairs: list_{"/M big-integer int64"}},
		{name: "2^53+1 as number", value: []any{int64(1<<53 + 1), json.Number("9007199254740993"), json.RawMessage("9007199254740993")}, encoder: surejson.Encoder{Integers: surejson.IntegersAsNumbers}, want: `[9007199254740993,9007199254740993,9007199254740993]`},
		{name: "json.Number invalid", value: []json.Number{"abc", "1.", "01", "+1", "0x1", "NaN", "1e", " 1", "-"}, want: `["abc","1.","01","+1","0x1","NaN","1e"," 1","-"]`, repairs: list_{"/0 invalid-number json.Number", "/1 invalid-number json.Number", "/2 invalid-number json.Number", "/3 invalid-number json.Number", "/4 invalid-number json.Number", "/5 invalid-number json.Number", "/6 invalid-number json.Number", "/7 invalid-number json.Number", "/8 invalid-number json.Number"}},
		{name: "json.Number 2^53+1", value: json.Number("-9007199254740993"), want: `"-9007199254740993"`, repairs: list_{" big-integer json.Number"}},
		{name: "*big.Int", value: []any{big.NewInt(12), new(big.Int).Lsh(big.NewInt(1), 64)}, want: `[12,"18446744073709551616"]`, repairs: list_{"/1 big-integer big.Int"}},
		{name: "big.Int value", value: struct{ N big.Int }{*big.NewInt(5)}, want: `{"N":5}`},
		{name: "*big.Float", value: big.NewFloat(1.5), want: `"1.5"`},
		{name: "big.Rat value", value: []any{*big.NewRat(1, 3)}, want: `["1/3"]`},
		{name: "duration beyond 2^53", value: time.Duration(math.MaxInt64), want: `"9223372036854775807"`, repairs: list_{" big-integer time.Duration"}},

		// Enums.
		{name: "enum", value: map[string]any{"state": state(1), "n": 1}, want: `{"n":1,"state":"connected"}`},
		{name: "enum out of range", value: []state{0, 7}, want: `["connecting","state(7)"]`, repairs: list_{"/1 unknown-enum surejson_test.state"}},
		{name: "enum String panics", value: []panicEnum{5}, want: `[5]`, repairs: list_{"/0 method-panic surejson_test.panicEnum"}},
		{name: "enum String exits", value: []any{exitEnum(6), exitEnum(6)}, want: `[6,6]`, repairs: list_{"/0 method-exit surejson_test.exitEnum", "/1 method-exit surejson_test.exitEnum"}},
		{name: "enum without a name", value: unnamed(3), want: `3`, repairs: list_{" unknown-enum surejson_test.unnamed"}},
		{name: "enum named in bad UTF-8", value: badUTF8(1), want: `"a\ufffdb"`, repairs: list_{" invalid-utf8 surejson_test.badUTF8"}},
		{name: "integer whose String is its number", value: []any{idNumber(12), idNumber(1<<53 + 1)}, want: `[12,"9007199254740993"]`, repairs: list_{"/1 big-integer surejson_test.idNumber"}},
		{name: "enum with MarshalText", value: textEnum(1), want: `"marshaled"`},
		{name: "enum by pointer", value: []any{ptrEnum(3), new(ptrEnum), []ptrEnum{4}}, want: `["by pointer 3","by pointer 0",["by pointer 4"]]`},
		{name: "enum uint64 beyond 2^53", value: bigEnum(math.MaxUint64), want: `"big"`},
		{name: "slice of byte enum", value: []smallState{0, 1, 3}, want: `["connecting","open","closed"]`},
		{name: "array of byte enum", value: [2]smallState{1, 9}, want: `["open","smallState(9)"]`, repairs: list_{"/1 unknown-enum surejson_test.smallState"}},
		{name: "enum with string option", value: struct {
			S state `json:"s,string"`
		}{1}, want: `{"s":"connected"}`},
		{name: "enum with omitempty", value: struct {
			S state `json:"s,omitempty"`
			T state `json:"t,omitempty"`
		}{0, 1}, want: `{"t":"connected"}`},
		{name: "enum as number", value: []any{state(1), map[state]int{1: 1}, []smallState{1}}, encoder: surejson.Encoder{Enums: surejson.EnumsAsNumbers}, want: `[1,{"1":1},"AQ=="]`},
		{name: "enums of the standard library", value: []any{time.March, time.Sunday, reflect.Map, http.StateActive, fs.FileMode(0o644), slog.LevelWarn}, want: `["March","Sunday","map","active","-rw-r--r--","WARN"]`},
		{name: "time.Duration", value: []any{1500 * time.Millisecond, map[time.Duration]int{5: 1}}, want: `[1500000000,{"5":1}]`},
		{name: "duration as text", value: 1500 * time.Millisecond, encoder: surejson.Encoder{Durations: surejson.DurationText}, want: `"1.5s"`},
		{name: "duration as milliseconds", value: 1500 * time.Microsecond, encoder: surejson.Encoder{Durations: surejson.DurationMilliseconds}, want: `1.5`},
		{name: "a reason", value: []any{surejson.Cycle, surejson.Reason(200)}, want: `["cycle","Reason(200)"]`, repairs: list_{"/1 unknown-enum surejson.Reason"}},

		// Errors.
		{name: "error", value: map[string]any{"err": errors.New("it broke")}, want: `{"err":"it broke"}`},
		{name: "wrapped error", value: fmt.Errorf("load: %w", fs.ErrNotExist), want: `"load: file does not exist"`},
		{name: "joined errors", value: errors.Join(errors.New("a"), errors.New("b")), want: `"a\nb"`},
		{name: "errno", value: syscall.ENOENT, want: `"no such file or directory"`},
		{name: "error field", value: struct{ E error }{&errorPointer{3}}, want: `{"E":"code 3"}`},
		{name: "error struct with exported field", value: errorExported{5}, want: `"exported"`},
		{name: "struct that only its pointer makes an error", value: []any{errorPointer{5}, &errorPointer{5}}, want: `[{"Code":5},"code 5"]`},
		{name: "error with MarshalJSON", value: errorJSON{}, want: `{"err":1}`},
		{name: "typed nil error", value: struct{ E error }{nilError}, want: `{"E":null}`},
		{name: "error whose Error panics", value: errorPanics{5}, want: `{"Code":5}`, repairs: list_{" method-panic surejson_test.errorPanics"}},
		{name: "error whose Error exits", value: errorExits{5}, want: `{"Code":5}`, repairs: list_{" method-exit surejson_test.errorExits"}},
		{name: "error in bad UTF-8", value: errText{}, want: `"bad \ufffd text"`, repairs: list_{" invalid-utf8 surejson_test.errText"}},
		{name: "embedded nil error", value: embedsError{Code: 5}, want: `{"code":5}`, repairs: list_{" method-panic surejson_test.embedsError"}},
		{name: "error as data", value: []any{errors.New("x"), errorExported{5}}, encoder: surejson.Encoder{Errors: surejson.ErrorsAsData}, want: `[{},{"Code":5}]`},

		// Methods.
		{name: "MarshalJSON error", value: []any{1, jsonError{}, 3}, want: `[1,null,3]`, repairs: list_{"/1 method-error surejson_test.jsonError"}},
		{name: "MarshalJSON panic", value: map[string]any{"a": jsonPanic{}, "b": 1}, want: `{"a":null,"b":1}`, repairs: list_{"/a method-panic surejson_test.jsonPanic"}},
		{name: "MarshalJSON nil dereference", value: struct{ A, B jsonNilDeref }{B: jsonNilDeref{&seven}}, want: `{"A":null,"B":7}`, repairs: list_{"/A method-panic surejson_test.jsonNilDeref"}},
		{name: "MarshalJSON panics with a bad error", value: []jsonWeird{{weirdError{}}, {nil}, {[]int{1}}}, want: `[null,null,null]`, repairs: list_{"/0 method-panic surejson_test.jsonWeird", "/1 method-panic surejson_test.jsonWeird", "/2 method-panic surejson_test.jsonWeird"}},
		{name: "MarshalJSON empty", value: jsonText(""), want: `null`, repairs: list_{" invalid-json surejson_test.jsonText"}},
		{name: "MarshalJSON invalid", value: []jsonText{"{a:1}", "tru", "'x'", "1 /**/", "[1,]", `{"a":1,}`, "\x00", `"a`, `"\x"`, "\"\n\"", "01", "-", "1.", "]"}, want: `[null,null,null,null,null,null,null,null,null,null,null,null,null,null]`, repairs: repeated(14, "/%d invalid-json surejson_test.jsonText")},
		{name: "MarshalJSON cut", value: struct{ A, B jsonText }{`{"a":[1,`, `{"ok":1}`}, want: `{"A":null,"B":{"ok":1}}`, repairs: list_{"/A invalid-json surejson_test.jsonText"}},
		{name: "MarshalJSON two values", value: []any{jsonText(`1 2`)}, want: `[null]`, repairs: list_{"/0 invalid-json surejson_test.jsonText"}},
		{name: "MarshalJSON injects a sibling", value: map[string]any{"n": jsonText(`1,"admin":true`)}, want: `{"n":null}`, repairs: list_{"/n invalid-json surejson_test.jsonText"}},
		{name: "MarshalJSON closes its parent", value: map[string]any{"n": jsonText(`1},{"admin":true`)}, want: `{"n":null}`, repairs: list_{"/n invalid-json surejson_test.jsonText"}},
		{name: "MarshalJSON nil bytes", value: jsonNil{}, want: `null`, repairs: list_{" invalid-json surejson_test.jsonNil"}},
		{name: "MarshalJSON invalid UTF-8", value: []any{jsonText("\"a\xffb\""), 1}, want: `["a\ufffdb",1]`, repairs: list_{"/0 invalid-utf8 surejson_test.jsonText"}},
		{name: "MarshalJSON invalid UTF-8 outside a string", value: jsonText("\xef\xbb\xbf1"), want: `null`, repairs: list_{" invalid-json surejson_test.jsonText"}},
		{name: "MarshalJSON with big integers", value: jsonText(`{"id": 9007199254740993, "x": [12345678901234567890, 1.5e300, 9007199254740992]}`), want: `{"id":"9007199254740993","x":["12345678901234567890",1.5e300,9007199254740992]}`, repairs: list_{"/id big-integer surejson_test.jsonText", "/x/0 big-integer surejson_test.jsonText"}},
		{name: "MarshalJSON deeper than allowed", value: []any{jsonText("[[[[[1]]],2]]"), 3}, encoder: surejson.Encoder{MaxDepth: 4}, want: `[[[[null],2]],3]`, repairs: list_{"/0/0/0/0 too-deep surejson_test.jsonText"}},
		{name: "MarshalJSON mutates the parent map", value: make1(func() any {
			m := map[string]any{"z": 1}
			m["a"] = mutator{m}
			return m
		}), want: `{"a":"mutated","z":1}`},
		{name: "MarshalJSON blocks", value: []any{jsonBlocks{}, 1}, encoder: surejson.Encoder{MethodTimeout: time.Millisecond}, want: `[null,1]`, repairs: list_{"/0 method-timeout surejson_test.jsonBlocks"}},
		{name: "MarshalText error", value: []any{textError{}, 1}, want: `[null,1]`, repairs: list_{"/0 method-error surejson_test.textError"}},
		{name: "MarshalText panic", value: []any{&textPanic{}, 1}, want: `[null,1]`, repairs: list_{"/0 method-panic surejson_test.textPanic"}},
		{name: "MarshalText bad UTF-8 and quote", value: textBad{}, want: `"a\ufffd\"b"`, repairs: list_{" invalid-utf8 surejson_test.textBad"}},
		{name: "AppendText only", value: []any{appendOnly{1}, map[appendOnly]int{{1}: 1}}, want: `["appended",{"appended":1}]`},
		{name: "AppendText error", value: appendError{}, want: `null`, repairs: list_{" method-error surejson_test.appendError"}},
		{name: "pointer-receiver MarshalJSON on a value", value: []any{jsonPointer{}, textPointer{}, map[string]jsonPointer{"a": {}}}, want: `["by pointer","by \"pointer\"",{"a":"by pointer"}]`},
		{name: "typed nil with value-receiver MarshalJSON", value: []any{(*jsonValue)(nil)}, want: `[null]`},
		{name: "typed nil with value-receiver MarshalJSON in json.Marshaler", value: struct{ M json.Marshaler }{(*jsonValue)(nil)}, want: `{"M":null}`},
		{name: "embedded nil json.Marshaler", value: []any{embedsMarshaler{N: 1}, 2}, want: `[null,2]`, repairs: list_{"/0 method-panic surejson_test.embedsMarshaler"}},
		{name: "embedded nil *time.Time", value: embedsTime{N: 1}, want: `null`, repairs: list_{" method-panic surejson_test.embedsTime"}},
		{name: "embedded nil struct pointer", value: embedsNothing{N: 1}, want: `{"N":1}`},
		{name: "IsZero panics", value: struct {
			A zeroPanics `json:"a,omitzero"`
			B int        `json:"b"`
		}{}, want: `{"a":{"N":0},"b":0}`, repairs: list_{"/a method-panic surejson_test.zeroPanics"}},
		{name: "opaque struct with String", value: []any{opaque{1}, &opaquePtr{1}, opaquePtr{1}}, want: `["opaque(1)","by pointer","by pointer"]`, repairs: list_{"/0 string-fallback surejson_test.opaque", "/1 string-fallback surejson_test.opaquePtr", "/2 string-fallback surejson_test.opaquePtr"}},
		{name: "opaque struct whose String panics", value: opaquePanics{}, want: `{}`, repairs: list_{" method-panic surejson_test.opaquePanics"}},
		{name: "struct with unexported fields only", value: struct{ a, b int }{1, 2}, want: `{}`},

		// Map keys.
		{name: "enum keys", value: map[state]string{0: "a", 1: "b", 9: "c"}, want: `{"connected":"b","connecting":"a","state(9)":"c"}`, repairs: list_{"/state(9) unknown-enum surejson_test.state"}},
		{name: "enum key whose String panics", value: map[panicEnum]int{3: 1}, want: `{"3":1}`, repairs: list_{"/3 method-panic surejson_test.panicEnum"}},
		{name: "enum key with MarshalText", value: map[textEnum]int{1: 1}, want: `{"marshaled":1}`},
		{name: "key MarshalText error", value: map[keyError]int{{1}: 1}, want: `{"<surejson_test.keyError>":1}`, repairs: list_{"/<surejson_test.keyError> method-error surejson_test.keyError"}},
		{name: "key MarshalText panics, twice", value: map[keyPanics]int{{1}: 1, {2}: 1}, want: `{"<surejson_test.keyPanics>":1,"<surejson_test.keyPanics>#2":1}`, repairs: list_{"/<surejson_test.keyPanics> method-panic surejson_test.keyPanics", "/<surejson_test.keyPanics>#2 duplicate-key surejson_test.keyPanics"}},
		{name: "keys with one text", value: map[any]int{1: 5, "1": 5, int8(1): 5, "1#2": 6}, want: `{"1":5,"1#3":5,"1#4":5,"1#2":6}`, repairs: list_{"/1#3 duplicate-key int8", "/1#4 duplicate-key string"}},
		{name: "NaN keys", value: map[float64]int{math.NaN(): 1, math.Inf(1): 2, 1.5: 3}, want: `{"+Inf":2,"1.5":3,"NaN":1}`},
		{name: "two NaN keys", value: make1(func() any {
			m := map[float64]int{}
			m[math.NaN()], m[math.NaN()] = 1, 1
			return m
		}), want: `{"NaN":1,"NaN#2":1}`, repairs: list_{"/NaN#2 duplicate-key float64"}},
		{name: "struct keys", value: map[Inner]int{{1, 2, 3}: 1, {0, 2, 3}: 2}, want: `{"{\"A\":0,\"B\":2,\"C\":3}":2,"{\"A\":1,\"B\":2,\"C\":3}":1}`},
		{name: "array keys", value: map[[2]int]int{{1, 2}: 1}, want: `{"[1,2]":1}`},
		{name: "bool keys", value: map[bool]int{true: 1, false: 0}, want: `{"false":0,"true":1}`},
		{name: "complex keys", value: map[complex128]int{1: 1}, want: `{"(1+0i)":1}`, repairs: list_{"/(1+0i) unsupported complex128"}},
		{name: "mixed keys", value: map[any]any{1: "int", "a": "string", true: "bool", state(1): "enum", 2.5: "float", [1]int{7}: "array", nil: "nil"}, want: `{"1":"int","2.5":"float","[7]":"array","a":"string","connected":"enum","null":"nil","true":"bool"}`},
		{name: "pointer keys", value: map[*int]int{&seven: 1, nil: 2}, want: `{"7":1,"null":2}`},
		{name: "channel keys", value: map[chan int]int{make(chan int): 1}, want: `{"<chan int>":1}`, repairs: list_{"/<chan int> unsupported chan int"}},
		{name: "error keys", value: map[error]int{fs.ErrExist: 1}, want: `{"file already exists":1}`},
		{name: "time keys", value: map[time.Time]int{year(2024): 1}, want: `{"2024-01-02T03:04:05Z":1}`},
		{name: "keys in invalid UTF-8", value: map[string]any{"a\xff": 1, "b": 2}, want: `{"a\ufffd":1,"b":2}`, repairs: list_{"/a\ufffd invalid-utf8 string"}},
		{name: "keys that become equal", value: map[string]int{"a\xff": 1, "a\xfe": 1, "a\ufffd": 1}, want: "{\"a\ufffd\":1,\"a\ufffd#2\":1,\"a\ufffd#3\":1}", repairs: list_{"/a\ufffd#2 duplicate-key string", "/a\ufffd#3 duplicate-key string"}},
		{name: "keys that become equal, of a common map", value: map[string]any{"a\xff": 1, "a\xfe": 1}, want: `{"a\ufffd":1,"a` + "\ufffd" + `#2":1}`, repairs: list_{"/a\ufffd invalid-utf8 string", "/a\ufffd#2 duplicate-key string"}},
		{name: "time keys beyond the year 9999", value: map[time.Time]int{year(10000): 1}, want: `{"+010000-01-02T03:04:05Z":1}`, repairs: list_{"/+010000-01-02T03:04:05Z time-range time.Time"}},
		{name: "keys to escape in pointers", value: map[string]any{"a/b~c": math.NaN(), "é\"\u2028": math.NaN(), "": math.NaN()}, want: `{"":null,"a/b~c":null,"é\"\u2028":null}`, repairs: list_{"/ non-finite float64", "/a~1b~0c non-finite float64", "/é\"\u2028 non-finite float64"}},
		{name: "duplicate field names", value: duplicates(), want: `{"C":0}`},

		// User JSON.
		{name: "RawMessage invalid", value: []any{json.RawMessage(`{"a":`), 1}, want: `["{\"a\":",1]`, repairs: list_{"/0 invalid-json json.RawMessage"}},
		{name: "RawMessage empty", value: struct{ R json.RawMessage }{json.RawMessage{}}, want: `{"R":""}`, repairs: list_{"/R invalid-json json.RawMessage"}},
		{name: "RawMessage nil", value: struct{ R json.RawMessage }{}, want: `{"R":null}`},
		{name: "RawMessage injects", value: map[string]json.RawMessage{"a": json.RawMessage(`1,"admin":true`)}, want: `{"a":"1,\"admin\":true"}`, repairs: list_{"/a invalid-json json.RawMessage"}},
		{name: "RawMessage invalid UTF-8 in a name", value: json.RawMessage("{\"\xff\":1,\"b\":{\"c\":\"\xfe\"}}"), want: `{"\ufffd":1,"b":{"c":"\ufffd"}}`, repairs: list_{"/\ufffd invalid-utf8 json.RawMessage", "/b/c invalid-utf8 json.RawMessage"}},
		{name: "RawMessage 2^63", value: json.RawMessage(`{"a":[9223372036854775808,{"b":-9223372036854775808}]}`), want: `{"a":["9223372036854775808",{"b":"-9223372036854775808"}]}`, repairs: list_{"/a/0 big-integer json.RawMessage", "/a/1/b big-integer json.RawMessage"}},

		// Contents of holders.
		{name: "atomics", value: []any{make1(func() *atomic.Int64 { a := new(atomic.Int64); a.Store(5); return a }), new(atomic.Bool), new(atomic.Uint32), new(atomic.Int32), new(atomic.Uint64), new(atomic.Uintptr)}, want: `[5,false,0,0,0,0]`},
		{name: "atomic field", value: &struct{ N atomic.Uint64 }{}, want: `{"N":0}`},
		{name: "atomic.Int64 beyond 2^53", value: make1(func() *atomic.Int64 { a := new(atomic.Int64); a.Store(math.MinInt64); return a }), want: `"-9223372036854775808"`, repairs: list_{" big-integer atomic.Int64"}},
		{name: "atomic.Value", value: make1(func() *atomic.Value { a := new(atomic.Value); a.Store(state(1)); return a }), want: `"connected"`},
		{name: "atomic.Value empty", value: new(atomic.Value), want: `null`},
		{name: "atomic.Pointer", value: make1(func() any {
			a := new(atomic.Pointer[Inner])
			a.Store(&Inner{A: 1})
			return []any{a, new(atomic.Pointer[int])}
		}), want: `[{"A":1,"B":0,"C":0},null]`},
		{name: "sync.Map", value: make1(func() *sync.Map {
			m := new(sync.Map)
			m.Store("a", 1)
			m.Store(state(1), make(chan int))
			return m
		}), want: `{"a":1,"connected":null}`, repairs: list_{"/connected unsupported chan int"}},
		{name: "reflect.Value", value: []any{reflect.ValueOf(map[string]int{"a": 1}), reflect.Value{}, reflect.ValueOf(opaque{1}).Field(0)}, want: `[{"a":1},null,null]`, repairs: list_{"/2 unsupported int"}},
		{name: "slog.Value", value: []any{slog.IntValue(5), slog.GroupValue(slog.String("b", "x"), slog.Any("a", state(1))), slog.AnyValue(errors.New("e")), slog.StringValue("s"), slog.Value{}}, want: `[5,{"b":"x","a":"connected"},"e","s",null]`},
		{name: "slog.Attr", value: slog.Any("k", state(1)), want: `{"Key":"k","Value":"connected"}`},
		{name: "weak.Pointer", value: weak.Make(&seven), want: `{}`},
		{name: "generic struct", value: genericBox[any]{genericBox[float64]{math.NaN()}}, want: `{"V":{"V":null}}`, repairs: list_{"/V/V non-finite float64"}},
		{name: "protobuf-like struct", value: protoTime{Seconds: 5}, want: `{"seconds":5}`},

		// Times.
		{name: "year 10000", value: map[string]any{"t": year(10000)}, want: `{"t":"+010000-01-02T03:04:05Z"}`, repairs: list_{"/t time-range time.Time"}},
		{name: "year -1", value: year(-1), want: `"-000001-01-02T03:04:05Z"`, repairs: list_{" time-range time.Time"}},
		{name: "year 12345678", value: year(12345678), want: `"+12345678-01-02T03:04:05Z"`, repairs: list_{" time-range time.Time"}},
		{name: "zone +25h", value: year(2024).In(time.FixedZone("", 25*3600)), want: `"2024-01-02T03:04:05Z"`, repairs: list_{" time-range time.Time"}},
		{name: "zone -24h", value: year(2024).In(time.FixedZone("", -24*3600)), want: `"2024-01-02T03:04:05Z"`, repairs: list_{" time-range time.Time"}},

		// Text.
		{name: "invalid UTF-8", value: []string{"a\xffb", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x80", "ok"}, want: `["a\ufffdb","\ufffd\ufffd","\ufffd\ufffd\ufffd","\ufffd\ufffd\ufffd\ufffd","\ufffd\ufffd","ok"]`, repairs: repeated(5, "/%d invalid-utf8 string")},
		{name: "invalid UTF-8 with string option", value: struct {
			S string `json:",string"`
		}{"\xff"}, want: `{"S":"\"\\ufffd\""}`, repairs: list_{"/S invalid-utf8 string"}},

		// Big standard types.
		{name: "contexts", value: []any{context.Background(), context.TODO()}, want: `["context.Background","context.TODO"]`, repairs: list_{"/0 string-fallback context.backgroundCtx", "/1 string-fallback context.todoCtx"}},
		{name: "*bytes.Buffer", value: bytes.NewBufferString("text"), want: `"text"`, repairs: list_{" string-fallback bytes.Buffer"}},

		{name: "*http.Request", value: map[string]any{"a": 1, "r": request(), "z": 2}, repairs: list_{"/r/GetBody unsupported func() (io.ReadCloser, error)", "/r/Response/Request/GetBody unsupported func() (io.ReadCloser, error)", "/r/Response/Request/Response cycle *http.Response"}},
		{name: "types and other internals", value: []any{reflect.TypeFor[int](), new(sync.Mutex), time.NewTimer(time.Hour), os.Stdin, http.DefaultClient, slog.Default()}, repairs: list_{"/0 string-fallback reflect.rtype", "/2/C unsupported <-chan time.Time"}},
		{name: "cancelled context", value: make1(func() any {
			ctx, cancel := context.WithCancel(context.WithValue(context.Background(), list{}, 1))
			cancel()
			return ctx
		}), want: `{"Context":{"Context":"context.Background"}}`, repairs: list_{"/Context/Context string-fallback context.backgroundCtx"}},

		// Limits.
		{name: "at MaxDepth", value: nested(4), encoder: surejson.Encoder{MaxDepth: 4}, want: wrapped(4)},
		{name: "beyond MaxDepth", value: map[string]any{"a": nested(4), "b": 1}, encoder: surejson.Encoder{MaxDepth: 4}, want: `{"a":` + wrapped(3) + `,"b":1}`, repairs: list_{"/a/0/0/0 too-deep []interface {}"}},
		{name: "default depth", value: nested(513), want: wrapped(512), repairs: list_{strings.Repeat("/0", 512) + " too-deep []interface {}"}},
		{name: "MaxDepth of every container", value: []any{[]int{1}, [1]int{}, map[string]int{"a": 1}, struct{ A int }{}, map[string]any{}, &list{}, []int{}, map[int]int{}}, encoder: surejson.Encoder{MaxDepth: 1}, want: `[null,null,null,null,null,null,[],null]`, repairs: list_{"/0 too-deep []int", "/1 too-deep [1]int", "/2 too-deep map[string]int", "/3 too-deep struct { A int }", "/4 too-deep map[string]interface {}", "/5 too-deep surejson_test.list", "/7 too-deep map[int]int"}},
		{name: "string beyond MaxSize", value: strings.Repeat("é", 100), encoder: surejson.Encoder{MaxSize: 9}, want: `"ééé"`, repairs: list_{" too-large string"}},
		{name: "string beyond MaxSize among others", value: map[string]any{"a": strings.Repeat("x", 100), "b": 1, "c": true}, encoder: surejson.Encoder{MaxSize: 50}, want: `{"a":"` + strings.Repeat("x", 21) + `","b":1,"c":true}`, repairs: list_{"/a too-large string"}},
		{name: "bytes beyond MaxSize", value: []any{make([]byte, 100), 1}, encoder: surejson.Encoder{MaxSize: 30}, want: `["AAAAAAAAAAAA",1]`, repairs: list_{"/0 too-large []uint8"}},
		{name: "number beyond MaxSize", value: []any{1, 1234567890, 3}, encoder: surejson.Encoder{MaxSize: 12}, want: `[1,null,3]`, repairs: list_{"/1 too-large int"}},
		{name: "list beyond MaxSize", value: []int{1, 2, 3, 4, 5, 6}, encoder: surejson.Encoder{MaxSize: 7}, want: `[1,2,3]`, repairs: list_{" too-large []int"}},
		{name: "members beyond MaxSize", value: []any{map[string]any{"a": 1, "b": 2}, 5}, encoder: surejson.Encoder{MaxSize: 11}, want: `[{"a":1}]`, repairs: list_{"/0 too-large map[string]interface {}"}},
		{name: "MaxSize of nothing", value: []any{1, 2}, encoder: surejson.Encoder{MaxSize: 1}, want: `[1]`, repairs: list_{" too-large []interface {}"}},
		{name: "MaxRepairs", value: []any{make(chan int), math.NaN(), math.NaN()}, encoder: surejson.Encoder{MaxRepairs: 1}, want: `[null,null,null]`, repairs: list_{"/0 unsupported chan int", "total 3"}},
	}
}

// request returns a request with functions, channels and cycles in it.
func request() *http.Request {
	r, err := http.NewRequest(http.MethodPost, "http://example.org/a?b=c", strings.NewReader("body"))
	if err != nil {
		panic(err)
	}
	r.Response = &http.Response{Request: r}
	return r.WithContext(context.WithValue(r.Context(), list{}, 1))
}

func repeated(n int, format string) []string {
	var s []string
	for i := range n {
		s = append(s, fmt.Sprintf(format, i))
	}
	return s
}

// deadlyTable holds the values that have killed or hung encoders.
func deadlyTable() []hostile {
	return []hostile{
		{name: "cyclic pointer", value: make1(func() any { r := &ring{}; r.Next = r; return r }), want: `{"Next":null}`, repairs: list_{"/Next cycle *surejson_test.ring"}},
		{name: "cyclic tree", value: make1(func() any { r := &tree{}; r.L, r.R = r, r; return r }), want: `{"L":null,"R":null}`, repairs: list_{"/L cycle *surejson_test.tree", "/R cycle *surejson_test.tree"}},
		{name: "cyclic map", value: make1(func() any { m := map[string]any{"a": 1}; m["m"] = m; return m }), want: `{"a":1,"m":null}`, repairs: list_{"/m cycle map[string]interface {}"}},
		{name: "cyclic slice", value: make1(func() any { s := []any{1, nil}; s[1] = s; return s }), want: `[1,null]`, repairs: list_{"/1 cycle []interface {}"}},
		{name: "interface to itself", value: make1(func() any { var i any; i = &i; return []any{i, 1} }), want: `[null,1]`, repairs: list_{"/0 cycle *interface {}"}},
		{name: "pointer to itself", value: make1(func() any { var p selfPtr; p = &p; return p }), want: `null`, repairs: list_{" cycle surejson_test.selfPtr"}},
		{name: "slice of itself", value: make1(func() any { s := selfSli{nil}; s[0] = s; return s }), want: `[null]`, repairs: list_{"/0 cycle surejson_test.selfSli"}},
		{name: "map of itself", value: make1(func() any { m := selfMap{}; m["m"] = m; return m }), want: `{"m":null}`, repairs: list_{"/m cycle surejson_test.selfMap"}},
		{name: "cycle of several types", value: make1(func() any {
			m := map[string]any{}
			m["s"] = &struct{ L []any }{[]any{m, 1}}
			return m
		}), want: `{"s":{"L":[null,1]}}`, repairs: list_{"/s/L/0 cycle map[string]interface {}"}},
		{name: "cycle through sync.Map", value: make1(func() any { m := new(sync.Map); m.Store("m", m); return m }), want: `{"m":null}`, repairs: list_{"/m cycle *sync.Map"}},
		{name: "cycle through atomic.Pointer", value: make1(func() any {
			type node struct{ Next atomic.Pointer[any] }
			n := new(node)
			var next any = n
			n.Next.Store(&next)
			return n
		}), want: `{"Next":null}`, repairs: list_{"/Next cycle *surejson_test.node"}},
		{name: "shared but not cyclic", value: make1(func() any { x := &Inner{}; return []any{x, x, []*Inner{x}} }), want: `[{"A":0,"B":0,"C":0},{"A":0,"B":0,"C":0},[{"A":0,"B":0,"C":0}]]`},
		{name: "2^40 leaves", value: multiplied(40, 1), encoder: surejson.Encoder{MaxSize: 200}, repairs: list_{strings.Repeat("/0", 34) + "/1/0 too-large []interface {}"}},
		{name: "10k deep slice", value: nested(10000), want: wrapped(512), repairs: list_{strings.Repeat("/0", 512) + " too-deep []interface {}"}},
		{name: "5M deep slice", value: nested(5_000_000), want: wrapped(512), repairs: list_{strings.Repeat("/0", 512) + " too-deep []interface {}"}},
		{name: "1M linked list", value: linked(1_000_000), want: strings.Repeat(`{"Next":`, 512) + "null" + strings.Repeat("}", 512), repairs: list_{strings.Repeat("/Next", 512) + " too-deep surejson_test.chain"}},
		{name: "1M pointers", value: []any{pointers(1_000_000), pointers(5)}, want: `[null,"end"]`, repairs: list_{"/0 too-deep *interface {}"}},
		{name: "deep at the ceiling", value: nested(20000), encoder: surejson.Encoder{MaxDepth: 1 << 30}, want: wrapped(10000), repairs: list_{strings.Repeat("/0", 10000) + " too-deep []interface {}"}},
		{name: "MarshalJSON 100k deep", value: []any{jsonText(strings.Repeat("[", 100000) + strings.Repeat("]", 100000)), 1}, want: "[" + wrapped(511) + ",1]", repairs: list_{strings.Repeat("/0", 512) + " too-deep surejson_test.jsonText"}},
		{name: "MarshalJSON 100k deep and cut", value: jsonText(strings.Repeat("[", 100000)), want: `null`, repairs: list_{" invalid-json surejson_test.jsonText"}},
		{name: "MarshalJSON exits", value: []any{jsonExit{}, jsonExit{}, 1}, want: `[null,null,1]`, repairs: list_{"/0 method-exit surejson_test.jsonExit", "/1 method-exit surejson_test.jsonExit"}},
		{name: "MarshalText exits", value: []any{textExit{}, 1}, want: `[null,1]`, repairs: list_{"/0 method-exit surejson_test.textExit"}},
		{name: "MarshalJSON exits later", value: []jsonLateExit{{}, {true}, {}}, encoder: surejson.Encoder{MethodTimeout: time.Minute}, want: `[true,null,true]`, repairs: list_{"/1 method-exit surejson_test.jsonLateExit"}},
		{name: "64 MB string", value: map[string]any{"a": strings.Repeat("x", 64<<20), "b": 1}, encoder: surejson.Encoder{MaxSize: 1 << 20}, want: `{"a":"` + strings.Repeat("x", (1<<20-8)/2) + `","b":1}`, repairs: list_{"/a too-large string"}},
		{name: "concurrent use of one plan", value: &dag{ring{}, tree{}}, want: `{"A":{"Next":null},"B":{"L":null,"R":null}}`},
	}
}

// lines renders a Report as in the table.
func lines(r surejson.Report) []string {
	var s []string
	for _, p := range r.Repairs {
		s = append(s, fmt.Sprintf("%s %s %s", p.Pointer, p.Reason, p.GoType))
	}
	if r.Total != len(r.Repairs) {
		s = append(s, fmt.Sprintf("total %d", r.Total))
	}
	return s
}

// check encodes one value.
func (h *hostile) check(t *testing.T) {
	got, r := h.encoder.Append(nil, h.value)
	mustBeValid(t, got, r)
	if h.encoder.MaxSize > 4 && len(got) > h.encoder.MaxSize {
		t.Errorf("%d bytes", len(got))
	}
	if h.want != "" && string(got) != h.want {
		t.Errorf("\n got %.300s\nwant %.300s", got, h.want)
	}
	if !slices.Equal(lines(r), h.repairs) {
		t.Errorf("repairs\n got %.600q\nwant %.600q", lines(r), h.repairs)
	}
}

// mustBeValid checks what holds for the output and Report of any value.
func mustBeValid(t *testing.T, out []byte, r surejson.Report) {
	t.Helper()
	if !json.Valid(out) && !deep(out) || !utf8.Valid(out) {
		t.Fatalf("invalid output %.300s", out)
	}
	if (r.Total == 0) != r.Clean() || r.Clean() != (r.Err() == nil) || len(r.Repairs) > r.Total {
		t.Errorf("inconsistent Report %+v", r)
	}
	for _, p := range r.Repairs {
		if !deep(out) && !found(out, p) {
			t.Errorf("%s is not in %.300s", p, out)
		}
	}
}

// deep reports whether encoding/json would refuse out for its depth alone.
func deep(out []byte) bool { return bytes.HasPrefix(out, bytes.Repeat([]byte("["), 10000)) }

// found reports whether the pointer of p leads to what p wrote.
func found(out []byte, p surejson.Repair) bool {
	at := json.RawMessage(out)
	name := ""
	for _, token := range strings.Split(p.Pointer, "/")[1:] {
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		var members map[string]json.RawMessage
		var elements []json.RawMessage
		if json.Unmarshal(at, &members) == nil && members != nil {
			at = members[name]
		} else if i := 0; json.Unmarshal(at, &elements) == nil {
			fmt.Sscan(name, &i)
			at = elements[min(i, len(elements)-1)]
		}
	}
	prefix, cut := strings.CutSuffix(p.Wrote, "…")
	if cut && bytes.Contains(out, []byte(prefix)) {
		return true
	}
	var text string
	if json.Unmarshal([]byte(p.Wrote), &text) == nil && text == name {
		return true // a member's name
	}
	return strings.HasPrefix(string(at), strings.TrimRight(prefix, "…}]"))
}

func TestHostileValues(t *testing.T) {
	names := map[string]bool{}
	for _, h := range append(plainTable(), edgeTable()...) {
		if names[h.name] {
			t.Errorf("%q is there twice", h.name)
		}
		names[h.name] = true
		t.Run(h.name, h.check)
	}
	if n := len(names) + len(deadlyTable()) + len(edgeDeadlyTable()); n < 200 {
		t.Errorf("only %d hostile values", n)
	}
}

// childVariable tells a process that it is to encode a deadly value itself.
const childVariable = "SUREJSON_TEST_CHILD"

func TestDeadlyValues(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		for _, h := range append(deadlyTable(), edgeDeadlyTable()...) {
			t.Run(h.name, h.check)
		}
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // a race detector on a busy machine
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestDeadlyValues$")
	c.Env = append(os.Environ(), childVariable+"=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%.5000s", err, out)
	}
}
