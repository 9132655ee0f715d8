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
	due     map[int64]map[T]struct{} // by the second, since 1970, at which their time comes
	dueAt   map[T]int64
	passed  int64 // the second up to which due has been looked at
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
	w.due, w.dueAt, w.passed = make(map[int64]map[T]struct{}), make(map[T]int64), time.Now().Unix()
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

// Schedule has Run call due with one at a time, or up to two seconds later;
// once, and where there are several calls, at the earliest of them.
func (w *Wheel[T]) Schedule(one T, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	second := max(at.Unix(), w.passed) + 1
	if was, ok := w.dueAt[one]; ok {
		if was <= second {
			return
		}
		w.cancel(one, was)
	}
	if w.due[second] == nil {
		w.due[second] = make(map[T]struct{})
	}
	w.due[second][one] = struct{}{}
	w.dueAt[one] = second
}

// cancel takes one out of the second. The caller holds mu.
func (w *Wheel[T]) cancel(one T, second int64) {
	delete(w.dueAt, one)
	delete(w.due[second], one)
	if len(w.due[second]) == 0 {
		delete(w.due, second)
	}
}

// Remove takes one out of its slot, -1 for none, and out of what is scheduled.
func (w *Wheel[T]) Remove(one T, slot int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if slot >= 0 {
		delete(w.members[slot], one)
	}
	if second, ok := w.dueAt[one]; ok {
		w.cancel(one, second)
	}
}

// Stop ends Run. It is called once.
func (w *Wheel[T]) Stop() { close(w.done) }

// Run turns the wheel until Stop. It calls turn, look and due from its own
// goroutine, without a lock.
func (w *Wheel[T]) Run(turn, look, due func(T)) {
	t := time.NewTicker(w.tick)
	defer t.Stop()
	seconds := time.NewTicker(time.Second)
	defer seconds.Stop()
	for {
		select {
		case <-w.done:
			return
		case now := <-seconds.C:
			for _, one := range w.pass(now.Unix()) {
				due(one)
			}
		case <-t.C:
			next, late := w.next()
			for _, one := range late {
				look(one)
			}
			for _, one := range next {
				turn(one)
			}
		}
	}
}

// pass returns those whose time has come.
func (w *Wheel[T]) pass(now int64) (all []T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	pass := func(second int64) {
		for one := range w.due[second] {
			all = append(all, one)
			delete(w.dueAt, one)
		}
		delete(w.due, second)
	}
	if now-w.passed <= int64(len(w.due)) {
		for second := w.passed + 1; second <= now; second++ {
			pass(second)
		}
	} else { // a clock that is set may pass over years
		for second := range w.due {
			if second <= now {
				pass(second)
			}
		}
	}
	w.passed = max(w.passed, now)
	return all
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
