package surejson

import (
	"encoding/json"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// An appender appends the value at p.
type appender func(w *writer, b []byte, p ref) []byte

// A plan is how values of one type are written.
type plan struct {
	run     appender
	t       reflect.Type
	direct  bool // an interface holds the value in its data word
	tracked bool // a pointer, map or slice that may lead back to itself
}

// A planKey names a plan. Values that can be addressed have their own, since
// methods with pointer receivers are called on them and not on a copy.
type planKey struct {
	t         reflect.Type
	addressed bool
}

// plans holds the finished plans of types, by the address of the type's
// descriptor. It is replaced, never changed.
var plans atomic.Pointer[planTable]

// plansMu guards the replacement of plans, and compiled.
var plansMu sync.Mutex

// compiled holds all plans, also those of addressed values.
var compiled = map[planKey]*plan{}

// A planTable is a hash table with open addressing, at most half full.
type planTable struct {
	slots []planSlot
	used  int
}

type planSlot struct {
	id uintptr
	p  *plan
}

// place returns where id is or should be.
func (t *planTable) place(id uintptr) *planSlot {
	mask := uintptr(len(t.slots) - 1)
	for i := id >> 4 * 0x9E3779B1 >> 3; ; i++ {
		if s := &t.slots[i&mask]; s.id == id || s.id == 0 {
			return s
		}
	}
}

// with returns a copy of t that has p too.
func (t *planTable) with(id uintptr, p *plan) *planTable {
	size := 64
	if t != nil {
		for size = len(t.slots); size < 2*(t.used+1); {
			size *= 2
		}
	}
	n := &planTable{slots: make([]planSlot, size)}
	if t != nil {
		for _, s := range t.slots {
			if s.id != 0 {
				*n.place(s.id) = s
			}
		}
		n.used = t.used
	}
	if s := n.place(id); s.id == 0 {
		*s = planSlot{id, p}
		n.used++
	}
	return n
}

// planOf returns the plan of a type, for values that cannot be addressed.
func planOf(t reflect.Type) *plan {
	id := reflect.ValueOf(t).Pointer()
	if table := plans.Load(); table != nil {
		if s := table.place(id); s.id == id {
			return s.p
		}
	}
	plansMu.Lock()
	defer plansMu.Unlock()
	c := compiler{made: map[planKey]*plan{}}
	p := c.plan(t, false)
	for key, made := range c.made {
		compiled[key] = made
	}
	plans.Store(plans.Load().with(id, p))
	return p
}

// A compiler makes the plans of a type and of all it contains.
type compiler struct{ made map[planKey]*plan }

// plan returns the plan for t. It may be unfinished, within a recursive type.
func (c *compiler) plan(t reflect.Type, addressed bool) *plan {
	key := planKey{t, addressed}
	if p := compiled[key]; p != nil {
		return p
	}
	if p := c.made[key]; p != nil {
		return p
	}
	p := &plan{t: t, direct: isDirect(t)}
	c.made[key] = p
	p.run = c.encoding(p, addressed)
	return p
}

// encoding decides what represents values of p's type.
func (c *compiler) encoding(p *plan, addressed bool) appender {
	if f := specialEncoding(p); f != nil {
		return f
	}
	if p.t.Kind() == reflect.Interface {
		return interfaceEncoding(p)
	}
	if p.t.Kind() == reflect.Pointer {
		return c.pointer(p)
	}
	if m := marshalerOf(p.t, addressed); m != nil {
		return marshalerEncoding(p, m)
	}
	plain := c.byKind(p, addressed)
	if p.t.Implements(errorType) {
		return errorEncoding(p, newMethod(callError, p.t, addressed), plain)
	}
	return plain
}

// byKind is encoding for types without marshalers.
func (c *compiler) byKind(p *plan, addressed bool) appender {
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
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	numberType   = reflect.TypeFor[json.Number]()
	rawType      = reflect.TypeFor[json.RawMessage]()
	slogType     = reflect.TypeFor[slog.Value]()
	valueType    = reflect.TypeFor[reflect.Value]()
	syncMapType  = reflect.TypeFor[sync.Map]()
	atomicType   = reflect.TypeFor[atomic.Value]()
	errorType    = reflect.TypeFor[error]()
	bytesType    = reflect.TypeFor[[]byte]()
)

// loops reports whether a value of type t may lead back to a value of type
// target, or anywhere at all, through an interface.
func loops(t, target reflect.Type, seen map[reflect.Type]bool) bool {
	if t == target {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t {
	case slogType, valueType, syncMapType, atomicType:
		return true
	}
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return loops(t.Elem(), target, seen)
	case reflect.Map:
		return loops(t.Elem(), target, seen) || loops(t.Key(), target, seen)
	case reflect.Struct:
		if isAtomicPointer(t) {
			return true
		}
		for i := range t.NumField() {
			if loops(t.Field(i).Type, target, seen) {
				return true
			}
		}
	}
	return false
}

// mayLoop reports whether values of the pointer, map or slice type t must be
// tracked as ancestors.
func mayLoop(t reflect.Type) bool {
	seen := map[reflect.Type]bool{}
	return loops(t.Elem(), t, seen) || t.Kind() == reflect.Map && loops(t.Key(), t, seen)
}
