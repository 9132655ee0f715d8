// Package omit is the options omitempty and omitzero.
package omit

import (
	"reflect"

	"github.com/surewire/surewire/surejson/internal/fields"
	"github.com/surewire/surewire/surejson/internal/memory"
	"github.com/surewire/surewire/surejson/internal/method"
	"github.com/surewire/surewire/surejson/internal/output"
)

var (
	stringType = reflect.TypeFor[string]()
	anyType    = reflect.TypeFor[any]()
)

// Of returns what tells whether the options leave the field out, nil
// if they never do.
func Of(f fields.Field, addressed bool) func(w *output.Writer, at int, p memory.Ref) bool {
	var empty, zero func(w *output.Writer, at int, p memory.Ref) bool
	if f.OmitEmpty {
		empty = emptiness(f.Type)
	}
	if f.OmitZero {
		zero = zeroness(f.Type, addressed)
	}
	switch {
	case zero == nil:
		return empty
	case empty == nil:
		return zero
	}
	return func(w *output.Writer, at int, p memory.Ref) bool { return empty(w, at, p) || zero(w, at, p) }
}

// emptiness is the option omitempty.
func emptiness(t reflect.Type) func(w *output.Writer, at int, p memory.Ref) bool {
	switch t.Kind() {
	case reflect.Bool:
		return func(_ *output.Writer, _ int, p memory.Ref) bool { return !memory.Load[bool](p) }
	case reflect.String:
		return func(_ *output.Writer, _ int, p memory.Ref) bool { return memory.Load[string](p) == "" }
	case reflect.Int:
		return func(_ *output.Writer, _ int, p memory.Ref) bool { return memory.Load[int](p) == 0 }
	case reflect.Slice:
		return func(_ *output.Writer, _ int, p memory.Ref) bool { _, n := memory.Elements(p); return n == 0 }
	case reflect.Pointer:
		return func(_ *output.Writer, _ int, p memory.Ref) bool { return memory.IsNil(p) }
	case reflect.Map:
		if t.Key().Kind() == reflect.String && t.Elem() == stringType {
			return func(_ *output.Writer, _ int, p memory.Ref) bool { return len(memory.Load[map[string]string](p)) == 0 }
		}
		if t.Key().Kind() == reflect.String && t.Elem() == anyType {
			return func(_ *output.Writer, _ int, p memory.Ref) bool { return len(memory.Load[map[string]any](p)) == 0 }
		}
		return func(_ *output.Writer, _ int, p memory.Ref) bool {
			return memory.IsNil(p) || memory.Reflect(p, t).Len() == 0
		}
	case reflect.Array:
		return func(_ *output.Writer, _ int, p memory.Ref) bool { return memory.Reflect(p, t).Len() == 0 }
	case reflect.Interface:
		return func(_ *output.Writer, _ int, p memory.Ref) bool { return memory.Reflect(p, t).IsNil() }
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return func(_ *output.Writer, _ int, p memory.Ref) bool { return memory.Reflect(p, t).IsZero() }
	}
	return nil
}

// zeroness is the option omitzero: by the method IsZero if there is one.
func zeroness(t reflect.Type, addressed bool) func(w *output.Writer, at int, p memory.Ref) bool {
	byValue := func(_ *output.Writer, _ int, p memory.Ref) bool { return memory.Reflect(p, t).IsZero() }
	if t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer {
		return indirectZeroness(t, byValue)
	}
	m := method.Of(method.Zero, t, addressed)
	if m == nil {
		return byValue
	}
	return func(w *output.Writer, at int, p memory.Ref) bool {
		given, fault := m.Call(p, w.Timeout)
		if fault != nil {
			w.Note(at+1, t, fault.Reason, fault.Detail)
		}
		return given != nil
	}
}

// indirectZeroness asks what a pointer or interface leads to. Nil is zero.
func indirectZeroness(t reflect.Type, byValue func(*output.Writer, int, memory.Ref) bool) func(*output.Writer, int, memory.Ref) bool {
	if !t.Implements(method.Interfaces[method.Zero]) {
		return byValue
	}
	return func(w *output.Writer, at int, p memory.Ref) bool {
		v := memory.Reflect(p, t)
		if v.IsNil() {
			return true
		}
		if t.Kind() == reflect.Interface {
			v = v.Elem()
		}
		if v.Kind() != reflect.Pointer {
			c := reflect.New(v.Type())
			c.Elem().Set(v)
			v = c
		}
		if v.IsNil() {
			return true
		}
		given, fault := method.Of(method.Zero, v.Type().Elem(), true).Call(memory.Of(v.Elem()), w.Timeout)
		if fault != nil {
			w.Note(at+1, t, fault.Reason, fault.Detail)
		}
		return given != nil
	}
}
