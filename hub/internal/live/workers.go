package live

import (
	"runtime"
	"sync"
)

// workers are goroutines that stand ready to wake readers: a busy channel costs
// no goroutine of its own, and a quiet one no more than a place in the queue,
// which each channel has once at most.
type workers struct {
	mu     sync.Mutex
	ready  sync.Cond // the queue is no longer empty, or closed is set
	queue  []*Channel
	closed bool
}

// start starts the goroutines, which end with close.
func (w *workers) start() {
	w.ready.L = &w.mu
	for range 4 * runtime.GOMAXPROCS(0) { // more than processors: some wait in a channel of many readers
		go func() {
			for ch := w.next(); ch != nil; ch = w.next() {
				ch.fanOut()
			}
		}()
	}
}

// next waits for a channel; nil is the end.
func (w *workers) next() *Channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 && !w.closed {
		w.ready.Wait()
	}
	if w.closed {
		return nil
	}
	ch := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	return ch
}

// put has ch's readers woken soon.
func (w *workers) put(ch *Channel) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, ch)
	w.ready.Signal()
}

func (w *workers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed, w.queue = true, nil
	w.ready.Broadcast()
}
