package plan

import (
	"reflect"
	"sync"

	"github.com/surewire/surewire/surejson/internal/memory"
	"github.com/surewire/surewire/surejson/internal/output"
	"github.com/surewire/surewire/surejson/internal/reach"
	"github.com/surewire/surewire/surejson/internal/token"
)

// mapping writes an object with its members sorted by name.
func (c *compiler) mapping(p *Plan) appender {
	p.tracked = reach.Itself(p.t)
	t, id := p.t, memory.TypeIdentity(p.t)
	body := c.mapBody(p)
	return func(w *output.Writer, b []byte, at memory.Ref) []byte {
		if memory.IsNil(at) && !w.NilAsEmpty {
			return append(b, "null"...)
		}
		if !p.tracked {
			return body(w, b, at)
		}
		if !w.Enter(output.Ancestor{At: memory.MapIdentity(at), Type: id}) {
			return w.Replace(b, t, output.Cycle, "")
		}
		b = body(w, b, at)
		w.Leave()
		return b
	}
}

// mapBody writes the members of a map: the commonest kinds of maps without
// reflection.
func (c *compiler) mapBody(p *Plan) appender {
	t := p.t
	elem := c.plan(t.Elem(), false)
	keys := keyTextOf(t.Key())
	spare := &sync.Pool{New: func() any { return new(columns) }}
	general := func(w *output.Writer, b []byte, at memory.Ref) []byte {
		return members(w, b, p, elem, keys, spare, memory.Reflect(at, t))
	}
	if t.Key().Kind() == reflect.String {
		switch t.Elem() {
		case anyType:
			return func(w *output.Writer, b []byte, at memory.Ref) []byte {
				if out, ok := pairs(w, b, memory.Load[map[string]any](at), &w.Anys, elem, t); ok {
					return out
				}
				return general(w, b, at)
			}
		case stringType:
			return func(w *output.Writer, b []byte, at memory.Ref) []byte {
				if out, ok := pairs(w, b, memory.Load[map[string]string](at), &w.Strings, elem, t); ok {
					return out
				}
				return general(w, b, at)
			}
		}
	}
	return general
}

var anyType = reflect.TypeFor[any]()

// pairs appends the members of a map of type t, by way of a stack of the
// Writer. It does nothing, and ok is false, if a name is not UTF-8: mending it
// may make it equal to another.
func pairs[V any](w *output.Writer, b []byte, m map[string]V, stack *[]output.Pair[V], elem *Plan, t reflect.Type) (out []byte, ok bool) {
	if !w.Descend(b) {
		return w.Refuse(b, t), true
	}
	in, first, ranks := len(b), len(*stack), len(w.Ranks)
	ok = true
	piled, order := *stack, w.Ranks
	for k, v := range m {
		r, valid := output.NewRank(k, len(piled))
		ok = ok && valid
		order = append(order, r)
		piled = append(piled, output.Pair[V]{Name: k, Value: v})
	}
	output.Sort(order[ranks:], piled)
	*stack, w.Ranks = piled, order
	for i := 0; ok && i < len(*stack)-first; i++ {
		kv := &(*stack)[w.Ranks[ranks+i].Index]
		p := memory.At(&kv.Value)
		start, tally := len(b), w.Tally()
		b = w.Name(b, kv.Name)
		if elem.op == opString && w.Ample(b) {
			if out, ok := token.None.AppendPlain(b, memory.Load[string](p), w.HTML); ok {
				b = out
				continue
			}
		}
		b = elem.run(w, b, p)
		if w.Over(b) {
			var stop bool
			it := output.ItemAt(start, start+len(w.Name(nil, kv.Name)), tally)
			if b, stop = spill(w, b, it, p, elem.t, t, in); stop {
				break
			}
		}
	}
	clear((*stack)[first:])
	*stack, w.Ranks = (*stack)[:first], w.Ranks[:ranks]
	w.Ascend()
	if !ok {
		return b, false
	}
	return closeObject(b, in), true
}

// columns are the keys and values of a map while it is written, as slices.
type columns struct{ keys, values reflect.Value }

// fill copies the members of m.
func (c *columns) fill(m reflect.Value) {
	n := m.Len()
	if !c.keys.IsValid() || c.keys.Len() < n {
		c.keys = reflect.MakeSlice(reflect.SliceOf(m.Type().Key()), n, n)
		c.values = reflect.MakeSlice(reflect.SliceOf(m.Type().Elem()), n, n)
	}
	iter := m.MapRange()
	for i := 0; i < n && iter.Next(); i++ {
		c.keys.Index(i).SetIterKey(iter)
		c.values.Index(i).SetIterValue(iter)
	}
}

// members appends the members of any map.
func members(w *output.Writer, b []byte, p, elem *Plan, text keyText, spare *sync.Pool, m reflect.Value) []byte {
	if !w.Descend(b) {
		return w.Refuse(b, p.t)
	}
	in, first, room := len(b), len(w.Keys), w.Room(b)
	c := spare.Get().(*columns)
	n := m.Len()
	if n > 0 {
		c.fill(m)
	}
	for i := range n {
		k := text(w, memory.Of(c.keys.Index(i)), room)
		k.Index = i
		room -= len(k.Name)
		w.Keys = append(w.Keys, k)
	}
	output.Arrange(w.Keys[first:])
	for j := range n {
		it := w.Begin(b)
		k := &w.Keys[first+j]
		if k.Reason != 0 {
			if k.Type == nil {
				k.Type = p.t.Key()
			}
			w.Note(len(b)+1, k.Type, k.Reason, k.Detail)
		}
		b = w.Name(b, k.Name)
		it.Value(b)
		q := memory.Of(c.values.Index(k.Index))
		b = elem.run(w, b, q)
		if w.Over(b) {
			var stop bool
			if b, stop = spill(w, b, it, q, elem.t, p.t, in); stop {
				break
			}
		}
	}
	if n > 0 {
		c.keys.Clear()
		c.values.Clear()
	}
	spare.Put(c)
	clear(w.Keys[first:])
	w.Keys = w.Keys[:first]
	w.Ascend()
	return closeObject(b, in)
}
