package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/surewire/surewire/bench/encode/internal/measure"
)

// progress tells how far the measurement is: in one line of a terminal, and in
// a line now and then elsewhere.
type progress struct {
	w           io.Writer
	terminal    bool
	start, last time.Time
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, start: time.Now()}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

func (p *progress) tick(done, all int) {
	every := 15 * time.Second
	if p.terminal {
		every = time.Second
	}
	now := time.Now()
	if now.Sub(p.last) < every {
		return
	}
	p.last = now
	text := fmt.Sprintf("%3d %% measured, %v left", 100*done/all, measure.Remaining(now.Sub(p.start), done, all))
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K%s", text)
	} else {
		fmt.Fprintln(p.w, text)
	}
}

// done clears the line.
func (p *progress) done() {
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
