// Package line holds what orders the publishers of a channel, and what is
// remembered of channels for a while.
package line

import (
	"context"
	"slices"
	"sync"

	"github.com/surewire/surewire"
)

// Lines are queues, one per name: who is at the front has its turn. They take no
// memory where nobody waits.
type Lines struct {
	// Static after construction.
	max  int // who wait or have their turn, in all lines
	each int // in one line

	// mu guards the following.
	mu    sync.Mutex
	lines map[string][]*Place // the first has its turn
	total int
}

// A Place is one in a line. Leave ends it.
type Place struct {
	// Static after construction.
	lines *Lines
	name  string
	turn  chan struct{} // closed when the turn has come; nil if it had at once

	then func() // called in place of closing turn; guarded by Lines.mu
}

// NewLines returns lines for as many as max, and each for one line.
func NewLines(max, each int) *Lines {
	return &Lines{max: max, each: each, lines: make(map[string][]*Place)}
}

// Join takes the place at the end of the line of name. It fails with
// [surewire.ErrBusy] where too many wait.
func (l *Lines) Join(name string) (*Place, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := l.lines[name]
	if l.total >= l.max || len(queue) >= l.each {
		return nil, surewire.ErrBusy
	}
	p := &Place{lines: l, name: name}
	if len(queue) > 0 {
		p.turn = make(chan struct{})
	}
	l.lines[name] = append(queue, p)
	l.total++
	return p, nil
}

// Then calls f once the turn has come: now, or by who has it before and leaves. It
// is for who does not Wait.
func (p *Place) Then(f func()) {
	l := p.lines
	l.mu.Lock()
	now := l.lines[p.name][0] == p
	if !now {
		p.then = f
	}
	l.mu.Unlock()
	if now {
		f()
	}
}

// Wait waits for the turn. It fails with ctx's error.
func (p *Place) Wait(ctx context.Context) error {
	if p.turn == nil {
		return nil
	}
	select {
	case <-p.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Leave takes p out of its line: where it had its turn, the next has it.
func (p *Place) Leave() {
	if next := p.leave(); next != nil {
		next()
	}
}

// leave is Leave, and returns what to call for who has the turn now.
func (p *Place) leave() (next func()) {
	l := p.lines
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := l.lines[p.name]
	l.total--
	if queue[0] != p {
		l.lines[p.name] = slices.DeleteFunc(queue, func(q *Place) bool { return q == p })
		return nil
	}
	queue[0] = nil
	if queue = queue[1:]; len(queue) == 0 {
		delete(l.lines, p.name)
		return nil
	}
	l.lines[p.name] = queue
	if queue[0].then == nil {
		close(queue[0].turn)
	}
	return queue[0].then
}

// Waiting returns how many wait or have their turn.
func (l *Lines) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

// Recent remembers values for a while: the newest by number, and what is asked
// for stays longer. Forgetting costs nothing at the time.
type Recent[K comparable, V any] struct {
	max int // of each generation

	// mu guards the following.
	mu         sync.Mutex
	young, old map[K]V
}

// NewRecent returns a memory for max to twice as many values.
func NewRecent[K comparable, V any](max int) *Recent[K, V] {
	return &Recent[K, V]{max: max, young: make(map[K]V)}
}

// Get returns the value of k, if it is remembered.
func (r *Recent[K, V]) Get(k K) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.young[k]; ok {
		return v, true
	}
	v, ok := r.old[k]
	if ok {
		r.put(k, v)
	}
	return v, ok
}

// Update remembers what fn makes of the value of k, and returns it.
func (r *Recent[K, V]) Update(k K, fn func(v V, ok bool) V) V {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.young[k]
	if !ok {
		v, ok = r.old[k]
	}
	v = fn(v, ok)
	r.put(k, v)
	return v
}

// Put remembers v.
func (r *Recent[K, V]) Put(k K, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(k, v)
}

// Clear forgets everything.
func (r *Recent[K, V]) Clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.young, r.old = make(map[K]V), nil
}

func (r *Recent[K, V]) put(k K, v V) {
	if _, ok := r.young[k]; !ok && len(r.young) >= r.max {
		r.old, r.young = r.young, make(map[K]V)
	}
	r.young[k] = v
}
