package surejson

import (
	"reflect"
	"strconv"

	"github.com/surewire/surewire/surejson/internal/fields"
	"github.com/surewire/surewire/surejson/internal/token"
)

// An op is how a field is written: the commonest kinds without a call.
type op uint8

const (
	opPlan op = iota
	opString
	opInt
	opBool
	opFloat64
	opAny
)

// A member is a field of a struct ready to be written.
type member struct {
	name     string // with the comma before it and the colon after it
	htmlName string
	step     step
	op       op
	rare     bool // it has an omit or a way through pointers
	p        *plan
	omit     func(w *writer, at int, p ref) bool // nil: never left out
}

// structure writes an object of the fields that encoding/json writes. A
// struct without any is opaque: its String method, if it has one, says more
// than {}.
func (c *compiler) structure(p *plan, addressed bool) appender {
	list := fields.Of(p.t)
	members := make([]member, len(list))
	for i, f := range list {
		members[i] = c.member(p.t, f, addressed)
	}
	object := func(w *writer, b []byte, at ref) []byte { return w.structure(b, p, members, at) }
	if len(members) == 0 {
		object = func(w *writer, b []byte, at ref) []byte { return append(b, "{}"...) }
		if m := newMethod(callString, p.t, addressed); m != nil {
			return fallbackEncoding(p, m, object)
		}
	}
	return object
}

// member prepares one field.
func (c *compiler) member(t reflect.Type, f fields.Field, addressed bool) member {
	m := member{name: name(f.Name, false), htmlName: name(f.Name, true), step: stepTo(t, f.Index)}
	// What an embedded pointer leads to can be addressed.
	addressed = addressed || !m.step.direct()
	m.p = c.plan(f.Type, addressed)
	m.op = opOf(f.Type, m.p)
	if f.Quoted {
		m.p, m.op = quoted(f.Type, m.p, addressed), opPlan
	}
	m.omit = omission(f, addressed)
	m.rare = m.omit != nil || !m.step.direct()
	return m
}

// opOf returns opPlan unless values of type t are written by their kind.
func opOf(t reflect.Type, p *plan) op {
	kind := t.Kind()
	switch {
	case kind == reflect.Interface && t.NumMethod() == 0:
		return opAny
	case t == durationType || t == numberType || reflect.PointerTo(t).NumMethod() > 0:
		return opPlan
	case kind == reflect.String:
		return opString
	case kind == reflect.Int:
		return opInt
	case kind == reflect.Bool:
		return opBool
	case kind == reflect.Float64:
		return opFloat64
	}
	return opPlan
}

// structure appends the struct at p. Each member brings its comma; the first
// one's becomes the brace.
func (w *writer) structure(b []byte, pl *plan, members []member, p ref) []byte {
	if !w.descend(b) {
		return w.refuse(b, pl.t)
	}
	in := len(b)
	for i := range members {
		m := &members[i]
		var q ref
		if m.rare {
			var ok bool
			if q, ok = m.step.follow(p); !ok || m.omit != nil && m.omit(w, len(b), q) {
				continue
			}
		} else {
			q = m.step.field(p)
		}
		item, s := len(b), w.save()
		if w.html {
			b = append(b, m.htmlName...)
		} else {
			b = append(b, m.name...)
		}
		value := len(b)
		switch m.op {
		case opString:
			b = w.text(b, load[string](q), m.p.t)
		case opInt:
			b = w.int(b, int64(load[int](q)), m.p.t)
		case opBool:
			b = strconv.AppendBool(b, load[bool](q))
		case opFloat64:
			b = w.float(b, load[float64](q), 64, m.p.t)
		case opAny:
			b = w.any(b, q)
		default:
			b = m.p.run(w, b, q)
		}
		if w.over(b) {
			var stop bool
			if b, stop = w.spill(b, m.p.t, in, item, value, s); stop {
				break
			}
		}
	}
	w.depth--
	return closeObject(b, in)
}

// closeObject ends an object whose first member's comma is at the offset in.
func closeObject(b []byte, in int) []byte {
	if len(b) == in {
		return append(b, "{}"...)
	}
	b[in] = '{'
	return append(b, '}')
}

// omission returns what tells whether the options leave the field out, nil
// if they never do.
func omission(f fields.Field, addressed bool) func(w *writer, at int, p ref) bool {
	var empty, zero func(w *writer, at int, p ref) bool
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
	return func(w *writer, at int, p ref) bool { return empty(w, at, p) || zero(w, at, p) }
}

// emptiness is the option omitempty.
func emptiness(t reflect.Type) func(w *writer, at int, p ref) bool {
	switch t.Kind() {
	case reflect.Bool:
		return func(_ *writer, _ int, p ref) bool { return !load[bool](p) }
	case reflect.String:
		return func(_ *writer, _ int, p ref) bool { return load[string](p) == "" }
	case reflect.Int:
		return func(_ *writer, _ int, p ref) bool { return load[int](p) == 0 }
	case reflect.Slice:
		return func(_ *writer, _ int, p ref) bool { _, n := elements(p); return n == 0 }
	case reflect.Pointer:
		return func(_ *writer, _ int, p ref) bool { return isNil(p) }
	case reflect.Map, reflect.Array:
		return func(_ *writer, _ int, p ref) bool { return reflected(p, t).Len() == 0 }
	case reflect.Interface:
		return func(_ *writer, _ int, p ref) bool { return reflected(p, t).IsNil() }
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return func(_ *writer, _ int, p ref) bool { return reflected(p, t).IsZero() }
	}
	return nil
}

// zeroness is the option omitzero: by the method IsZero if there is one.
func zeroness(t reflect.Type, addressed bool) func(w *writer, at int, p ref) bool {
	byValue := func(_ *writer, _ int, p ref) bool { return reflected(p, t).IsZero() }
	if t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer {
		return indirectZeroness(t, byValue)
	}
	m := newMethod(callZero, t, addressed)
	if m == nil {
		return byValue
	}
	return func(w *writer, at int, p ref) bool {
		o := w.call(m, p)
		if o.failed != 0 {
			w.note(at+1, t, o.failed, o.detail)
		}
		return o.zero
	}
}

// indirectZeroness asks what a pointer or interface leads to. Nil is zero.
func indirectZeroness(t reflect.Type, byValue func(*writer, int, ref) bool) func(*writer, int, ref) bool {
	if !t.Implements(methodTypes[callZero]) {
		return byValue
	}
	return func(w *writer, at int, p ref) bool {
		v := reflected(p, t)
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
		o := w.call(newMethod(callZero, v.Type().Elem(), true), refOf(v.Elem()))
		if o.failed != 0 {
			w.note(at+1, t, o.failed, o.detail)
		}
		return o.zero
	}
}

// quoted is the plan for the option string: the scalar in a string. Types
// with methods of their own, and nil, are as without it.
func quoted(t reflect.Type, plain *plan, addressed bool) *plan {
	base := t
	if t.Kind() == reflect.Pointer {
		base = t.Elem()
	}
	if base != numberType && (marshalerOf(base, addressed) != nil || base.Implements(errorType)) {
		return plain
	}
	p := *plain
	p.run = func(w *writer, b []byte, at ref) []byte {
		start := len(b)
		b = plain.run(w, b, at)
		switch c := b[start]; {
		case c == 'n':
			return b
		case c != '"':
			b = append(b, 0)
			copy(b[start+1:], b[start:])
			b[start] = '"'
			return append(b, '"')
		case base.Kind() != reflect.String || base == numberType:
			return b // an enum's name, or a repair
		}
		inner := string(b[start:])
		out, _ := token.AppendString(b[:start], inner, false)
		return out
	}
	return &p
}
