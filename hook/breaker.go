package hook

import (
	"fmt"
	"sync"
	"time"
)

// A State is what the breaker of a [Client] does. It travels by name.
type State uint8

// States of a breaker.
const (
	Closed   State = iota // every request is made
	HalfOpen              // one request at a time is made, to see whether the backend is back
	Open                  // no request is made
)

var states = [...]string{"closed", "half-open", "open"}

// String returns the state's name.
func (s State) String() string {
	if int(s) < len(states) {
		return states[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// MarshalText implements [encoding.TextMarshaler].
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// An outcome is what a request says of the backend.
type outcome uint8

const (
	unclear outcome = iota // nothing: the client left, or the backend refused in good health
	worked
	failed
)

// A breaker decides whether a backend is asked. It has no goroutine and reads no
// clock: an open breaker becomes half-open when somebody asks it late enough.
type breaker struct {
	// Static after construction.
	openAfter  int // failures in a row that open it
	closeAfter int // successes in a row that close it
	openFor    time.Duration

	mu      sync.Mutex // guards the following
	state   State
	run     int       // failures in a row while closed, successes while half-open
	until   time.Time // when it has been open for long enough
	probing bool      // half-open, and a request is under way
	opened  uint64    // how often

	// round is changed by each change of state: a request of an earlier round
	// is old news, and must neither close nor open it.
	round uint64
}

// refuses reports whether begin would refuse now.
func (b *breaker) refuses(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wake(now)
	return b.state == Open || b.probing
}

// begin reports whether a request may be made now. If so, end must be called
// with its round.
func (b *breaker) begin(now time.Time) (round uint64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wake(now)
	if b.state == Open || b.probing {
		return 0, false
	}
	b.probing = b.state == HalfOpen
	return b.round, true
}

// end takes the outcome of a request. It returns the state, and whether this
// outcome brought it about.
func (b *breaker) end(round uint64, o outcome, now time.Time) (s State, changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if round != b.round {
		return b.state, false
	}
	b.probing = false
	switch {
	case o == unclear:
	case o == failed && b.state == HalfOpen:
		b.open(now)
	case o == failed:
		if b.run++; b.run >= b.openAfter {
			b.open(now)
		}
	case b.state == HalfOpen:
		if b.run++; b.run >= b.closeAfter {
			b.enter(Closed)
		}
	default:
		b.run = 0
	}
	return b.state, round != b.round
}

// now returns the state at that time, and how often the breaker has opened.
func (b *breaker) now(now time.Time) (State, uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wake(now)
	return b.state, b.opened
}

// wake makes a breaker half-open that has been open for long enough. b.mu is held.
func (b *breaker) wake(now time.Time) {
	if b.state == Open && !now.Before(b.until) {
		b.enter(HalfOpen)
	}
}

// open is called with b.mu held.
func (b *breaker) open(now time.Time) {
	b.enter(Open)
	b.until = now.Add(b.openFor)
	b.opened++
}

// enter is called with b.mu held.
func (b *breaker) enter(s State) {
	b.state, b.run, b.probing = s, 0, false
	b.round++
}
