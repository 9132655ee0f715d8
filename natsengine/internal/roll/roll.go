// Package roll is the processes that answer questions of each other: who they
// are, and which have yet to answer one. It knows nothing of how they are reached.
package roll

import (
	"context"
	"maps"
	"sync"
	"time"
)

// A Roll is what one process knows of the others: whom it has heard. Its methods
// may be called concurrently.
type Roll[A any] struct {
	patience time.Duration // static after construction

	// mu guards the following.
	mu    sync.Mutex
	peers map[string]struct{}
	asked map[uint64]*question[A]
	last  uint64 // question
}

// A question is one that waits for answers.
type question[A any] struct {
	waiting map[string]struct{} // peers; guarded by Roll.mu
	answers []A                 // guarded by Roll.mu
	heardAt time.Time           // when the last came; guarded by Roll.mu
	done    chan struct{}       // closed when nobody is waited for
}

// New returns a Roll that waits for answers no longer than patience.
func New[A any](patience time.Duration) *Roll[A] {
	return &Roll[A]{patience: patience, peers: make(map[string]struct{}), asked: make(map[uint64]*question[A])}
}

// Heard notes that peer is there.
func (r *Roll[A]) Heard(peer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.peers[peer] = struct{}{}
}

// Gone notes that peer is not there any more: nobody waits for it.
func (r *Roll[A]) Gone(peer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.peers, peer)
	for _, q := range r.asked {
		q.need(peer)
	}
}

// need has q wait no longer for peer. The caller holds Roll.mu.
func (q *question[A]) need(peer string) {
	if _, ok := q.waiting[peer]; !ok {
		return
	}
	if delete(q.waiting, peer); len(q.waiting) == 0 {
		close(q.done)
	}
}

// Ask has send put a question to all, by a number, and returns what they answer
// until nothing has come for as long as the Roll's patience. Who is not done then is
// taken to be gone, until it is heard again. It fails with the errors of send and of ctx.
func (r *Roll[A]) Ask(ctx context.Context, send func(number uint64) error) ([]A, error) {
	r.mu.Lock()
	r.last++
	number, q := r.last, &question[A]{waiting: maps.Clone(r.peers), heardAt: time.Now(), done: make(chan struct{})}
	if len(q.waiting) == 0 {
		close(q.done)
	}
	r.asked[number] = q
	r.mu.Unlock()

	err := send(number)
	if err == nil {
		err = r.wait(ctx, q)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.asked, number)
	if err != nil {
		return nil, err
	}
	for peer := range q.waiting {
		delete(r.peers, peer)
	}
	return q.answers, nil
}

// wait waits until q is done, or patience is over; it returns ctx's error.
func (r *Roll[A]) wait(ctx context.Context, q *question[A]) error {
	for left := r.patience; left > 0; {
		timer := time.NewTimer(left)
		select {
		case <-q.done:
			timer.Stop()
			return nil
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		r.mu.Lock()
		left = r.patience - time.Since(q.heardAt)
		r.mu.Unlock()
	}
	return nil
}

// Answered takes a part of peer's answer to the question of that number, which
// may be over; last is its last part.
func (r *Roll[A]) Answered(number uint64, peer string, a A, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.peers[peer] = struct{}{}
	q := r.asked[number]
	if q == nil {
		return
	}
	q.answers, q.heardAt = append(q.answers, a), time.Now()
	if last {
		q.need(peer)
	}
}
