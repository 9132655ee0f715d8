// Package typemap maps types to values: one atomic load to read, a copy of the
// whole to write.
package typemap

import (
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/surewire/surewire/surejson/internal/memory"
)

// A Map is a map from types to values. The zero Map is empty. Its methods may
// be called concurrently.
type Map[V any] struct {
	now atomic.Pointer[table[V]] // replaced, never changed
	mu  sync.Mutex               // held while now is replaced
}

// A table is a hash table with open addressing, at most half full.
type table[V any] struct {
	slots []slot[V]
	used  int
}

type slot[V any] struct {
	id    uintptr // address of the type's descriptor; 0 is free
	value *V
}

// Load returns the value of t, or nil.
func (m *Map[V]) Load(t reflect.Type) *V {
	now := m.now.Load()
	if now == nil {
		return nil
	}
	id := memory.TypeIdentity(t)
	if s := now.place(id); s.id == id {
		return s.value
	}
	return nil
}

// Store sets the value of t.
func (m *Map[V]) Store(t reflect.Type, value *V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.now.Load()
	if old == nil {
		old = &table[V]{slots: make([]slot[V], 32)}
	}
	grown := &table[V]{slots: make([]slot[V], len(old.slots)), used: old.used + 1}
	if 2*grown.used > len(grown.slots) {
		grown.slots = make([]slot[V], 2*len(old.slots))
	}
	for _, s := range old.slots {
		if s.id != 0 {
			*grown.place(s.id) = s
		}
	}
	id := memory.TypeIdentity(t)
	*grown.place(id) = slot[V]{id, value}
	m.now.Store(grown)
}

// place returns where id is or should be.
func (t *table[V]) place(id uintptr) *slot[V] {
	mask := uintptr(len(t.slots) - 1)
	for i := id >> 4 * 0x9E3779B1 >> 3; ; i++ {
		if s := &t.slots[i&mask]; s.id == id || s.id == 0 {
			return s
		}
	}
}
