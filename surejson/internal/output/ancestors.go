package output

import (
	"reflect"

	"github.com/surewire/surewire/surejson/internal/contain"
)

// An Ancestor is a pointer, map or slice that is being written. Two that are
// equal are one value, so the second is a cycle. The type is part of it
// because a struct and its first field have one address. It holds no pointer,
// so that to take note of it costs the garbage collector nothing.
type Ancestor struct {
	At   uintptr
	Len  int     // of a slice
	Type uintptr // the identity of the type
}

// nearAncestors is how many are searched one by one; the others are in a set.
const nearAncestors = 64

// Enter takes a pointer, map or slice as ancestor of what follows and
// returns false if it already is one.
func (w *Writer) Enter(a Ancestor) bool {
	if contain.On && w.entered == 0 {
		w.near[0], w.entered = a, 1
		return true
	}
	return !contain.On || w.enterBelow(a)
}

// enterBelow is Enter where there is an ancestor.
func (w *Writer) enterBelow(a Ancestor) bool {
	n := w.entered
	near := w.near[:min(n, nearAncestors)]
	for i := range near {
		if near[i].At == a.At && near[i] == a {
			return false
		}
	}
	if n < nearAncestors {
		w.near[n] = a
	} else if !w.enterFar(a) {
		return false
	}
	w.entered = n + 1
	return true
}

//go:noinline
func (w *Writer) enterFar(a Ancestor) bool {
	if _, ok := w.far[a]; ok {
		return false
	}
	if w.far == nil {
		w.far = make(map[Ancestor]struct{})
	}
	w.far[a] = struct{}{}
	w.beyond = append(w.beyond, a)
	return true
}

// Leave undoes the last Enter.
func (w *Writer) Leave() {
	if !contain.On {
		return
	}
	w.entered--
	if w.entered >= nearAncestors {
		w.leaveFar()
	}
}

//go:noinline
func (w *Writer) leaveFar() {
	last := len(w.beyond) - 1
	delete(w.far, w.beyond[last])
	w.beyond = w.beyond[:last]
}

// Descend counts one more open container. It returns false, without
// counting, if that is too deep or not even an empty one fits; Refuse then
// writes null.
func (w *Writer) Descend(b []byte) bool {
	if contain.On && (w.depth >= w.MaxDepth || !w.Ample(b) && w.Room(b) < len("[]")) {
		return false
	}
	w.depth++
	w.brim--
	return true
}

// Ascend undoes Descend.
func (w *Writer) Ascend() {
	w.depth--
	w.brim++
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
