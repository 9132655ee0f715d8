package surejson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Enums of several shapes.
type (
	state      int
	smallState uint8
	idNumber   int64
	unnamed    int
	panicEnum  int
	exitEnum   int
	textEnum   int
	ptrEnum    int32
	bigEnum    uint64
	badUTF8    int
)

func (s state) String() string {
	if names := []string{"connecting", "connected", "disconnected"}; int(s) >= 0 && int(s) < len(names) {
		return names[s]
	}
	return "state(" + strconv.Itoa(int(s)) + ")"
}

func (s smallState) String() string {
	if names := []string{"connecting", "open", "closing", "closed"}; int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("smallState(%d)", uint8(s))
}

func (n idNumber) String() string             { return strconv.FormatInt(int64(n), 10) }
func (unnamed) String() string                { return "" }
func (panicEnum) String() string              { panic("no name") }
func (exitEnum) String() string               { runtime.Goexit(); return "" }
func (textEnum) String() string               { return "never" }
func (textEnum) MarshalText() ([]byte, error) { return []byte("marshaled"), nil }
func (e *ptrEnum) String() string             { return "by pointer " + strconv.Itoa(int(*e)) }
func (bigEnum) String() string                { return "big" }
func (badUTF8) String() string                { return "a\xffb" }

// Methods that misbehave.
type (
	jsonError     struct{ A int }
	jsonPanic     struct{ A int }
	jsonNilDeref  struct{ P *int }
	jsonExit      struct{}
	jsonLateExit  struct{ Exit bool }
	jsonBlocks    struct{}
	jsonText      string // MarshalJSON returns it as it is
	jsonNil       struct{}
	textError     struct{}
	textPanic     struct{}
	textExit      struct{}
	textBad       struct{}
	appendOnly    struct{ A int }
	appendError   struct{}
	jsonWeird     struct{ v any } // panics with v
	weirdError    struct{}
	errorPanics   struct{ Code int }
	errorExits    struct{ Code int }
	errorExported struct{ Code int }
	errorPointer  struct{ Code int }
	errorJSON     struct{}
	zeroPanics    struct{ N int }
	mutator       struct{ m map[string]any }
	opaque        struct{ secret int }
	opaquePtr     struct{ secret int }
	opaquePanics  struct{ secret int }
	chanString    chan int
	keyError      struct{ N int }
	keyPanics     struct{ N int }
	errText       struct{}
)

func (jsonError) MarshalJSON() ([]byte, error) { return []byte(`"x"`), errors.New("no luck") }
func (jsonPanic) MarshalJSON() ([]byte, error) { panic(errors.New("boom")) }
func (j jsonNilDeref) MarshalJSON() ([]byte, error) {
	return []byte(strconv.Itoa(*j.P)), nil
}
func (jsonExit) MarshalJSON() ([]byte, error) { runtime.Goexit(); return nil, nil }
func (j jsonLateExit) MarshalJSON() ([]byte, error) {
	if j.Exit {
		runtime.Goexit()
	}
	return []byte("true"), nil
}
func (jsonBlocks) MarshalJSON() ([]byte, error)         { select {} }
func (j jsonText) MarshalJSON() ([]byte, error)         { return []byte(j), nil }
func (jsonNil) MarshalJSON() ([]byte, error)            { return nil, nil }
func (textError) MarshalText() ([]byte, error)          { return nil, errors.New("no text") }
func (textPanic) MarshalText() ([]byte, error)          { panic(42) }
func (textExit) MarshalText() ([]byte, error)           { runtime.Goexit(); return nil, nil }
func (textBad) MarshalText() ([]byte, error)            { return []byte("a\xff\"b"), nil }
func (appendOnly) AppendText(b []byte) ([]byte, error)  { return append(b, "appended"...), nil }
func (appendError) AppendText(b []byte) ([]byte, error) { return b, errors.New("no") }
func (j jsonWeird) MarshalJSON() ([]byte, error)        { panic(j.v) }
func (weirdError) Error() string                        { panic("error in error") }
func (errorPanics) Error() string                       { panic("no text") }
func (errorExits) Error() string                        { runtime.Goexit(); return "" }
func (errorExported) Error() string                     { return "exported" }
func (e *errorPointer) Error() string                   { return "code " + strconv.Itoa(e.Code) }
func (errorJSON) Error() string                         { return "never" }
func (errorJSON) MarshalJSON() ([]byte, error)          { return []byte(`{"err":1}`), nil }
func (zeroPanics) IsZero() bool                         { panic("zero?") }
func (m mutator) MarshalJSON() ([]byte, error) {
	for i := range 100 {
		m.m[strconv.Itoa(i)] = i
	}
	return []byte(`"mutated"`), nil
}
func (opaque) String() string                  { return "opaque(1)" }
func (*opaquePtr) String() string              { return "by pointer" }
func (opaquePanics) String() string            { panic("opaque") }
func (chanString) String() string              { return "a channel" }
func (keyError) MarshalText() ([]byte, error)  { return nil, errors.New("no key") }
func (keyPanics) MarshalText() ([]byte, error) { panic("no key") }
func (errText) Error() string                  { return "bad \xff text" }

// Shapes.
type (
	ring    struct{ Next *ring }
	tree    struct{ L, R *tree }
	selfPtr *selfPtr
	selfSli []selfSli
	selfMap map[string]selfMap
	dag     struct{ A, B any }
	chain   struct{ Next *chain }

	embedsMarshaler struct {
		json.Marshaler
		N int
	}
	embedsTime struct {
		*time.Time
		N int
	}
	embedsError struct {
		error
		Code int `json:"code"`
	}
	embedsNothing struct {
		*tree
		N int
	}
	protoTime struct {
		Seconds int64 `json:"seconds,omitempty"`
		Nanos   int32 `json:"nanos,omitempty"`
	}
	genericBox[T any] struct{ V T }
	handler           struct {
		Name string        `json:"name"`
		Do   func() error  `json:"do"`
		Done chan struct{} `json:"done"`
	}
)

// multiplied returns a value of 2^levels equal leaves in little memory.
func multiplied(levels int, leaf any) any {
	v := leaf
	for range levels {
		v = []any{v, v}
	}
	return v
}

// nested returns an array in an array, levels deep.
func nested(levels int) any {
	var v any
	for range levels {
		v = []any{v}
	}
	return v
}

// wrapped returns what nested(levels) becomes, with null innermost.
func wrapped(levels int) string {
	return strings.Repeat("[", levels) + "null" + strings.Repeat("]", levels)
}

// linked returns a linked list.
func linked(n int) *chain {
	var c *chain
	for range n {
		c = &chain{c}
	}
	return c
}

// pointers returns a chain of n pointers to interfaces.
func pointers(n int) any {
	var v any = "end"
	for range n {
		next := v
		v = &next
	}
	return v
}

// duplicates returns a struct with two fields of one name and one other.
func duplicates() any {
	t := reflect.StructOf([]reflect.StructField{
		{Name: "A", Type: reflect.TypeFor[int](), Tag: `json:"x"`},
		{Name: "B", Type: reflect.TypeFor[int](), Tag: `json:"x"`},
		{Name: "C", Type: reflect.TypeFor[int]()},
	})
	return reflect.New(t).Interface()
}
