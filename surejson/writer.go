package surejson

import (
	"cmp"
	"math"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/surewire/surewire/surejson/internal/pointer"
)

// A writer is the state of one encoding. Encoding functions take the buffer
// and return it extended, so that it stays in registers.
type writer struct {
	// Static during an encoding.
	start      int // of the output in the buffer
	maxDepth   int
	maxMarks   int
	html       bool
	nilEmpty   bool
	bigNumbers bool
	enumNumber bool
	errorData  bool
	durations  DurationPolicy
	timeout    time.Duration

	limit int  // where the buffer must end; below zero once full
	full  bool // nothing more fits: every open container ends
	depth int  // open containers

	ancestors []ancestor
	far       map[ancestor]struct{} // the ancestors beyond nearAncestors

	marks []mark
	total int // marks made, also those not kept

	// Stacks of the maps being written.
	pairs []pair
	keys  []key
	texts []byte

	root  any    // the value
	spare []byte // buffer of Marshal
}

// A mark is a repair while its place is known as an offset only.
type mark struct {
	at     int // of the value, or of the member's name, in the buffer
	t      reflect.Type
	reason Reason
	detail string
}

// spareMax is the longest buffer kept for the next encoding.
const spareMax = 1 << 20

var writers = sync.Pool{New: func() any { return new(writer) }}

// newWriter returns a writer for output that starts at start of a buffer.
// A nil e is the zero Encoder.
func newWriter(e *Encoder, start int) *writer {
	if e == nil {
		e = &std
	}
	w := writers.Get().(*writer)
	w.start = start
	w.maxDepth = min(orDefault(e.MaxDepth, DefaultMaxDepth), DepthCeiling)
	w.maxMarks = orDefault(e.MaxRepairs, DefaultMaxRepairs)
	w.limit = start + max(orDefault(e.MaxSize, DefaultMaxSize), minSize)
	w.html = e.EscapeHTML
	w.nilEmpty = e.NilAsEmpty
	w.bigNumbers = e.Integers == IntegersAsNumbers
	w.enumNumber = e.Enums == EnumsAsNumbers
	w.errorData = e.Errors == ErrorsAsData
	w.durations = e.Durations
	w.timeout = e.MethodTimeout
	return w
}

func orDefault(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return max(n, 0)
}

// release gives the writer back, without what belongs to the value.
func (w *writer) release() {
	w.root = nil
	w.full, w.depth = false, 0
	if w.total > 0 {
		clear(w.marks)
		w.marks, w.total = w.marks[:0], 0
	}
	if cap(w.spare) > spareMax {
		w.spare = nil
	}
	writers.Put(w)
}

// document appends the root. Should a defect of this package or a value that
// is being changed panic, the whole output is null.
func (w *writer) document(b []byte) (out []byte) {
	defer func() {
		if r := recover(); r != nil {
			out = w.abandon(b[:w.start], r)
		}
	}()
	out = w.any(b, refTo(&w.root))
	if len(out) > w.limit && !w.full {
		out = w.replace(out[:w.start], reflect.TypeOf(w.root), TooLarge, "")
	}
	return out
}

// abandon replaces the whole output.
func (w *writer) abandon(b []byte, panicked any) []byte {
	clear(w.ancestors)
	clear(w.pairs)
	w.ancestors, w.far, w.pairs, w.keys, w.texts = w.ancestors[:0], nil, w.pairs[:0], w.keys[:0], w.texts[:0]
	w.marks, w.total = w.marks[:0], 0
	return w.replace(b, reflect.TypeOf(w.root), Internal, describe(panicked))
}

// note records a repair of a value of type t that starts at the offset at.
func (w *writer) note(at int, t reflect.Type, reason Reason, detail string) {
	w.total++
	if len(w.marks) < w.maxMarks {
		w.marks = append(w.marks, mark{at, t, reason, detail})
	}
}

// replace appends null in place of a value and records it.
func (w *writer) replace(b []byte, t reflect.Type, reason Reason, detail string) []byte {
	w.note(len(b), t, reason, detail)
	return append(b, "null"...)
}

// A savepoint is a place to roll back to: when what follows it is discarded,
// so are its repairs.
type savepoint struct{ marks, total int }

func (w *writer) save() savepoint { return savepoint{len(w.marks), w.total} }

func (w *writer) rollback(s savepoint) {
	w.marks, w.total = w.marks[:s.marks], s.total
}

// room returns how many bytes may follow b such that all open containers can
// still be closed.
func (w *writer) room(b []byte) int { return w.limit - w.depth - len(b) }

// over reports whether b is too long for all open containers to be closed,
// or the output full.
func (w *writer) over(b []byte) bool { return len(b) > w.limit-w.depth }

// spill is called when b is over after a member or element of the container
// of type t at the offset in. The item starts, comma and name included, at
// the offset item and its value at the offset value. It becomes null if that
// fits; otherwise it is left out, stop is true, and all containers end.
func (w *writer) spill(b []byte, t reflect.Type, in, item, value int, s savepoint) (out []byte, stop bool) {
	if w.full {
		return b, true
	}
	w.rollback(s)
	b = b[:value]
	if w.room(b) >= len("null") {
		return w.replace(b, t, TooLarge, ""), false
	}
	w.note(in, t, TooLarge, "")
	w.full, w.limit = true, math.MinInt/2
	return b[:item], true
}

// report turns the marks into a Report on out.
func (w *writer) report(out []byte) Report {
	if w.total == 0 {
		return Report{}
	}
	slices.SortStableFunc(w.marks, func(a, b mark) int { return cmp.Compare(a.at, b.at) })
	offsets := make([]int, len(w.marks))
	for i, m := range w.marks {
		offsets[i] = m.at - w.start
	}
	r := Report{Total: w.total, Repairs: make([]Repair, len(w.marks))}
	for i, p := range pointer.Resolve(out, offsets) {
		m := w.marks[i]
		r.Repairs[i] = Repair{Pointer: p.Pointer, GoType: typeName(m.t), Reason: m.reason, Wrote: p.Text, Detail: m.detail}
	}
	return r
}

func typeName(t reflect.Type) string {
	if t == nil {
		return "nil"
	}
	return t.String()
}
