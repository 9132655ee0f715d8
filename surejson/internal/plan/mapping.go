package plan

import (
	"reflect"
	"sync"

	"github.com/surewire/surewire/surejson/internal/memory"
	"github.com/surewire/surewire/surejson/internal/output"
)

// mapping writes an object with its members sorted by name.
func (c *compiler) mapping(p *Plan) appender {
	p.tracked = mayLoop(p.t)
	t := p.t
	body := func(w *output.Writer, b []byte, at memory.Ref) []byte {
		return stringMap(w, b, p, memory.Load[map[string]any](at))
	}
	if t.Elem() != anyType || t.Key().Kind() != reflect.String {
		elem := c.plan(t.Elem(), false)
		keys := keyTextOf(t.Key())
		spare := &sync.Pool{New: func() any { return &columns{} }}
		body = func(w *output.Writer, b []byte, at memory.Ref) []byte {
			return members(w, b, p, elem, keys, spare, memory.Reflect(at, t))
		}
	}
	return func(w *output.Writer, b []byte, at memory.Ref) []byte {
		if memory.IsNil(at) && !w.NilAsEmpty {
			return append(b, "null"...)
		}
		b, ok := w.Open(b, p.tracked, output.Ancestor{At: memory.MapIdentity(at), Type: t})
		if !ok {
			return b
		}
		b = body(w, b, at)
		w.Shut(p.tracked)
		return b
	}
}

var anyType = reflect.TypeFor[any]()

// stringMap appends the members of m.
func stringMap(w *output.Writer, b []byte, p *Plan, m map[string]any) []byte {
	in, base, first := len(b), len(w.Pairs), len(w.Keys)
	for k, v := range m {
		w.Keys = append(w.Keys, output.Key{Name: k, Index: len(w.Pairs)})
		w.Pairs = append(w.Pairs, output.Pair{Name: k, Value: v})
	}
	sortKeys(w.Keys[first:])
	for j := range len(w.Pairs) - base {
		it := w.Begin(b)
		kv := &w.Pairs[w.Keys[first+j].Index]
		b = w.Name(b, kv.Name, stringType)
		it.Value(b)
		b = anything(w, b, memory.To(&kv.Value))
		if w.Over(b) {
			var stop bool
			if b, stop = spill(w, b, it, memory.To(&kv.Value), anyType, p.t, in); stop {
				break
			}
		}
	}
	clear(w.Pairs[base:])
	clear(w.Keys[first:])
	w.Pairs, w.Keys = w.Pairs[:base], w.Keys[:first]
	return closeObject(b, in)
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
	sortKeys(w.Keys[first:])
	disambiguate(w.Keys[first:], p.t.Key())
	for j := range n {
		it := w.Begin(b)
		k := &w.Keys[first+j]
		if k.Reason != 0 {
			w.Note(len(b)+1, k.Type, k.Reason, k.Detail)
		}
		b = w.Name(b, k.Name, p.t.Key())
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
	return closeObject(b, in)
}
