package memengine

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire"
)

// A log is one channel: its newest messages, and those who listen.
type log struct {
	// Static after construction.
	channel string
	config  Config
	epoch   string

	// mu guards the following. It is not held while a sink is called.
	mu         sync.Mutex
	messages   []*surewire.Message          // kept, oldest first
	head       uint64                       // offset of the newest message
	seq        uint64                       // counts messages, the ephemeral ones too
	ids        map[string]surewire.Position // of the kept messages that have an ID
	listeners  []*listener                  // replaced, never modified: deliver reads it without mu
	queue      []queued                     // taken, not yet delivered
	delivering bool                         // one call of deliver is at work
	used       time.Time
	retired    bool // no longer the channel's log: the engine must be asked again
}

// A listener is one subscription.
type listener struct {
	sink  surewire.Sink
	after uint64 // messages up to this seq were there before it came
	gone  atomic.Bool
}

type queued struct {
	seq uint64
	m   *surewire.Message
}

func newLog(channel, epoch string, c Config) *log {
	return &log{channel: channel, config: c, epoch: epoch, used: time.Now()}
}

// maxQueue is how many messages may wait for their delivery, and maxBatch how
// many one publisher delivers, others' among them, before a goroutine goes on.
const (
	maxQueue = 1 << 16
	maxBatch = 64
)

// append places p at the end. It reports false if l is retired.
func (l *log) append(p surewire.Publication, now time.Time) (done surewire.Published, ok bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retired {
		return surewire.Published{}, false, nil
	}
	if len(l.queue) >= maxQueue {
		return surewire.Published{}, true, surewire.ErrBusy
	}
	l.used = now
	l.expire(now)
	if pos, ok := l.ids[p.ID]; ok && p.ID != "" {
		return surewire.Published{Position: pos, Duplicate: true}, true, nil
	}
	m := &surewire.Message{Publication: p, Time: now, Position: surewire.Position{Epoch: l.epoch}}
	if !p.Ephemeral {
		l.keep(m)
	}
	l.seq++
	if len(l.listeners) > 0 {
		l.queue = append(l.queue, queued{l.seq, m})
	}
	return surewire.Published{Position: m.Position}, true, nil
}

// keep gives m its offset and stores it.
func (l *log) keep(m *surewire.Message) {
	l.head++
	m.Position.Offset = l.head
	if len(l.messages) >= l.config.HistorySize {
		l.drop(len(l.messages) - l.config.HistorySize + 1)
	}
	l.messages = append(l.messages, m)
	if m.ID != "" {
		if l.ids == nil {
			l.ids = make(map[string]surewire.Position)
		}
		l.ids[m.ID] = m.Position
	}
}

// drop forgets the n oldest messages.
func (l *log) drop(n int) {
	for i, m := range l.messages[:n] {
		delete(l.ids, m.ID)
		l.messages[i] = nil
	}
	l.messages = l.messages[n:]
}

// expire drops the messages that are too old. A message whose own TTL is
// shorter than that of an older one waits for it, so that what is kept has no
// holes; history leaves it out.
func (l *log) expire(now time.Time) {
	n := 0
	for n < len(l.messages) && expired(l.messages[n], l.config.HistoryTTL, now) {
		n++
	}
	l.drop(n)
}

func expired(m *surewire.Message, ttl time.Duration, now time.Time) bool {
	if m.TTL > 0 {
		ttl = min(ttl, m.TTL)
	}
	return now.Sub(m.Time) >= ttl
}

// deliver hands the queue to the listeners, in order. One call at a time does
// so for all; others leave their message to it. Where that does not end, a
// goroutine takes over from the publisher, until the queue is empty.
func (l *log) deliver() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.delivering {
		return
	}
	l.delivering = true
	if l.deliverSome(maxBatch); len(l.queue) == 0 {
		l.delivering = false
		return
	}
	go func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for len(l.queue) > 0 {
			l.deliverSome(maxQueue)
		}
		l.delivering = false
	}()
}

// deliverSome delivers what is queued, at most limit messages. The caller holds
// mu, which is let go for the deliveries.
func (l *log) deliverSome(limit int) {
	for limit > 0 && len(l.queue) > 0 {
		batch, listeners := l.queue[:min(len(l.queue), limit)], l.listeners
		l.queue = l.queue[len(batch):]
		limit -= len(batch)
		l.mu.Unlock()
		for _, q := range batch {
			for _, s := range listeners {
				if q.seq > s.after && !s.gone.Load() {
					s.sink.Deliver(l.channel, q.m)
				}
			}
		}
		clear(batch)
		l.mu.Lock()
	}
}

// subscribe adds a listener. It reports false if l is retired.
func (l *log) subscribe(s surewire.Sink) (surewire.Position, *listener, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retired {
		return surewire.Position{}, nil, false
	}
	one := &listener{sink: s, after: l.seq}
	l.listeners = append(slices.Clone(l.listeners), one)
	return surewire.Position{Epoch: l.epoch, Offset: l.head}, one, true
}

func (l *log) unsubscribe(one *listener) {
	one.gone.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used = time.Now()
	l.listeners = slices.DeleteFunc(slices.Clone(l.listeners), func(s *listener) bool { return s == one })
}

// history reads after a position. It reports false if l is retired.
func (l *log) history(after surewire.Position, limit int, now time.Time) (surewire.History, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retired {
		return surewire.History{}, false
	}
	l.used = now
	l.expire(now)
	h := surewire.History{Head: surewire.Position{Epoch: l.epoch, Offset: l.head}}
	first := l.head - uint64(len(l.messages)) + 1
	h.Complete = (after.Epoch == "" || after.Epoch == l.epoch) && after.Offset <= l.head && after.Offset+1 >= first
	from := 0
	if h.Complete {
		from = int(after.Offset + 1 - first)
	}
	for _, m := range l.messages[from:] {
		if expired(m, l.config.HistoryTTL, now) {
			h.Complete = false
			continue
		}
		if len(h.Messages) < limit {
			h.Messages = append(h.Messages, m)
		}
	}
	return h, true
}

// retire drops what has expired, and reports whether the log itself has: nobody
// listens, nothing is kept, and nobody asked for as long as history lasts.
func (l *log) retire(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire(now)
	l.retired = now.Sub(l.used) >= l.config.HistoryTTL && len(l.listeners) == 0 && len(l.messages) == 0 && len(l.queue) == 0
	return l.retired
}

// unused retires the log if it never had a message and nobody listens.
func (l *log) unused() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.head > 0 || len(l.listeners) > 0 || len(l.queue) > 0 {
		return false
	}
	l.retired = true
	return true
}

// close ends every subscription.
func (l *log) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.listeners {
		s.gone.Store(true)
	}
	l.listeners, l.queue, l.messages, l.ids, l.retired = nil, nil, nil, nil, true
}
