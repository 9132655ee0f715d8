package output

import "reflect"

// A state is what a Writer goes back to when a part of the output is abandoned.
type state struct {
	brim, depth int
	tally       Tally
}

// Mark takes note of where a part of the output starts.
func (w *Writer) Mark() { w.part = state{w.brim, w.depth, w.tally} }

// Abandon appends to b, which is as it was at Mark, a replacement of w.Root, and
// forgets what is open.
func (w *Writer) Abandon(b []byte, detail string) []byte {
	clear(w.Anys[:cap(w.Anys)])
	clear(w.Strings[:cap(w.Strings)])
	clear(w.Keys[:cap(w.Keys)])
	w.entered, w.beyond, w.far = 0, nil, nil
	w.Anys, w.Strings, w.Ranks, w.Keys = w.Anys[:0], w.Strings[:0], w.Ranks[:0], w.Keys[:0]
	w.brim, w.depth, w.full = w.part.brim, w.part.depth, false
	w.Rollback(w.part.tally)
	return w.Replace(b, reflect.TypeOf(w.Root), Internal, detail)
}

// Reserve keeps n more bytes free for what is written otherwise; with n below
// zero it gives them back. It does nothing once the output is full.
func (w *Writer) Reserve(n int) {
	if !w.full {
		w.brim -= n
	}
}
