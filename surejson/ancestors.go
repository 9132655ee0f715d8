package surejson

import "reflect"

// An ancestor is a pointer, map or slice that is being written. Two with
// equal fields are one value, so the second is a cycle. A type is part of it
// because a struct and its first field have one address.
type ancestor struct {
	at  uintptr
	len int
	p   *plan
}

// nearAncestors is how many are searched one by one; the others are in a set.
const nearAncestors = 64

// enter takes a pointer, map or slice as ancestor of what follows and
// returns false if it already is one.
func (w *writer) enter(a ancestor) bool {
	near := w.ancestors[:min(len(w.ancestors), nearAncestors)]
	for i := len(near) - 1; i >= 0; i-- {
		if near[i] == a {
			return false
		}
	}
	if len(w.ancestors) >= nearAncestors && !w.enterFar(a) {
		return false
	}
	w.ancestors = append(w.ancestors, a)
	return true
}

func (w *writer) enterFar(a ancestor) bool {
	if _, ok := w.far[a]; ok {
		return false
	}
	if w.far == nil {
		w.far = make(map[ancestor]struct{})
	}
	w.far[a] = struct{}{}
	return true
}

// leave undoes the last enter.
func (w *writer) leave() {
	n := len(w.ancestors) - 1
	if n >= nearAncestors {
		delete(w.far, w.ancestors[n])
	}
	w.ancestors = w.ancestors[:n]
}

// descend counts one more level. It returns false, without counting, if that
// is too deep or not even an empty container fits; refuse then writes null.
func (w *writer) descend(b []byte) bool {
	if w.depth >= w.maxDepth || w.room(b) < len("[]") {
		return false
	}
	w.depth++
	return true
}

// refuse writes what descend refused. What does not fit is for the container
// around it to take back.
func (w *writer) refuse(b []byte, t reflect.Type) []byte {
	if w.depth >= w.maxDepth {
		return w.replace(b, t, TooDeep, "")
	}
	return append(b, "null"...)
}

// open is enter and descend for a slice or map; repaired is null if either
// refuses, and nil otherwise.
func (w *writer) open(b []byte, p *plan, at uintptr, n int) (repaired []byte) {
	if p.tracked && !w.enter(ancestor{at, n, p}) {
		return w.replace(b, p.t, Cycle, "")
	}
	if !w.descend(b) {
		if p.tracked {
			w.leave()
		}
		return w.refuse(b, p.t)
	}
	return nil
}

// shut undoes open.
func (w *writer) shut(p *plan) {
	w.depth--
	if p.tracked {
		w.leave()
	}
}
