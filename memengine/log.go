package memengine

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire"
)

// A log is one channel: its newest messages, and those who listen. There may be
// a million: what only few need is behind a pointer.
type log struct {
	// Static after construction.
	shard   *shard
	channel string
	epoch   string
	size    int           // messages kept
	ttl     time.Duration // how long

	// shard.mu guards the following. It is not held while a sink is called.
	messages ring[*surewire.Message] // kept, oldest first
	head     uint64                  // offset of the newest message
	short    int                     // kept messages with a TTL of their own
	known    *known                  // nil until a publication has an ID
	live     *live                   // nil while nobody listens
	used     time.Duration           // last time, since the start of the engine
}

// live is what a log needs while somebody listens.
type live struct {
	listeners  []*listener    // elements are never modified: deliver reads them without the lock
	queue      ring[delivery] // taken, not yet delivered
	seq        uint64         // counts messages, the ephemeral ones too
	delivering bool           // one call of deliver is at work
}

// A listener is one subscription.
type listener struct {
	sink  surewire.Sink
	after uint64 // messages up to this seq were there before it came
	gone  atomic.Bool
}

// A delivery is a message on its way to the listeners.
type delivery struct {
	seq uint64
	m   *surewire.Message
}

// maxQueue is how many messages may wait for their delivery, and maxBatch how
// many one publisher delivers, others' among them, before a goroutine goes on.
const (
	maxQueue = 1 << 16
	maxBatch = 64
)

// append places m at the end, unless its ID is known. The caller, who holds the
// lock, calls deliver without it if the turn is his.
func (l *log) append(m *surewire.Message) (done surewire.Published, turn bool, err error) {
	if l.live != nil && l.live.queue.n >= maxQueue {
		return surewire.Published{}, false, surewire.ErrBusy
	}
	now := l.shard.since(m.Time)
	l.used = now
	if m.ID != "" {
		if offset, ok := l.offsetOf(m.ID); ok {
			return surewire.Published{Position: surewire.Position{Epoch: l.epoch, Offset: offset}, Duplicate: true}, false, nil
		}
	}
	m.Position.Epoch = l.epoch
	if !m.Ephemeral {
		l.keep(m, now)
	} else if m.ID != "" {
		l.know(m.ID, 0)
		l.outlive(pastID{m.ID, 0, now}, now)
	}
	return surewire.Published{Position: m.Position}, l.live != nil && l.live.take(m), nil
}

// keep gives m its offset and stores it.
func (l *log) keep(m *surewire.Message, now time.Duration) {
	if l.messages.full() && l.messages.n < l.size {
		l.expire(now) // rather than grow
	}
	if l.messages.n >= l.size {
		l.drop(1, now)
	}
	l.head++
	m.Position.Offset = l.head
	l.messages.push(m, l.size)
	if m.TTL > 0 {
		l.short++
	}
	if m.ID != "" {
		l.know(m.ID, l.head)
	}
}

// drop forgets the n oldest messages.
func (l *log) drop(n int, now time.Duration) {
	for range n {
		m := l.messages.pop()
		if l.short > 0 && m.TTL > 0 {
			l.short--
		}
		if l.known != nil && m.ID != "" {
			l.outlive(pastID{m.ID, m.Position.Offset, l.shard.since(m.Time)}, now)
		}
	}
}

// expire drops the messages that are too old. A message whose own TTL is
// shorter than that of an older one waits for it, so that what is kept has no
// holes; history leaves it out.
func (l *log) expire(now time.Duration) {
	n := 0
	for n < l.messages.n && l.expired(*l.messages.at(n), now) {
		n++
	}
	l.drop(n, now)
}

func (l *log) expired(m *surewire.Message, now time.Duration) bool {
	ttl := l.ttl
	if m.TTL > 0 {
		ttl = min(ttl, m.TTL)
	}
	return now-l.shard.since(m.Time) >= ttl
}

// take queues m for the listeners. It reports whether nobody delivers: then the
// turn is the caller's.
func (v *live) take(m *surewire.Message) (turn bool) {
	v.seq++
	if len(v.listeners) > 0 {
		v.queue.push(delivery{v.seq, m}, maxQueue)
		turn = !v.delivering
		v.delivering = true
	}
	return turn
}

// deliver hands the queue to the listeners, in order. One call at a time does
// so for all; others leave their message to it. Where that does not end, a
// goroutine takes over from the publisher, until the queue is empty.
func (l *log) deliver() {
	for range maxBatch / len(batch{}) {
		if !l.deliverSome() {
			return
		}
	}
	go func() {
		for l.deliverSome() {
		}
	}()
}

// A batch is what is taken from the queue at once.
type batch [16]delivery

// deliverSome delivers a batch. It reports false if the queue was empty, and
// the turn is over.
func (l *log) deliverSome() bool {
	var buf batch
	todo, listeners := l.next(buf[:0])
	for _, d := range todo {
		for _, s := range listeners {
			if d.seq > s.after && !s.gone.Load() {
				s.sink.Deliver(l.channel, d.m)
			}
		}
	}
	return len(todo) > 0
}

// next moves what is queued to todo, as much as it holds.
func (l *log) next(todo []delivery) ([]delivery, []*listener) {
	l.shard.mu.Lock()
	defer l.shard.mu.Unlock()
	v := l.live
	for v.queue.n > 0 && len(todo) < cap(todo) {
		todo = append(todo, v.queue.pop())
	}
	if len(todo) == 0 {
		v.delivering = false
		if len(v.queue.buf) > maxBatch {
			v.queue.trim() // there was a burst
		}
		l.rest()
	}
	return todo, v.listeners
}

// rest lets go of what only listeners need, if there are none.
func (l *log) rest() {
	if len(l.live.listeners) == 0 && !l.live.delivering {
		l.live = nil
	}
}

// subscribe adds a listener.
func (l *log) subscribe(s surewire.Sink) (surewire.Position, *listener) {
	if l.live == nil {
		l.live = new(live)
	}
	one := &listener{sink: s, after: l.live.seq}
	l.live.listeners = append(l.live.listeners, one)
	return surewire.Position{Epoch: l.epoch, Offset: l.head}, one
}

func (l *log) unsubscribe(one *listener, now time.Duration) {
	if one.gone.Swap(true) || l.live == nil {
		return
	}
	l.used = now
	l.live.listeners = slices.DeleteFunc(slices.Clone(l.live.listeners), func(s *listener) bool { return s == one })
	l.rest()
}

// history reads after a position.
func (l *log) history(after surewire.Position, limit int, now time.Duration) surewire.History {
	l.used = now
	l.expire(now)
	h := surewire.History{Head: surewire.Position{Epoch: l.epoch, Offset: l.head}}
	first := l.head - uint64(l.messages.n) + 1
	h.Complete = (after.Epoch == "" || after.Epoch == l.epoch) && after.Offset <= l.head && after.Offset+1 >= first
	from := 0
	if h.Complete {
		from = int(after.Offset + 1 - first)
	}
	if l.short > 0 {
		return l.pick(h, from, limit, now)
	}
	if n := min(limit, l.messages.n-from); n > 0 {
		h.Messages = make([]*surewire.Message, n)
		l.messages.copyTo(h.Messages, from)
	}
	return h
}

// pick fills h with the messages from the i-th on that have not expired.
func (l *log) pick(h surewire.History, i, limit int, now time.Duration) surewire.History {
	for ; i < l.messages.n; i++ {
		m := *l.messages.at(i)
		if l.expired(m, now) {
			h.Complete = false
		} else if len(h.Messages) < limit {
			h.Messages = append(h.Messages, m)
		}
	}
	return h
}

// sweep drops what has expired, and reports whether the log itself has: nobody
// listens, nothing is kept, and nobody asked for as long as history lasts.
func (l *log) sweep(now time.Duration) bool {
	l.expire(now)
	l.messages.trim()
	if l.known != nil {
		l.sweepIDs(now)
	}
	return now-l.used >= l.ttl && l.live == nil && l.known == nil && l.messages.n == 0
}

// unused reports whether nothing would be lost with the log.
func (l *log) unused() bool { return l.head == 0 && l.live == nil && l.known == nil }

// close ends every subscription.
func (l *log) close() {
	if l.live == nil {
		return
	}
	for _, s := range l.live.listeners {
		s.gone.Store(true)
	}
	l.live.listeners, l.live.queue = nil, ring[delivery]{}
}
