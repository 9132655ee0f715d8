package plan

import (
	"reflect"

	"github.com/surewire/surewire/surejson/internal/memory"
	"github.com/surewire/surewire/surejson/internal/method"
	"github.com/surewire/surewire/surejson/internal/output"
	"github.com/surewire/surewire/surejson/internal/reach"
	"github.com/surewire/surewire/surejson/internal/token"
)

// anything appends the value in the interface{} at p. The types that decoded
// JSON and event maps are made of go first.
func anything(w *output.Writer, b []byte, p memory.Ref) []byte {
	switch v := memory.Load[any](p).(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return w.ShortText(b, v, stringType)
	case float64:
		return w.Float(b, v, 64, floatType)
	case int:
		return w.Int(b, int64(v), intType)
	case bool:
		if v {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	default:
		pl := Of(reflect.TypeOf(v))
		return pl.run(w, b, memory.Inside(p, pl.direct))
	}
}

var (
	stringType = reflect.TypeFor[string]()
	floatType  = reflect.TypeFor[float64]()
	intType    = reflect.TypeFor[int]()
)

// interfaceEncoding writes the value in an interface.
func interfaceEncoding(p *Plan) appender {
	if p.t.NumMethod() == 0 {
		return anything
	}
	demanded := method.Error // no method that marshals
	for _, kind := range []method.Kind{method.Text, method.JSON} {
		if p.t.Implements(method.Interfaces[kind]) {
			demanded = kind
		}
	}
	return func(w *output.Writer, b []byte, p memory.Ref) []byte {
		v := memory.Dynamic(p, false)
		if v == nil {
			return append(b, "null"...)
		}
		t := reflect.TypeOf(v)
		if demanded != method.Error {
			if m, at := demandedMethod(demanded, t, p); m != nil {
				return marshalerEncoding(Of(t), m)(w, b, at)
			}
		}
		pl := Of(t)
		return pl.run(w, b, memory.Inside(p, pl.direct))
	}
}

// demandedMethod returns the method that the type of the interface at p
// demands of a value of type t, where t alone would be written otherwise: nil
// with a method for pointers, and MarshalText where there is MarshalJSON too.
func demandedMethod(kind method.Kind, t reflect.Type, p memory.Ref) (*method.Method, memory.Ref) {
	at := memory.Inside(p, memory.IsDirect(t))
	if t.Kind() == reflect.Pointer {
		q, ok := memory.Target(at)
		if ok && kind == method.Text && t.Implements(method.Interfaces[method.JSON]) || !ok && !t.Elem().Implements(method.Interfaces[kind]) {
			return method.Of(kind, t.Elem(), true), q
		}
		return nil, at
	}
	if kind == method.Text && t.Implements(method.Interfaces[method.JSON]) {
		return method.Of(kind, t, false), at
	}
	return nil, at
}

// pointer writes what a pointer leads to. A pointer to a pointer or to an
// interface counts as nesting, since a chain of them may be of any length.
func (c *compiler) pointer(p *Plan) appender {
	t, id := p.t.Elem(), memory.TypeIdentity(p.t)
	elem := c.plan(t, true)
	p.tracked = reach.Itself(p.t)
	follow := func(w *output.Writer, b []byte, q memory.Ref) []byte { return elem.run(w, b, q) }
	simple := true
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		follow, simple = chained(p, elem), false
	}
	if p.t.Implements(errorType) && method.Marshaler(t, true) == nil && t.Kind() != reflect.Interface {
		follow, simple = textEncoding(elem, method.Of(method.Error, t, true), follow), false
	}
	if simple && !p.tracked {
		p.brief = elem.brief
		return func(w *output.Writer, b []byte, at memory.Ref) []byte {
			if q, ok := memory.Target(at); ok {
				return elem.run(w, b, q)
			}
			return append(b, "null"...)
		}
	}
	return func(w *output.Writer, b []byte, at memory.Ref) []byte {
		q, ok := memory.Target(at)
		if !ok {
			return append(b, "null"...)
		}
		if p.tracked && !w.Enter(output.Ancestor{At: memory.Identity(q), Type: id}) {
			return w.Replace(b, p.t, output.Cycle, "")
		}
		b = follow(w, b, q)
		if p.tracked {
			w.Leave()
		}
		return b
	}
}

// chained writes what a pointer to a pointer or to an interface leads to.
func chained(p, elem *Plan) appender {
	return func(w *output.Writer, b []byte, q memory.Ref) []byte {
		if !w.Descend(b) {
			return w.Refuse(b, p.t)
		}
		b = elem.run(w, b, q)
		w.Ascend()
		return b
	}
}

// slice writes an array of the elements, or base64.
func (c *compiler) slice(p *Plan) appender {
	t, id := p.t, memory.TypeIdentity(p.t)
	elem := c.plan(t.Elem(), true)
	p.tracked = reach.Itself(t)
	values := func(w *output.Writer, b []byte, at memory.Ref) []byte {
		base, n := memory.Elements(at)
		if n == 0 {
			if memory.IsNil(at) && !w.NilAsEmpty {
				return append(b, "null"...)
			}
			return append(b, "[]"...)
		}
		if !p.tracked {
			return list(w, b, t, elem, base, n)
		}
		if !w.Enter(output.Ancestor{At: memory.Identity(base), Len: n, Type: id}) {
			return w.Replace(b, t, output.Cycle, "")
		}
		b = list(w, b, t, elem, base, n)
		w.Leave()
		return b
	}
	if t.Elem().Kind() != reflect.Uint8 || method.Marshaler(t.Elem(), true) != nil {
		return values
	}
	enum := enumMethod(t.Elem(), true) != nil
	return func(w *output.Writer, b []byte, at memory.Ref) []byte {
		if enum && !w.EnumNumbers {
			return values(w, b, at)
		}
		if memory.IsNil(at) {
			if w.NilAsEmpty {
				return append(b, `""`...)
			}
			return append(b, "null"...)
		}
		return w.Bytes(b, memory.Load[[]byte](at), t)
	}
}

// array writes an array of the elements.
func (c *compiler) array(p *Plan, addressed bool) appender {
	n := p.t.Len()
	if n == 0 {
		return func(w *output.Writer, b []byte, at memory.Ref) []byte { return append(b, "[]"...) }
	}
	elem := c.plan(p.t.Elem(), addressed)
	return func(w *output.Writer, b []byte, at memory.Ref) []byte {
		return list(w, b, p.t, elem, at, n)
	}
}

// list appends the n elements, at least one, of a slice or array of type t.
// Each element brings its comma; the first one's becomes the bracket.
func list(w *output.Writer, b []byte, t reflect.Type, elem *Plan, base memory.Ref, n int) []byte {
	if !w.Descend(b) {
		return w.Refuse(b, t)
	}
	in, size := len(b), elem.t.Size()
	for i := range n {
		p := memory.Element(base, i, size)
		if elem.op == opString && w.Ample(b) {
			if out, ok := token.Comma.AppendPlain(b, memory.Load[string](p), w.HTML); ok {
				b = out
				continue
			}
		}
		if elem.brief && w.Ample(b) {
			b = elem.run(w, append(b, ','), p)
			continue
		}
		start, tally := len(b), w.Tally()
		b = append(b, ',')
		b = elem.run(w, b, p)
		if w.Over(b) {
			var stop bool
			it, p := output.ItemAt(start, start+1, tally), memory.Element(base, i, size)
			if b, stop = spill(w, b, it, p, elem.t, t, in); stop {
				break
			}
		}
	}
	w.Ascend()
	if len(b) == in {
		return append(b, "[]"...)
	}
	b[in] = '['
	return append(b, ']')
}

// spill is the Writer's, for an item at p.
func spill(w *output.Writer, b []byte, it output.Item, p memory.Ref, t, in reflect.Type, at int) ([]byte, bool) {
	if t.Kind() == reflect.Interface {
		t = reflect.TypeOf(memory.Dynamic(p, t.NumMethod() == 0))
	}
	return w.Spill(b, it, t, in, at)
}
