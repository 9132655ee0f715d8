// Package wheel spreads one recurring look at each member over time: with one
// goroutine, and no timer per member.
package wheel

import (
	"math/rand/v2"
	"sync"
	"time"
)

// slots is how many ticks a turn of a wheel has.
const slots = 25

// A Wheel gives each member a turn once per interval, and later in the interval
// a second look. Members stand in random slots, so that turns spread.
type Wheel[T comparable] struct {
	// Static after construction.
	tick  time.Duration
	later int // ticks from the turn to the second look
	done  chan struct{}

	// mu guards the following.
	mu      sync.Mutex
	members [slots]map[T]struct{}
	at      int
}

// New returns a wheel that turns once per interval and looks a second time
// after delay, or up to two ticks later. Delay should be well below interval.
func New[T comparable](interval, delay time.Duration) *Wheel[T] {
	w := &Wheel[T]{tick: max(interval/slots, time.Millisecond), done: make(chan struct{})}
	// One tick more: that a turn comes late must not hide that delay is over.
	w.later = min(int((delay+w.tick-1)/w.tick)+1, slots-1)
	for i := range w.members {
		w.members[i] = make(map[T]struct{})
	}
	return w
}

// Add gives one a slot, and returns it.
func (w *Wheel[T]) Add(one T) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	slot := rand.IntN(slots)
	w.members[slot][one] = struct{}{}
	return slot
}

// Remove takes one out of its slot.
func (w *Wheel[T]) Remove(one T, slot int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.members[slot], one)
}

// Stop ends Run. It is called once.
func (w *Wheel[T]) Stop() { close(w.done) }

// Run turns the wheel until Stop. It calls look and turn from its own goroutine,
// without a lock.
func (w *Wheel[T]) Run(turn, look func(T)) {
	t := time.NewTicker(w.tick)
	defer t.Stop()
	for {
		select {
		case <-w.done:
			return
		case <-t.C:
		}
		due, late := w.next()
		for _, one := range late {
			look(one)
		}
		for _, one := range due {
			turn(one)
		}
	}
}

// next returns whose turn it is, and who is looked at a second time.
func (w *Wheel[T]) next() (due, late []T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = (w.at + 1) % slots
	for one := range w.members[w.at] {
		due = append(due, one)
	}
	for one := range w.members[(w.at-w.later+slots)%slots] {
		late = append(late, one)
	}
	return due, late
}
