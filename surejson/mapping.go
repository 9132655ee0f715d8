package surejson

import (
	"reflect"
	"sync"

	"github.com/surewire/surewire/surejson/internal/token"
)

// A pair is a member of a map[string]any being written.
type pair struct {
	name  string
	value any
}

// mapping writes an object with its members sorted by name.
func (c *compiler) mapping(p *plan) appender {
	p.tracked = mayLoop(p.t)
	t := p.t
	body := func(w *writer, b []byte, at ref) []byte { return w.object(b, p, load[map[string]any](at)) }
	if t.Elem() != anyType || t.Key().Kind() != reflect.String {
		elem := c.plan(t.Elem(), false)
		keys := keyTextOf(t.Key())
		spare := &sync.Pool{New: func() any { return &columns{} }}
		body = func(w *writer, b []byte, at ref) []byte {
			return w.members(b, p, elem, keys, spare, reflected(at, t))
		}
	}
	return func(w *writer, b []byte, at ref) []byte {
		if isNil(at) && !w.nilEmpty {
			return append(b, "null"...)
		}
		if out := w.open(b, p, mapIdentity(at), 0); out != nil {
			return out
		}
		b = body(w, b, at)
		w.shut(p)
		return b
	}
}

var anyType = reflect.TypeFor[any]()

// object appends the members of m.
func (w *writer) object(b []byte, p *plan, m map[string]any) []byte {
	in, base, first := len(b), len(w.pairs), len(w.keys)
	for k, v := range m {
		w.keys = append(w.keys, key{name: k, i: len(w.pairs)})
		w.pairs = append(w.pairs, pair{k, v})
	}
	sortKeys(w.keys[first:])
	for j := range len(m) {
		item, s := len(b), w.save()
		kv := &w.pairs[w.keys[first+j].i]
		b = w.name(b, kv.name, stringType)
		value := len(b)
		b = w.any(b, refTo(&kv.value))
		if w.over(b) {
			var stop bool
			if b, stop = w.spill(b, anyType, in, item, value, s); stop {
				break
			}
		}
	}
	clear(w.pairs[base:])
	clear(w.keys[first:])
	w.pairs, w.keys = w.pairs[:base], w.keys[:first]
	return closeObject(b, in)
}

// name appends a comma, a member's name and a colon.
func (w *writer) name(b []byte, s string, t reflect.Type) []byte {
	at := len(b) + 1
	b, valid := token.AppendString(append(b, ','), s, w.html)
	if !valid {
		w.note(at, t, InvalidUTF8, "")
	}
	return append(b, ':')
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
func (w *writer) members(b []byte, p, elem *plan, text keyText, spare *sync.Pool, m reflect.Value) []byte {
	in, first, texts := len(b), len(w.keys), len(w.texts)
	c := spare.Get().(*columns)
	n := m.Len()
	if n > 0 {
		c.fill(m)
	}
	for i := range n {
		k := text(w, refOf(c.keys.Index(i)))
		k.i = i
		w.keys = append(w.keys, k)
	}
	sortKeys(w.keys[first:])
	disambiguate(w.keys[first:], p.t.Key())
	for j := range n {
		item, s := len(b), w.save()
		k := &w.keys[first+j]
		if k.reason != 0 {
			w.note(len(b)+1, k.t, k.reason, k.detail)
		}
		b = w.name(b, k.name, p.t.Key())
		value := len(b)
		b = elem.run(w, b, refOf(c.values.Index(w.keys[first+j].i)))
		if w.over(b) {
			var stop bool
			if b, stop = w.spill(b, elem.t, in, item, value, s); stop {
				break
			}
		}
	}
	if n > 0 {
		c.keys.Clear()
		c.values.Clear()
	}
	spare.Put(c)
	clear(w.keys[first:])
	w.keys, w.texts = w.keys[:first], w.texts[:texts]
	return closeObject(b, in)
}
