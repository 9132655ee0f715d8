package plan

import (
	"reflect"
	"sync"
	"sync/atomic"
)

// plans holds the finished plans of types, by the address of the type's
// descriptor. It is replaced, never changed.
var plans atomic.Pointer[table]

// plansMu guards the replacement of plans, and compiled.
var plansMu sync.Mutex

// compiled holds all plans, also those of addressed values.
var compiled = map[planKey]*Plan{}

// A table is a hash table with open addressing, at most half full.
type table struct {
	slots []slot
	used  int
}

type slot struct {
	id uintptr
	p  *Plan
}

// place returns where id is or should be.
func (t *table) place(id uintptr) *slot {
	mask := uintptr(len(t.slots) - 1)
	for i := id >> 4 * 0x9E3779B1 >> 3; ; i++ {
		if s := &t.slots[i&mask]; s.id == id || s.id == 0 {
			return s
		}
	}
}

// with returns a copy of t that has p too.
func (t *table) with(id uintptr, p *Plan) *table {
	size := 64
	if t != nil {
		for size = len(t.slots); size < 2*(t.used+1); {
			size *= 2
		}
	}
	n := &table{slots: make([]slot, size)}
	if t != nil {
		for _, s := range t.slots {
			if s.id != 0 {
				*n.place(s.id) = s
			}
		}
		n.used = t.used
	}
	if s := n.place(id); s.id == 0 {
		*s = slot{id, p}
		n.used++
	}
	return n
}

// Of returns the plan of a type, for values that cannot be addressed.
func Of(t reflect.Type) *Plan {
	id := reflect.ValueOf(t).Pointer()
	if known := plans.Load(); known != nil {
		if s := known.place(id); s.id == id {
			return s.p
		}
	}
	plansMu.Lock()
	defer plansMu.Unlock()
	c := compiler{made: map[planKey]*Plan{}}
	p := c.plan(t, false)
	for key, made := range c.made {
		compiled[key] = made
	}
	plans.Store(plans.Load().with(id, p))
	return p
}
