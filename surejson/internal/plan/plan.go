// Package plan decides type by type how Go values are written, once, and
// writes them.
package plan

import (
	"log/slog"
	"maps"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire/surejson/internal/contain"
	"github.com/surewire/surewire/surejson/internal/memory"
	"github.com/surewire/surewire/surejson/internal/method"
	"github.com/surewire/surewire/surejson/internal/output"
	"github.com/surewire/surewire/surejson/internal/typemap"
)

// An appender appends the value at p.
type appender func(w *output.Writer, b []byte, p memory.Ref) []byte

// A Plan is how values of one type are written.
type Plan struct {
	run     appender
	t       reflect.Type
	op      op
	members []member // of a struct
	direct  bool     // an interface holds the value in its data word
	tracked bool     // a pointer, map or slice that may lead back to itself
	brief   bool     // no value takes more than token.Plain
}

// A planKey names a plan. Values that can be addressed have their own, since
// methods with pointer receivers are called on them and not on a copy.
type planKey struct {
	t         reflect.Type
	addressed bool
}

// Append appends w.Root to b as the whole output.
func Append(w *output.Writer, b []byte) []byte {
	if b = Part(w, b); w.Over(b) {
		return w.Finish(b)
	}
	return b
}

// Part appends w.Root to b. Should a defect of this package, or a value that is
// being changed, panic, it is null.
func Part(w *output.Writer, b []byte) (out []byte) {
	out = b
	returned := false
	if contain.On {
		w.Mark()
		defer func() {
			if returned {
				return
			}
			if r := recover(); r != nil {
				out = w.Abandon(out, method.Describe(r))
			}
		}()
	}
	out = anything(w, b, memory.At(&w.Root))
	returned = true
	return out
}

// plans holds the plans of values that are not addressed, for the way in.
var plans typemap.Map[Plan]

// compiled holds all plans, and compiling guards it.
var (
	compiled  = map[planKey]*Plan{}
	compiling sync.Mutex
)

// Of returns the plan of a type, for values that cannot be addressed.
func Of(t reflect.Type) *Plan {
	if p := plans.Load(t); p != nil {
		return p
	}
	compiling.Lock()
	defer compiling.Unlock()
	c := compiler{made: map[planKey]*Plan{}}
	p := c.plan(t, false)
	maps.Copy(compiled, c.made)
	plans.Store(t, p)
	return p
}

// A compiler makes the plans of a type and of all it contains.
type compiler struct{ made map[planKey]*Plan }

// plan returns the plan for t. It may be unfinished, within a recursive type.
func (c *compiler) plan(t reflect.Type, addressed bool) *Plan {
	key := planKey{t, addressed && addressMatters(t)}
	if p := compiled[key]; p != nil {
		return p
	}
	if p := c.made[key]; p != nil {
		return p
	}
	p := &Plan{t: t, op: opOf(t), direct: memory.IsDirect(t)}
	c.made[key] = p
	p.run = c.encoding(p, key.addressed)
	return p
}

// addressMatters reports whether values of type t, or parts within them,
// have a method that needs their address.
func addressMatters(t reflect.Type) bool {
	for _, m := range method.Interfaces {
		if reflect.PointerTo(t).Implements(m) && !t.Implements(m) {
			return true
		}
	}
	switch t.Kind() {
	case reflect.Array:
		return addressMatters(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if addressMatters(t.Field(i).Type) {
				return true
			}
		}
	}
	return false
}

// encoding decides what represents values of p's type.
func (c *compiler) encoding(p *Plan, addressed bool) appender {
	if f := specialEncoding(p); f != nil {
		return f
	}
	if p.t.Kind() == reflect.Interface {
		return interfaceEncoding(p)
	}
	if p.t.Kind() == reflect.Pointer {
		return c.pointer(p)
	}
	if m := method.Marshaler(p.t, addressed); m != nil {
		return marshalerEncoding(p, m)
	}
	run := c.byKind(p, addressed)
	if p.t.Implements(errorType) {
		run, p.op, p.brief = textEncoding(p, method.Of(method.Error, p.t, addressed), run), opPlan, false
	}
	if method.IsMessage(p.t) {
		run, p.op, p.brief = messageEncoding(p, addressed, run), opPlan, false
	}
	return run
}

// byKind is encoding for types without marshalers.
func (c *compiler) byKind(p *Plan, addressed bool) appender {
	switch kind := p.t.Kind(); kind {
	case reflect.Struct:
		return c.structure(p, addressed)
	case reflect.Slice:
		return c.slice(p)
	case reflect.Array:
		return c.array(p, addressed)
	case reflect.Map:
		return c.mapping(p)
	default:
		return scalarEncoding(p, addressed)
	}
}

// Types that are written by what they are, not by their fields.
var (
	durationType = reflect.TypeFor[time.Duration]()
	slogType     = reflect.TypeFor[slog.Value]()
	valueType    = reflect.TypeFor[reflect.Value]()
	syncMapType  = reflect.TypeFor[sync.Map]()
	atomicType   = reflect.TypeFor[atomic.Value]()
	errorType    = reflect.TypeFor[error]()
)
