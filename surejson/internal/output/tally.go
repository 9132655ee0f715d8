package output

import "math/bits"

// A Tally is how many repairs were made, and for which reasons: also of those
// that are not listed. It is one word, since every member of every container
// keeps the one it began with.
type Tally uint64

// reasonBits are the low bits, one for each Reason; the number is above them.
const reasonBits = 20

// with returns the tally after one more repair.
func (t Tally) with(r Reason) Tally { return (t + 1<<reasonBits) | 1<<r }

// Total returns the number of repairs.
func (t Tally) Total() int { return int(t >> reasonBits) }

// Reasons returns the set of reasons, as bits by Reason.
func (t Tally) Reasons() uint32 { return uint32(t & (1<<reasonBits - 1)) }

// Tally returns the state of the repairs: one to roll back to when what is
// written from now on is discarded.
func (w *Writer) Tally() Tally { return w.tally }

// Rollback forgets the repairs since Tally returned to.
func (w *Writer) Rollback(to Tally) {
	w.marks, w.tally = w.marks[:min(to.Total(), len(w.marks))], to
}

// First returns the first repair since Tally returned since; ok is false if
// there was none. Of those that are not listed it returns one whose reason
// is in the tally, so that it stays right.
func (w *Writer) First(since Tally) (reason Reason, detail string, ok bool) {
	if n := since.Total(); len(w.marks) > n {
		return w.marks[n].reason, w.marks[n].detail, true
	}
	fresh := w.tally.Reasons() &^ since.Reasons()
	if fresh == 0 {
		fresh = since.Reasons()
	}
	return Reason(bits.TrailingZeros32(fresh)), "", w.tally != since
}

// Clean reports whether nothing was repaired.
func (w *Writer) Clean() bool { return w.tally == 0 }
