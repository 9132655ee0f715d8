// Package output is the state of one encoding: the policies, how much may
// still be written, what is open, and what was repaired. Its functions take
// the buffer and return it extended, so that it stays in registers.
package output

import (
	"cmp"
	"math"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/surewire/surewire/surejson/internal/contain"
	"github.com/surewire/surewire/surejson/internal/pointer"
	"github.com/surewire/surewire/surejson/internal/token"
)

// A Config holds the policies and limits of an encoding, none left open.
type Config struct {
	MaxDepth    int // open containers
	MaxSize     int // bytes
	MaxMarks    int // repairs that are listed
	HTML        bool
	NilAsEmpty  bool
	BigNumbers  bool // integers beyond 2^53 stay numbers
	EnumNumbers bool
	ErrorData   bool
	Duration    func(w *Writer, b []byte, d time.Duration) []byte // nil: nanoseconds
	Timeout     time.Duration
	Messages    MessageMarshaler // nil: protobuf messages are written as structs
}

// A MessageMarshaler writes protobuf messages. The public package documents it.
type MessageMarshaler interface {
	MarshalMessage(m any) ([]byte, error)
}

// A Writer is the state of one encoding.
type Writer struct {
	Config // static during an encoding

	start int  // of the output in the buffer
	brim  int  // how long the buffer may be for another [Brief] and what closes the open containers; far below zero once full
	full  bool // nothing more fits: every open container ends
	depth int  // open containers

	entered int                     // ancestors
	near    [nearAncestors]Ancestor // the first of them
	beyond  []Ancestor              // the others
	far     map[Ancestor]struct{}   // those beyond, to find them

	marks []mark
	tally Tally // of the repairs made, also of those not among marks
	part  state // at the start of the part of the output that is being written

	clock token.Clock

	Root  any    // the value
	Spare []byte // a buffer to write to, empty

	// Stacks of the maps being written.
	Anys    []Pair[any]
	Strings []Pair[string]
	Ranks   []Rank
	Keys    []Key
}

// A Key is a map key while its map is written.
type Key struct {
	Name   string
	Index  int          // of the member in the map's columns
	Type   reflect.Type // of the Go key; nil is that of the map's keys
	Reason Reason       // 0: the name says what the key says
	Detail string
}

// A mark is a repair while its place is known as an offset only.
type mark struct {
	at     int // of the value, or of the member's name, in the buffer
	t      reflect.Type
	reason Reason
	detail string
}

// A Repair is a mark with its place.
type Repair struct {
	pointer.Place
	Type   reflect.Type // nil for an untyped nil
	Reason Reason
	Detail string
}

// spareMax is the longest buffer kept for the next encoding.
const spareMax = 1 << 20

var writers = sync.Pool{New: func() any { return new(Writer) }}

// New returns a Writer for output that starts at start of a buffer.
func New(c *Config, start int, root any) *Writer {
	w := writers.Get().(*Writer)
	w.Config = *c
	w.start, w.brim = start, start+c.MaxSize-Brief
	w.Root = root
	return w
}

// Release gives the Writer back, without what belongs to the value.
func (w *Writer) Release() {
	w.Root = nil
	w.full, w.depth = false, 0
	if w.tally != 0 {
		clear(w.marks)
		w.marks, w.tally = w.marks[:0], 0
	}
	if cap(w.Spare) > spareMax {
		w.Spare = nil
	}
	writers.Put(w)
}

// Finish is called when the whole output is over. It replaces what does not
// fit.
func (w *Writer) Finish(b []byte) []byte {
	if w.full {
		return b
	}
	w.Rollback(0)
	return w.Replace(b[:w.start], reflect.TypeOf(w.Root), TooLarge, "")
}

// Note records a repair of a value of type t that starts at the offset at.
func (w *Writer) Note(at int, t reflect.Type, reason Reason, detail string) {
	w.tally = w.tally.with(reason)
	if len(w.marks) < w.MaxMarks {
		w.marks = append(w.marks, mark{at, t, reason, detail})
	}
}

// Replace appends null in place of a value and records it.
//
//go:noinline
func (w *Writer) Replace(b []byte, t reflect.Type, reason Reason, detail string) []byte {
	w.Note(len(b), t, reason, detail)
	return append(b, "null"...)
}

// Brief is more than a name of up to [token.Plain] bytes takes with a number, a
// time, or a text that [token.Head.AppendPlain] writes.
const Brief = 2 * token.Plain

// Ample reports whether Brief bytes may follow b. What is known to be no longer
// needs no other check: nearly all that is written.
func (w *Writer) Ample(b []byte) bool { return !contain.On || len(b) <= w.brim }

// Room returns how many bytes may follow b such that all open containers can
// still be closed.
func (w *Writer) Room(b []byte) int { return w.brim + Brief - len(b) }

// Over reports whether b is too long for all open containers to be closed,
// or the output full.
func (w *Writer) Over(b []byte) bool { return !w.Ample(b) && len(b) > w.brim+Brief }

// Aside runs f to write to a new buffer about as long as room, and returns
// it. What f repairs is left to the caller.
func (w *Writer) Aside(room int, f func(b []byte) []byte) []byte {
	brim := w.brim
	w.brim = room - Brief
	b := f(nil)
	w.brim, w.full = brim, false
	return b
}

// An Item is a member or element while it is written.
type Item struct {
	start int   // offset, with the comma and the name before the value
	value int   // offset
	tally Tally // repairs before it
}

// Begin starts an item at the end of b.
func (w *Writer) Begin(b []byte) Item { return Item{len(b), len(b), w.tally} }

// ItemAt returns the item that starts at an offset and whose value starts at
// another, when the repairs before it are known.
func ItemAt(start, value int, before Tally) Item { return Item{start, value, before} }

// Value tells that the item's value is next.
func (it *Item) Value(b []byte) { it.value = len(b) }

// Spill is called when b is over after an item of type t in a container of
// type in that starts at the offset at. The item becomes null if that fits;
// otherwise it is left out, stop is true, and all containers end.
func (w *Writer) Spill(b []byte, it Item, t, in reflect.Type, at int) (out []byte, stop bool) {
	if w.full {
		return b, true
	}
	w.Rollback(it.tally)
	b = b[:it.value]
	if w.Room(b) >= len("null") {
		return w.Replace(b, t, TooLarge, ""), false
	}
	w.Note(at, in, TooLarge, "")
	w.full, w.brim = true, math.MinInt/2
	return b[:it.start], true
}

// Repairs returns the repairs made in out, the whole output, in its order,
// but for those not listed.
func (w *Writer) Repairs(out []byte) []Repair {
	slices.SortStableFunc(w.marks, func(a, b mark) int { return cmp.Compare(a.at, b.at) })
	offsets := make([]int, len(w.marks))
	for i, m := range w.marks {
		offsets[i] = m.at - w.start
	}
	list := make([]Repair, len(w.marks))
	for i, place := range pointer.Resolve(out, offsets) {
		m := w.marks[i]
		list[i] = Repair{place, m.t, m.reason, m.detail}
	}
	return list
}
