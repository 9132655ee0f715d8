package plan

import (
	"reflect"
	"strconv"
	"time"

	"github.com/surewire/surewire/surejson/internal/fields"
	"github.com/surewire/surewire/surejson/internal/memory"
	"github.com/surewire/surewire/surejson/internal/method"
	"github.com/surewire/surewire/surejson/internal/omit"
	"github.com/surewire/surewire/surejson/internal/output"
	"github.com/surewire/surewire/surejson/internal/token"
)

// An op is how a value is written: the commonest kinds without an indirect call.
type op uint8

const (
	opPlan op = iota
	opString
	opInt
	opBool
	opFloat64
	opAny
	opTime
	opStruct
)

// A member is a field of a struct ready to be written.
type member struct {
	head     token.Head
	htmlHead token.Head
	step     memory.Step
	op       op
	rare     bool // it has an omit or a way through pointers
	brief    bool // it takes at most output.Brief, whatever the value
	p        *Plan
	of       reflect.Type                                      // the struct
	omit     func(w *output.Writer, at int, p memory.Ref) bool // nil: never left out
}

// named returns what stands before the member's value.
func (m *member) named(html bool) *token.Head {
	if html {
		return &m.htmlHead
	}
	return &m.head
}

// structure writes an object of the fields that encoding/json writes. A
// struct without any is opaque: its String method, if it has one, says more
// than {}.
func (c *compiler) structure(p *Plan, addressed bool) appender {
	list := fields.Of(p.t)
	if len(list) == 0 {
		object := func(w *output.Writer, b []byte, at memory.Ref) []byte { return append(b, "{}"...) }
		if m := method.Of(method.String, p.t, addressed); m != nil {
			return textEncoding(p, m, object)
		}
		return object
	}
	p.op, p.members = opStruct, make([]member, len(list))
	for i, f := range list {
		p.members[i] = c.member(p.t, f, addressed)
	}
	return func(w *output.Writer, b []byte, at memory.Ref) []byte { return object(w, b, p, at) }
}

// member prepares one field.
func (c *compiler) member(t reflect.Type, f fields.Field, addressed bool) member {
	m := member{of: t, head: token.NewHead(f.Name, false), htmlHead: token.NewHead(f.Name, true), step: memory.StepTo(t, f.Index)}
	// What an embedded pointer leads to can be addressed.
	addressed = addressed || !m.step.Straight()
	m.p = c.plan(f.Type, addressed)
	if f.Quoted {
		m.p = quoted(f.Type, m.p, addressed)
	}
	m.op = m.p.op
	m.omit = omit.Of(f, addressed)
	m.rare = m.omit != nil || !m.step.Straight()
	m.brief = m.p.brief && m.htmlHead.Len() <= token.Plain
	return m
}

// opOf returns opPlan unless the type alone decides how values are written.
func opOf(t reflect.Type) op {
	kind := t.Kind()
	switch {
	case kind == reflect.Interface && t.NumMethod() == 0:
		return opAny
	case t == output.TimeType:
		return opTime
	case t == durationType || t == output.NumberType || reflect.PointerTo(t).NumMethod() > 0:
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

// object appends the struct at p. Each member brings its comma; the first
// one's becomes the brace.
func object(w *output.Writer, b []byte, pl *Plan, p memory.Ref) []byte {
	if !w.Descend(b) {
		return w.Refuse(b, pl.t)
	}
	in := len(b)
	members := pl.members
	for i := range members {
		m := &members[i]
		var q memory.Ref
		if m.rare {
			var ok bool
			if q, ok = m.step.Follow(p); !ok || m.omit != nil && m.omit(w, len(b), q) {
				continue
			}
		} else {
			q = m.step.Field(p)
		}
		if w.Ample(b) {
			if m.brief {
				b = m.append(w, b, q)
				continue
			}
			if m.op == opString {
				if out, ok := m.named(w.HTML).AppendPlain(b, memory.Load[string](q), w.HTML); ok {
					b = out
					continue
				}
			}
		}
		start, tally := len(b), w.Tally()
		b = m.append(w, b, q)
		if w.Over(b) {
			var stop bool
			if b, stop = m.spill(w, b, start, tally, p, in); stop {
				break
			}
		}
	}
	w.Ascend()
	return closeObject(b, in)
}

// append appends the member, whose value is at q.
func (m *member) append(w *output.Writer, b []byte, q memory.Ref) []byte {
	b = m.named(w.HTML).Append(b)
	switch m.op {
	case opString:
		return w.Text(b, memory.Load[string](q), m.p.t)
	case opInt:
		return w.Int(b, int64(memory.Load[int](q)), m.p.t)
	case opBool:
		return strconv.AppendBool(b, memory.Load[bool](q))
	case opFloat64:
		return w.Float(b, memory.Load[float64](q), 64, m.p.t)
	case opAny:
		return anything(w, b, q)
	case opTime:
		return w.Time(b, memory.Load[time.Time](q))
	case opStruct:
		return object(w, b, m.p, q)
	}
	return m.p.run(w, b, q)
}

// spill is the Writer's, for the member that starts at the offset start of the
// object at p, which starts at the offset in.
func (m *member) spill(w *output.Writer, b []byte, start int, tally output.Tally, p memory.Ref, in int) ([]byte, bool) {
	q, _ := m.step.Follow(p)
	it := output.ItemAt(start, start+m.named(w.HTML).Len(), tally)
	return spill(w, b, it, q, m.p.t, m.of, in)
}

// closeObject ends an object whose first member's comma is at the offset in.
func closeObject(b []byte, in int) []byte {
	if len(b) == in {
		return append(b, "{}"...)
	}
	b[in] = '{'
	return append(b, '}')
}

// quoted is the plan for the option string: the scalar in a string. Types
// with methods of their own, and nil, are as without it.
func quoted(t reflect.Type, plain *Plan, addressed bool) *Plan {
	base := t
	if t.Kind() == reflect.Pointer {
		base = t.Elem()
	}
	if base != output.NumberType && (method.Marshaler(base, addressed) != nil || base.Implements(errorType)) {
		return plain
	}
	p := *plain
	p.op, p.brief = opPlan, false
	p.run = func(w *output.Writer, b []byte, at memory.Ref) []byte {
		// In a string, integers need no bound.
		start, bigNumbers := len(b), w.BigNumbers
		w.BigNumbers = true
		b = plain.run(w, b, at)
		w.BigNumbers = bigNumbers
		switch c := b[start]; {
		case c == 'n':
			return b
		case c != '"':
			b = append(b, 0)
			copy(b[start+1:], b[start:])
			b[start] = '"'
			return append(b, '"')
		case base.Kind() != reflect.String || base == output.NumberType:
			return b // an enum's name, or a repair
		}
		inner := string(b[start:])
		out, _ := token.AppendString(b[:start], inner, false)
		return out
	}
	return &p
}
