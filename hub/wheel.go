package hub

import (
	"math/rand/v2"
	"sync"
	"time"
)

// wheelSlots is how many ticks a turn of the wheel has.
const wheelSlots = 25

// A wheel pings each connection once a turn, and later in the turn closes those
// that did not answer. Connections stand in random slots, so that pings spread.
type wheel struct {
	// Static after construction.
	tick time.Duration
	late int // ticks from a ping to the look for its pong
	done chan struct{}

	// mu guards the following.
	mu    sync.Mutex
	slots [wheelSlots]map[*conn]struct{}
	at    int
}

func newWheel(interval, pong time.Duration) *wheel {
	w := &wheel{tick: max(interval/wheelSlots, time.Millisecond), done: make(chan struct{})}
	// One tick more: the wheel's own lateness must not hide that of the pong.
	w.late = min(int((pong+w.tick-1)/w.tick)+1, wheelSlots-1)
	for i := range w.slots {
		w.slots[i] = make(map[*conn]struct{})
	}
	return w
}

// add returns the slot that c was put in.
func (w *wheel) add(c *conn) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	slot := rand.IntN(wheelSlots)
	w.slots[slot][c] = struct{}{}
	return slot
}

func (w *wheel) remove(c *conn, slot int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.slots[slot], c)
}

func (w *wheel) stop() { close(w.done) }

// run turns the wheel until stop.
func (w *wheel) run() {
	t := time.NewTicker(w.tick)
	defer t.Stop()
	for {
		select {
		case <-w.done:
			return
		case <-t.C:
		}
		due, late := w.turn()
		for _, c := range late {
			c.checkPong()
		}
		for _, c := range due {
			c.ping()
		}
	}
}

func (w *wheel) turn() (due, late []*conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = (w.at + 1) % wheelSlots
	for c := range w.slots[w.at] {
		due = append(due, c)
	}
	for c := range w.slots[(w.at-w.late+wheelSlots)%wheelSlots] {
		late = append(late, c)
	}
	return due, late
}
