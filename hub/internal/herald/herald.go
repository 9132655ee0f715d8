// Package herald tells the readers of a channel that one of them comes and goes:
// each at most once, and in this order, whatever happens at the same time.
package herald

import "sync/atomic"

// A Herald is what others know of a reader. The zero Herald is one they know
// nothing of.
type Herald struct{ told atomic.Int32 }

// What others know.
const (
	nothing = iota
	coming  // they are being told
	here
	gone
)

// Join tells that the reader has come. If it has left by the time that is done,
// Join tells that too.
func (h *Herald) Join(joined, left func()) {
	if !h.told.CompareAndSwap(nothing, coming) {
		return
	}
	joined()
	if !h.told.CompareAndSwap(coming, here) {
		left()
	}
}

// Leave says that the reader has left. It reports whether that is news, and
// whether others are to be told.
func (h *Herald) Leave() (news, tell bool) {
	was := h.told.Swap(gone)
	return was != gone, was == here
}
