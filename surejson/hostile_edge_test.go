package surejson_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unique"

	"github.com/surewire/surewire/surejson"
)

// Methods that misbehave only now and then, or on receivers of unusual kinds.
type (
	latePanic  struct{ Panic bool }
	longJSON   int // MarshalJSON returns that many elements
	longName   int // String returns that many bytes
	funcJSON   func()
	mapJSON    map[string]int
	sliceText  []int
	shrinker   struct{ of *[]any }             // MarshalJSON cuts the slice it is in
	keyMutator struct{ m *map[keyMutator]int } // MarshalText adds to the map it is in
	zeroExits  struct{ N int }
	logPanics  struct{}
	logItself  struct{}
	ringArray  [1]*ringArray
	ownEmbed   struct {
		*ownEmbed
		V int
	}
	marshalsItself struct{}
)

func (l latePanic) MarshalJSON() ([]byte, error) {
	if l.Panic {
		panic("late")
	}
	return []byte("true"), nil
}
func (l longJSON) MarshalJSON() ([]byte, error) {
	return []byte("[" + strings.Repeat("1,", int(l)) + "1]"), nil
}
func (l longName) String() string              { return strings.Repeat("n", int(l)) }
func (funcJSON) MarshalJSON() ([]byte, error)  { return []byte(`"func"`), nil }
func (m mapJSON) MarshalJSON() ([]byte, error) { return strconv.AppendInt(nil, int64(len(m)), 10), nil }
func (s sliceText) MarshalText() ([]byte, error) {
	return strconv.AppendInt(nil, int64(len(s)), 10), nil
}
func (s shrinker) MarshalJSON() ([]byte, error) {
	(*s.of)[1] = make(chan int)
	*s.of = nil
	return []byte("true"), nil
}
func (k keyMutator) MarshalText() ([]byte, error) {
	for range 100 {
		(*k.m)[keyMutator{new(map[keyMutator]int)}] = 1
	}
	return []byte("key"), nil
}
func (zeroExits) IsZero() bool                        { runtime.Goexit(); return true }
func (logPanics) LogValue() slog.Value                { panic("no value") }
func (l logItself) LogValue() slog.Value              { return slog.AnyValue(l) }
func (m marshalsItself) MarshalJSON() ([]byte, error) { return json.Marshal(m) }

// edgeTable holds values at the edges of what a type or method may be.
func edgeTable() []hostile {
	return []hostile{
		// Methods.
		{name: "MarshalJSON panics later", value: []latePanic{{}, {true}, {}}, want: `[true,null,true]`, repairs: list_{"/1 method-panic surejson_test.latePanic"}},
		{name: "MarshalJSON beyond MaxSize", value: []any{longJSON(1000), 1}, encoder: surejson.Encoder{MaxSize: 50}, want: `[null,1]`, repairs: list_{"/0 too-large surejson_test.longJSON"}},
		{name: "MarshalJSON cuts its slice", value: make1(func() any {
			s := []any{nil, 2}
			s[0] = shrinker{&s}
			return s
		}), want: `[true,null]`, repairs: list_{"/1 unsupported chan int"}},
		{name: "key changes its map", value: make1(func() any {
			m := map[keyMutator]int{}
			m[keyMutator{&m}] = 1
			return m
		}), want: `{"key":1}`},
		{name: "enum name beyond MaxSize", value: []any{longName(1000), 1}, encoder: surejson.Encoder{MaxSize: 30}, want: `["nnnnnnnnnnnnn",1]`, repairs: list_{"/0 too-large surejson_test.longName"}},
		{name: "key beyond MaxSize", value: map[longName]int{1000: 1, 1: 2}, encoder: surejson.Encoder{MaxSize: 30}, want: `{"n":2}`, repairs: list_{" too-large map[surejson_test.longName]int"}},
		{name: "functions, maps and slices with methods", value: []any{funcJSON(nil), funcJSON(func() {}), mapJSON(nil), sliceText(nil), (*sliceText)(nil)}, want: `["func","func",0,"0",null]`},
		{name: "typed nil with pointer-receiver methods", value: []any{(*jsonPointer)(nil), (*textPointer)(nil), struct{ M json.Marshaler }{(*jsonPointer)(nil)}, (*big.Int)(nil)}, want: `[null,null,{"M":"by pointer"},null]`},
		{name: "IsZero exits", value: struct {
			A zeroExits `json:"a,omitzero"`
		}{}, want: `{"a":{"N":0}}`, repairs: list_{"/a method-exit surejson_test.zeroExits"}},
		{name: "key String exits", value: map[exitEnum]int{1: 1}, want: `{"1":1}`, repairs: list_{"/1 method-exit surejson_test.exitEnum"}},
		{name: "key MarshalText exits", value: map[textExit]int{{}: 1}, want: `{"<surejson_test.textExit>":1}`, repairs: list_{"/<surejson_test.textExit> method-exit surejson_test.textExit"}},
		{name: "keys with MarshalJSON in an interface", value: map[json.Marshaler]int{jsonText("[1]"): 1, jsonPanic{}: 2}, want: `{"[1]":1,"null":2}`, repairs: list_{"/null method-panic surejson_test.jsonPanic"}},
		{name: "LogValue panics, and leads to itself", value: []any{slog.AnyValue(logPanics{}), slog.AnyValue(logItself{}), logPanics{}}, want: `[null,null,{}]`, repairs: list_{"/0 method-panic surejson_test.logPanics", "/1 cycle surejson_test.logItself"}},
		{name: "enums of the standard library out of range", value: []any{time.Month(13), time.Weekday(9)}, want: `["%!Month(13)","%!Weekday(9)"]`, repairs: list_{"/0 unknown-enum time.Month", "/1 unknown-enum time.Weekday"}},
		{name: "net.IP of no length", value: []any{net.IP{1, 2, 3}, net.IP(nil)}, want: `[null,""]`, repairs: list_{"/0 method-error net.IP"}},

		// Embedding.
		{name: "embedded nil interfaces", value: []any{struct{ error }{}, struct{ fmt.Stringer }{}, struct{ json.Marshaler }{}}, want: `[{},{"Stringer":null},null]`, repairs: list_{"/0 method-panic struct { error }", "/2 method-panic struct { json.Marshaler }"}},
		{name: "embedded nil pointer to an exported struct", value: struct{ *Inner }{}, want: `{}`},
		{name: "embedded unexported struct", value: struct{ chain }{}, want: `{"Next":null}`},
		{name: "embedded pointer to itself", value: make1(func() any { e := &ownEmbed{V: 1}; e.ownEmbed = e; return e }), want: `{"V":1}`},
		{name: "name in a tag in invalid UTF-8", value: struct {
			A int `json:"a\xff"`
		}{1}, want: `{"A":1}`},

		// Values that are written as they are.
		{name: "bytes", value: []any{[]byte("ab"), [4]byte{1, 2}, []byte(nil), uintptr(7)}, want: `["YWI=",[1,2,0,0],null,7]`},
		{name: "sql.NullString", value: sql.NullString{String: "x", Valid: true}, want: `{"String":"x","Valid":true}`},
		{name: "netip.Addr", value: []any{netip.MustParseAddr("::1"), netip.Addr{}, map[netip.Addr]int{netip.MustParseAddr("127.0.0.1"): 1}}, want: `["::1","",{"127.0.0.1":1}]`},
		{name: "url.URL value", value: url.URL{Scheme: "http", Host: "h"}, want: `{"Scheme":"http","Opaque":"","User":null,"Host":"h","Path":"","Fragment":"","RawQuery":"","RawPath":"","RawFragment":"","ForceQuery":false,"OmitHost":false}`},
		{name: "url.URL with a password", value: map[string]any{"u": struct{ User *url.Userinfo }{url.UserPassword("u", "p")}}, want: `{"u":{"User":"u:p"}}`, repairs: list_{"/u/User string-fallback url.Userinfo"}},
		{name: "handles and texts of the standard library", value: []any{unique.Make("x"), regexp.MustCompile("a+"), &sql.DB{}}, want: `[{},"a+",{}]`},
		{name: "infinite big.Float", value: new(big.Float).SetInf(true), want: `"-Inf"`},
		{name: "numbers with a fraction or an exponent", value: []any{json.Number("9007199254740993.0"), json.RawMessage("[9007199254740993e0,1E400,-0]")}, want: `[9007199254740993.0,[9007199254740993e0,1E400,-0]]`},
		{name: "keys of every kind of integer", value: []any{map[int8]int{-1: 1}, map[uint64]int{math.MaxUint64: 1}, map[uintptr]int{1: 1}, map[int64]int{math.MinInt64: 1}}, want: `[{"-1":1},{"18446744073709551615":1},{"1":1},{"-9223372036854775808":1}]`},
		{name: "an interface as key, nil among others", value: map[fmt.Stringer]int{nil: 1, state(1): 2}, want: `{"connected":2,"null":1}`},
	}
}

// edgeDeadlyTable holds values that lead back to themselves on unusual ways, or
// multiply.
func edgeDeadlyTable() []hostile {
	return []hostile{
		{name: "slice whose part holds itself", value: make1(func() any { s := make([]any, 2); s[0] = s[:1]; return s }), want: `[[null],null]`, repairs: list_{"/0/0 cycle []interface {}"}},
		{name: "array of pointers to itself", value: make1(func() any { a := &ringArray{}; a[0] = a; return a }), want: `[null]`, repairs: list_{"/0 cycle *surejson_test.ringArray"}},
		{name: "reflect.Value of itself", value: make1(func() any { v := new(reflect.Value); *v = reflect.ValueOf(v); return []any{v} }), want: `[null]`, repairs: list_{"/0 cycle *reflect.Value"}},
		{name: "atomic.Value of itself", value: make1(func() any { v := new(atomic.Value); v.Store(v); return []any{v} }), want: `[null]`, repairs: list_{"/0 cycle *atomic.Value"}},
		{name: "map as its own key", value: make1(func() any { m := map[any]any{}; m[&m] = 1; return m }), want: `{"null":1}`, repairs: list_{"/null cycle *map[interface {}]interface {}"}},
		{name: "sync.Map as its own key and value", value: make1(func() any { m := new(sync.Map); m.Store(m, m); return m }), want: `{"null":null}`, repairs: list_{"/null cycle *sync.Map", "/null cycle *sync.Map"}},
		{name: "slog group that holds itself twice", value: make1(func() any {
			attrs := make([]slog.Attr, 2)
			attrs[0] = slog.Attr{Key: "a", Value: slog.GroupValue(attrs...)}
			attrs[1] = slog.Attr{Key: "b", Value: slog.GroupValue(attrs...)}
			return attrs[0].Value
		}), encoder: surejson.Encoder{MaxSize: 1 << 14, MaxDepth: 20, MaxRepairs: -1}, repairs: list_{"total 1088"}},
		{name: "2^40 elements of no size", value: []any{make([]struct{}, 1<<40), 1}, encoder: surejson.Encoder{MaxSize: 20}, want: `[[{},{},{},{},{}]]`, repairs: list_{"/0 too-large []struct {}"}},
		{name: "2^40 leaves in maps", value: make1(func() any {
			v := any(1)
			for range 40 {
				v = map[string]any{"a": v, "b": v}
			}
			return v
		}), encoder: surejson.Encoder{MaxSize: 1000}, repairs: list_{strings.Repeat("/a", 33) + "/b/a/a/a/a/a too-large map[string]interface {}"}},
		{name: "100k deep map", value: make1(func() any {
			v := selfMap(nil)
			for range 100_000 {
				v = selfMap{"m": v}
			}
			return v
		}), encoder: surejson.Encoder{MaxDepth: 3}, want: `{"m":{"m":{"m":null}}}`, repairs: list_{"/m/m/m too-deep surejson_test.selfMap"}},
	}
}

// What no package can contain ends as the documentation says.
func TestWhatIsNotContained(t *testing.T) {
	switch os.Getenv(childVariable) {
	case "itself":
		debug.SetMaxStack(1 << 20)
		surejson.Marshal(marshalsItself{})
		return
	case "changing":
		encodeWhileChanging(t)
		return
	case "1":
		return
	}
	if out, err := asChild(t, "itself"); err == nil || !bytes.Contains(out, []byte("stack overflow")) {
		t.Errorf("%v\n%.2000s", err, out)
	}
	// The runtime, or the race detector, may notice or not.
	out, err := asChild(t, "changing")
	noticed := bytes.Contains(out, []byte("fatal error: concurrent map")) || bytes.Contains(out, []byte("DATA RACE"))
	if err != nil && !noticed || bytes.Contains(out, []byte("is not JSON")) {
		t.Errorf("%v\n%.2000s", err, out)
	}
}

// asChild runs TestWhatIsNotContained in a process of its own.
func asChild(t *testing.T, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestWhatIsNotContained$")
	c.Env = append(os.Environ(), childVariable+"="+name)
	return c.CombinedOutput()
}

// encodeWhileChanging encodes maps that another goroutine changes: as long as
// the process lives, each output must be valid.
func encodeWhileChanging(t *testing.T) {
	for range 100 {
		m := map[string]any{}
		var wait sync.WaitGroup
		wait.Go(func() {
			for i := range 100 {
				m[strconv.Itoa(i)] = i
			}
		})
		for range 10 {
			if out, _ := surejson.Marshal(m); !json.Valid(out) {
				t.Errorf("%s is not JSON", out)
			}
		}
		wait.Wait()
	}
}
