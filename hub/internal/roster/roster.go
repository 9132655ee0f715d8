// Package roster is who is connected: by ID, and by user once that is known.
package roster

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A Member is one connection's place in a roster. The zero Member is in none.
type Member[T any] struct {
	Of T // who it is; static

	// Guarded by Roster.mu.
	id, user   string
	named      bool
	next, prev *Member[T] // of the same user
}

// A Roster finds connections. Its methods may be called concurrently.
type Roster[T any] struct {
	mu     sync.Mutex
	ids    map[string]*Member[T]
	users  map[string]*Member[T] // the first of each user's
	closed bool
	empty  chan struct{} // closed when the roster is closed and nobody is left
}

// New returns an empty roster.
func New[T any]() *Roster[T] {
	return &Roster[T]{ids: make(map[string]*Member[T]), users: make(map[string]*Member[T]), empty: make(chan struct{})}
}

// Add takes m in, under an ID of its own. It reports false if the roster is closed.
func (r *Roster[T]) Add(m *Member[T], id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	m.id = id
	r.ids[id] = m
	return true
}

// Why somebody is not named.
var (
	ErrClosed = errors.New("the roster is closed")
	ErrFull   = errors.New("the user is there too often")
)

// Name makes m one of user's; only then is it found. A limit that is not 0 is
// how many a user may have who has a name.
func (r *Roster[T]) Name(m *Member[T], user string, limit int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	if limit > 0 && user != "" {
		for other := r.users[user]; other != nil; other = other.next {
			if limit--; limit == 0 {
				return ErrFull
			}
		}
	}
	m.named, m.user = true, user
	if m.next = r.users[user]; m.next != nil {
		m.next.prev = m
	}
	r.users[user] = m
	return nil
}

// Remove takes m out.
func (r *Roster[T]) Remove(m *Member[T]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.ids, m.id)
	if m.named {
		r.unname(m)
	}
	if r.closed && len(r.ids) == 0 {
		close(r.empty)
	}
}

func (r *Roster[T]) unname(m *Member[T]) {
	if m.next != nil {
		m.next.prev = m.prev
	}
	switch {
	case m.prev != nil:
		m.prev.next = m.next
	case m.next != nil:
		r.users[m.user] = m.next
	default:
		delete(r.users, m.user)
	}
}

// Find returns those of user, or the one with the ID: only if it is user's,
// where user is not empty.
func (r *Roster[T]) Find(user, id string) (all []T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id != "" {
		if m := r.ids[id]; m != nil && m.named && (user == "" || user == m.user) {
			all = append(all, m.Of)
		}
		return all
	}
	for m := r.users[user]; m != nil; m = m.next {
		all = append(all, m.Of)
	}
	return all
}

// All returns everybody, in no order.
func (r *Roster[T]) All() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]T, 0, len(r.ids))
	for _, m := range r.ids {
		all = append(all, m.Of)
	}
	return all
}

// Len returns how many there are.
func (r *Roster[T]) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ids)
}

// Users returns how many users are named.
func (r *Roster[T]) Users() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.users)
}

// Close lets nobody in any more. It returns a channel that is closed when the
// last has been removed, nil if the roster was closed before.
func (r *Roster[T]) Close() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	if len(r.ids) == 0 {
		close(r.empty)
	}
	return r.empty
}

// Dismiss calls f for everybody, a millisecond apart, so that those who are sent
// away do not come back as one; but it takes at most half of the time that ctx
// leaves.
func (r *Roster[T]) Dismiss(ctx context.Context, f func(T)) {
	all := r.All()
	window := time.Duration(len(all)) * time.Millisecond
	if end, ok := ctx.Deadline(); ok {
		window = min(window, time.Until(end)/2)
	}
	const step = 10 * time.Millisecond
	steps := max(1, int(window/step))
	for i := range steps {
		for _, one := range all[i*len(all)/steps : (i+1)*len(all)/steps] {
			f(one)
		}
		if i == steps-1 {
			return
		}
		select {
		case <-time.After(step):
		case <-ctx.Done(): // the rest at once
		}
	}
}
