// Package shelf keeps things by name, mostly one or two of them, in less memory
// than a map takes.
package shelf

import (
	"cmp"
	"iter"
	"slices"
)

// A Shelf is sorted by name. The zero Shelf is empty.
type Shelf[T any] struct{ items []item[T] }

type item[T any] struct {
	name string
	v    T
}

func (s *Shelf[T]) search(name string) (int, bool) {
	return slices.BinarySearchFunc(s.items, name, func(i item[T], name string) int { return cmp.Compare(i.name, name) })
}

// Get returns what is kept by name, and whether there is any.
func (s *Shelf[T]) Get(name string) (v T, ok bool) {
	if i, ok := s.search(name); ok {
		return s.items[i].v, true
	}
	return v, false
}

// Set keeps v by name, in place of what was kept.
func (s *Shelf[T]) Set(name string, v T) {
	i, ok := s.search(name)
	switch {
	case ok:
		s.items[i].v = v
	case s.items == nil:
		s.items = []item[T]{{name, v}} // exactly one: most shelves have no more
	default:
		s.items = slices.Insert(s.items, i, item[T]{name, v})
	}
}

// Delete keeps nothing by name any more.
func (s *Shelf[T]) Delete(name string) {
	if i, ok := s.search(name); ok {
		s.items = slices.Delete(s.items, i, i+1)
	}
}

// Len is how many things there are.
func (s *Shelf[T]) Len() int { return len(s.items) }

// All yields everything, by name.
func (s *Shelf[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, i := range s.items {
			if !yield(i.v) {
				return
			}
		}
	}
}
