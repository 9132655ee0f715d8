package surejson

import (
	"reflect"

	"github.com/surewire/surewire/surejson/internal/token"
)

// any appends the value in the interface{} at p. The types that decoded JSON
// and event maps are made of go first.
func (w *writer) any(b []byte, p ref) []byte {
	switch v := load[any](p).(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return w.text(b, v, stringType)
	case float64:
		return w.float(b, v, 64, floatType)
	case int:
		return w.int(b, int64(v), intType)
	case bool:
		if v {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	default:
		pl := planOf(reflect.TypeOf(v))
		return pl.run(w, b, inside(p, pl.direct))
	}
}

var (
	stringType = reflect.TypeFor[string]()
	floatType  = reflect.TypeFor[float64]()
	intType    = reflect.TypeFor[int]()
)

// interfaceEncoding writes the value in an interface.
func interfaceEncoding(p *plan) appender {
	if p.t.NumMethod() == 0 {
		return (*writer).any
	}
	return func(w *writer, b []byte, p ref) []byte {
		v := dynamic(p, false)
		if v == nil {
			return append(b, "null"...)
		}
		pl := planOf(reflect.TypeOf(v))
		return pl.run(w, b, inside(p, pl.direct))
	}
}

// pointer writes what a pointer leads to. A pointer to a pointer or to an
// interface counts as nesting, since a chain of them may be of any length.
func (c *compiler) pointer(p *plan) appender {
	t := p.t.Elem()
	elem := c.plan(t, true)
	p.tracked = mayLoop(p.t)
	follow := func(w *writer, b []byte, q ref) []byte { return elem.run(w, b, q) }
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		follow = chained(p, elem)
	}
	if p.t.Implements(errorType) && marshalerOf(t, true) == nil && t.Kind() != reflect.Interface {
		follow = errorEncoding(elem, newMethod(callError, t, true), follow)
	}
	return func(w *writer, b []byte, at ref) []byte {
		q, ok := target(at)
		if !ok {
			return append(b, "null"...)
		}
		if !p.tracked {
			return follow(w, b, q)
		}
		if !w.enter(ancestor{identity(q), 0, p}) {
			return w.replace(b, p.t, Cycle, "")
		}
		b = follow(w, b, q)
		w.leave()
		return b
	}
}

// chained writes what a pointer to a pointer or to an interface leads to.
func chained(p, elem *plan) appender {
	return func(w *writer, b []byte, q ref) []byte {
		if !w.descend(b) {
			return w.refuse(b, p.t)
		}
		b = elem.run(w, b, q)
		w.depth--
		return b
	}
}

// slice writes an array of the elements, or base64.
func (c *compiler) slice(p *plan) appender {
	t := p.t
	elem := c.plan(t.Elem(), true)
	p.tracked = mayLoop(t)
	list := func(w *writer, b []byte, at ref) []byte {
		base, n := elements(at)
		if n > 0 {
			if out := w.open(b, p, identity(base), n); out != nil {
				return out
			}
			b = w.list(b, elem, base, n)
			w.shut(p)
			return b
		}
		if isNil(at) && !w.nilEmpty {
			return append(b, "null"...)
		}
		return append(b, "[]"...)
	}
	if t.Elem().Kind() != reflect.Uint8 || marshalerOf(t.Elem(), true) != nil {
		return list
	}
	enum := enumMethod(t.Elem(), true) != nil
	return func(w *writer, b []byte, at ref) []byte {
		if enum && !w.enumNumber {
			return list(w, b, at)
		}
		if isNil(at) {
			if w.nilEmpty {
				return append(b, `""`...)
			}
			return append(b, "null"...)
		}
		return w.bytes(b, load[[]byte](at), t)
	}
}

// array writes an array of the elements.
func (c *compiler) array(p *plan, addressed bool) appender {
	n := p.t.Len()
	if n == 0 {
		return func(w *writer, b []byte, at ref) []byte { return append(b, "[]"...) }
	}
	elem := c.plan(p.t.Elem(), addressed)
	return func(w *writer, b []byte, at ref) []byte {
		if !w.descend(b) {
			return w.refuse(b, p.t)
		}
		b = w.list(b, elem, at, n)
		w.depth--
		return b
	}
}

// list appends n elements, n at least one, as an array.
func (w *writer) list(b []byte, elem *plan, base ref, n int) []byte {
	in, size, run := len(b), elem.t.Size(), elem.run
	b = append(b, '[')
	for i := range n {
		item, s := len(b), w.save()
		if i > 0 {
			b = append(b, ',')
		}
		value := len(b)
		b = run(w, b, element(base, i, size))
		if w.over(b) {
			var stop bool
			if b, stop = w.spill(b, elem.t, in, item, value, s); stop {
				break
			}
		}
	}
	return append(b, ']')
}

// name returns a member name as it stands in an object, after a comma.
func name(s string, html bool) string {
	b, _ := token.AppendString([]byte{','}, s, html)
	return string(append(b, ':'))
}
