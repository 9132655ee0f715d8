package output

import (
	"reflect"

	"github.com/surewire/surewire/surejson/internal/contain"
)

// An Ancestor is a pointer, map or slice that is being written. Two that are
// equal are one value, so the second is a cycle. The type is part of it
// because a struct and its first field have one address.
type Ancestor struct {
	At   uintptr
	Len  int // of a slice
	Type reflect.Type
}

// nearAncestors is how many are searched one by one; the others are in a set.
const nearAncestors = 64

// Enter takes a pointer, map or slice as ancestor of what follows and
// returns false if it already is one.
func (w *Writer) Enter(a Ancestor) bool {
	if !contain.On {
		return true
	}
	near := w.ancestors[:min(len(w.ancestors), nearAncestors)]
	for i := len(near) - 1; i >= 0; i-- {
		if near[i].At == a.At && near[i] == a {
			return false
		}
	}
	if len(w.ancestors) >= nearAncestors && !w.enterFar(a) {
		return false
	}
	w.ancestors = append(w.ancestors, a)
	return true
}

func (w *Writer) enterFar(a Ancestor) bool {
	if _, ok := w.far[a]; ok {
		return false
	}
	if w.far == nil {
		w.far = make(map[Ancestor]struct{})
	}
	w.far[a] = struct{}{}
	return true
}

// Leave undoes the last Enter.
func (w *Writer) Leave() {
	if !contain.On {
		return
	}
	n := len(w.ancestors) - 1
	if n >= nearAncestors {
		delete(w.far, w.ancestors[n])
	}
	w.ancestors = w.ancestors[:n]
}

// Descend counts one more open container. It returns false, without
// counting, if that is too deep or not even an empty one fits; Refuse then
// writes null.
func (w *Writer) Descend(b []byte) bool {
	if contain.On && (w.depth >= w.MaxDepth || w.Room(b) < len("[]")) {
		return false
	}
	w.depth++
	w.bound--
	return true
}

// Ascend undoes Descend.
func (w *Writer) Ascend() {
	w.depth--
	w.bound++
}

// Refuse writes what Descend refused. What does not fit is for the container
// around it to take back. It is kept out of line, as is Replace: what is rare
// would be in the way of what is not.
//
//go:noinline
func (w *Writer) Refuse(b []byte, t reflect.Type) []byte {
	if w.depth >= w.MaxDepth {
		return w.Replace(b, t, TooDeep, "")
	}
	return append(b, "null"...)
}

// Open is Enter, if tracked, and Descend. If either refuses, ok is false and
// the value is written.
func (w *Writer) Open(b []byte, tracked bool, a Ancestor) (out []byte, ok bool) {
	switch {
	case !tracked && w.Descend(b):
		return b, true
	case !tracked:
		return w.Refuse(b, a.Type), false
	case !w.Enter(a):
		return w.Replace(b, a.Type, Cycle, ""), false
	case !w.Descend(b):
		w.Leave()
		return w.Refuse(b, a.Type), false
	}
	return b, true
}

// Shut undoes Open.
func (w *Writer) Shut(tracked bool) {
	w.Ascend()
	if tracked {
		w.Leave()
	}
}
