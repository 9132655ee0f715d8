package output

import "reflect"

// A State is what a Writer goes back to when a part of the output is abandoned.
type State struct {
	at, brim, depth int
	tally           Tally
}

// Here returns the state at the end of b.
func (w *Writer) Here(b []byte) State { return State{len(b), w.brim, w.depth, w.tally} }

// Abandon replaces what was written of w.Root since Here returned s, and
// forgets what is open.
func (w *Writer) Abandon(b []byte, s State, detail string) []byte {
	clear(w.Anys[:cap(w.Anys)])
	clear(w.Strings[:cap(w.Strings)])
	clear(w.Keys[:cap(w.Keys)])
	w.entered, w.beyond, w.far = 0, nil, nil
	w.Anys, w.Strings, w.Ranks, w.Keys = w.Anys[:0], w.Strings[:0], w.Ranks[:0], w.Keys[:0]
	w.brim, w.depth, w.full = s.brim, s.depth, false
	w.Rollback(s.tally)
	return w.Replace(b[:s.at], reflect.TypeOf(w.Root), Internal, detail)
}

// Reserve keeps n more bytes free for what is written otherwise; with n below
// zero it gives them back. It does nothing once the output is full.
func (w *Writer) Reserve(n int) {
	if !w.full {
		w.brim -= n
	}
}
