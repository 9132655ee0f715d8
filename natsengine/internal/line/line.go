// Package line holds what orders the publishers of a channel, and what is
// remembered of channels for a while.
package line

import (
	"context"
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
	lines map[string][]*ticket // the first has its turn
	total int
}

// A ticket is a place in a line.
type ticket struct{ turn chan struct{} }

// NewLines returns lines for as many as max, and each for one line.
func NewLines(max, each int) *Lines {
	return &Lines{max: max, each: each, lines: make(map[string][]*ticket)}
}

// Enter waits for a turn in the line of name, which leave ends. It fails with
// [surewire.ErrBusy] where too many wait, and with ctx's error.
func (l *Lines) Enter(ctx context.Context, name string) (leave func(), err error) {
	l.mu.Lock()
	queue := l.lines[name]
	if l.total >= l.max || len(queue) >= l.each {
		l.mu.Unlock()
		return nil, surewire.ErrBusy
	}
	t := &ticket{}
	if len(queue) > 0 {
		t.turn = make(chan struct{})
	}
	l.lines[name] = append(queue, t)
	l.total++
	l.mu.Unlock()
	leave = func() { l.leave(name, t) }
	if t.turn == nil {
		return leave, nil
	}
	select {
	case <-t.turn:
		return leave, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}

// leave takes t out of its line, and lets the next have its turn.
func (l *Lines) leave(name string, t *ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := l.lines[name]
	l.total--
	if queue[0] != t {
		for i := range queue {
			if queue[i] == t {
				l.lines[name] = append(queue[:i], queue[i+1:]...)
				return
			}
		}
	}
	queue[0] = nil
	if queue = queue[1:]; len(queue) == 0 {
		delete(l.lines, name)
		return
	}
	l.lines[name] = queue
	close(queue[0].turn)
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
