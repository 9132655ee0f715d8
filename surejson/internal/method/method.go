// Package method calls methods of values it knows nothing of, so that what
// they do wrong becomes part of the outcome.
package method

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/surewire/surewire/surejson/internal/contain"
	"github.com/surewire/surewire/surejson/internal/memory"
	"github.com/surewire/surewire/surejson/internal/output"
)

// A Kind is which method is called.
type Kind uint8

// The methods that are called.
const (
	JSON   Kind = iota // MarshalJSON
	Text               // MarshalText
	Append             // AppendText
	String             // String
	Error              // Error
	Zero               // IsZero
)

// zeroer is what decides for the option omitzero.
type zeroer interface{ IsZero() bool }

// Interfaces are the interfaces of the methods, by Kind.
var Interfaces = [...]reflect.Type{
	JSON:   reflect.TypeFor[json.Marshaler](),
	Text:   reflect.TypeFor[encoding.TextMarshaler](),
	Append: reflect.TypeFor[encoding.TextAppender](),
	String: reflect.TypeFor[fmt.Stringer](),
	Error:  reflect.TypeFor[error](),
	Zero:   reflect.TypeFor[zeroer](),
}

// A Method is one method of a type, and what is known of its manners.
type Method struct {
	Kind  Kind
	t     reflect.Type
	b     memory.Binding
	clone bool // it has a pointer receiver and must get a copy
	Guard
}

// known holds every Method there is, so that what is known of its manners is
// known once.
var known sync.Map // of *Method by identity

// identity names a Method.
type identity struct {
	kind      Kind
	t         reflect.Type
	addressed bool
}

// Of returns the method of t, or nil if neither t nor *t has it. A method
// with a pointer receiver gets a copy of a value that is not addressed.
func Of(kind Kind, t reflect.Type, addressed bool) *Method {
	if !reflect.PointerTo(t).Implements(Interfaces[kind]) {
		return nil
	}
	id := identity{kind, t, addressed}
	if m, ok := known.Load(id); ok {
		return m.(*Method)
	}
	clone := !addressed && !t.Implements(Interfaces[kind])
	m, _ := known.LoadOrStore(id, &Method{Kind: kind, t: t, clone: clone, b: binders[kind](t)})
	return m.(*Method)
}

// binders bind the interfaces of the methods, by Kind.
var binders = [...]func(reflect.Type) memory.Binding{
	JSON:   memory.Bind[json.Marshaler],
	Text:   memory.Bind[encoding.TextMarshaler],
	Append: memory.Bind[encoding.TextAppender],
	String: memory.Bind[fmt.Stringer],
	Error:  memory.Bind[error],
	Zero:   memory.Bind[zeroer],
}

// Marshaler returns the method by which encoding/json writes values of type
// t or, where that writes fields for want of an address, the method of *t;
// and AppendText for want of MarshalText. It returns nil if t has none.
func Marshaler(t reflect.Type, addressed bool) *Method {
	for _, receiver := range []reflect.Type{t, reflect.PointerTo(t)} {
		if addressed {
			receiver = reflect.PointerTo(t)
		}
		for _, kind := range []Kind{JSON, Text, Append} {
			if receiver.Implements(Interfaces[kind]) {
				return Of(kind, t, addressed)
			}
		}
	}
	return nil
}

// yes is what a call of IsZero gives for true; nil is false.
var yes = []byte("zero")

// Call calls the method on the value at p and returns what it gives as bytes
// that must not be changed. It returns whatever the method does short of
// stopping the process; see Guard for the one exception. With a timeout
// above zero every call has a goroutine of its own, which is left behind when
// the time is over.
func (m *Method) Call(p memory.Ref, timeout time.Duration) (given []byte, fault *Fault) {
	if m.clone {
		p = memory.Copy(p, m.t)
	}
	if timeout == 0 && (!contain.On || m.trusted()) {
		return m.here(p)
	}
	given, fault = Apart(timeout, func() ([]byte, *Fault) { return m.here(p) })
	m.learn(fault)
	return given, fault
}

// here calls the method on this goroutine.
func (m *Method) here(p memory.Ref) (given []byte, fault *Fault) {
	returned := false
	if contain.On {
		defer func() {
			if !returned {
				fault = m.caught(recover())
			}
		}()
	}
	var err error
	switch m.Kind {
	case JSON:
		given, err = memory.As[json.Marshaler](m.b, p).MarshalJSON()
	case Text:
		given, err = memory.As[encoding.TextMarshaler](m.b, p).MarshalText()
	case Append:
		given, err = memory.As[encoding.TextAppender](m.b, p).AppendText(nil)
	case String:
		given = memory.Bytes(memory.As[fmt.Stringer](m.b, p).String())
	case Error:
		given = memory.Bytes(memory.As[error](m.b, p).Error())
	case Zero:
		if memory.As[zeroer](m.b, p).IsZero() {
			given = yes
		}
	}
	returned = true
	if err != nil {
		return nil, &Fault{output.MethodError, Describe(err)}
	}
	return given, nil
}
