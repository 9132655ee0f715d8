package hub

import (
	"context"
	"sync"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub/internal/tail"
	"github.com/surewire/surewire/wire"
)

// A channel is one live channel of the process: the tail of its log, and those
// who read it. It is the engine's sink.
type channel struct {
	// Static after construction.
	hub   *Hub
	name  string
	ready chan struct{} // closed when the engine has answered

	// Static once ready is closed.
	cancel func()
	err    error

	refs int // subscriptions, and those that wait to be one; guarded by Hub.mu

	// mu guards the following.
	mu      sync.Mutex
	tail    *tail.Tail
	subs    []*subscription
	readers []*subscription // a copy of subs for fanOut to read without mu; nil where subs has changed
	fanning bool            // one call of fanOut is at work
	fresh   bool            // the tail has what fanOut has not yet told of
	lost    bool            // continuity is gone: every subscription has been ended
}

// A subscription is a cursor of one connection over one channel.
type subscription struct {
	// Static after construction.
	conn    *conn
	channel *channel

	index  int         // in channel.subs; guarded by channel.mu
	cursor tail.Cursor // owned by the connection's writer, once live

	live  bool // its subscribe reply has been queued, and it has not ended; guarded by conn.mu
	woken bool // it is in conn.woken; guarded by conn.mu
}

// engineTimeout bounds how long an engine may take to begin a subscription or to
// read history, whoever waits for it.
const engineTimeout = 10 * time.Second

// join returns the live channel of name, which the caller must leave. The first
// to join subscribes to the engine; the others wait for it.
func (h *Hub) join(ctx context.Context, name string) (*channel, error) {
	h.mu.Lock()
	ch, ok := h.channels[name]
	if !ok {
		ch = &channel{hub: h, name: name, ready: make(chan struct{}), tail: tail.New(name, h.config.TailLen, h.config.TailBytes)}
		h.channels[name] = ch
		ch.refs++ // open's
	}
	ch.refs++
	h.mu.Unlock()
	if !ok {
		go ch.open(h.ctx) // ends within engineTimeout
	}
	select {
	case <-ch.ready:
		if ch.err != nil {
			h.leave(ch)
			return nil, ch.err
		}
		return ch, nil
	case <-ctx.Done():
		h.leave(ch)
		return nil, ctx.Err()
	}
}

// open subscribes to the engine, for all who wait, and then lets go of its own
// part in the channel.
func (ch *channel) open(ctx context.Context) {
	defer ch.hub.leave(ch)
	defer close(ch.ready)
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	head, end, err := ch.hub.config.Engine.Subscribe(ctx, ch.name, ch)
	if ch.err = err; err != nil {
		ch.hub.detach(ch)
		return
	}
	ch.cancel = end
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.tail.Begin(head)
}

// leave gives back a channel; the last ends the engine's subscription.
func (h *Hub) leave(ch *channel) {
	h.mu.Lock()
	ch.refs--
	last := ch.refs == 0
	if last && h.channels[ch.name] == ch {
		delete(h.channels, ch.name)
	}
	h.mu.Unlock()
	if last && ch.cancel != nil {
		ch.cancel()
	}
}

// detach makes the next to join begin anew.
func (h *Hub) detach(ch *channel) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.channels[ch.name] == ch {
		delete(h.channels, ch.name)
	}
}

// add makes s a reader. It reports false if the channel's continuity is gone.
// The caller holds mu.
func (ch *channel) add(s *subscription) bool {
	if ch.lost {
		return false
	}
	s.index = len(ch.subs)
	ch.subs = append(ch.subs, s)
	ch.readers = nil
	return true
}

// remove ends what add began.
func (ch *channel) remove(s *subscription) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if s.index >= len(ch.subs) || ch.subs[s.index] != s {
		return
	}
	last := len(ch.subs) - 1
	ch.subs[s.index] = ch.subs[last]
	ch.subs[s.index].index = s.index
	ch.subs[last] = nil
	ch.subs = ch.subs[:last]
	ch.readers = nil
}

// Deliver implements [surewire.Sink].
func (ch *channel) Deliver(name string, m *surewire.Message) {
	ch.mu.Lock()
	if ch.lost {
		ch.mu.Unlock()
		return
	}
	if !ch.tail.Push(m) {
		ch.mu.Unlock()
		ch.Lost(name)
		return
	}
	ch.fresh = true
	start := !ch.fanning && len(ch.subs) > 0
	ch.fanning = ch.fanning || start
	ch.mu.Unlock()
	if start {
		go ch.fanOut() // ends when the tail has nothing new
	}
}

// fanOut wakes the subscribers until the tail has nothing new. What is
// delivered meanwhile is told of in the next round, once for all of it: the
// busier the channel, the fewer the writes. It has a goroutine of its own, so
// that neither a publisher nor the engine pays for the writes of others.
func (ch *channel) fanOut() {
	for {
		ch.mu.Lock()
		if !ch.fresh {
			ch.fanning = false
			ch.mu.Unlock()
			return
		}
		ch.fresh = false
		if ch.readers == nil {
			ch.readers = append([]*subscription(nil), ch.subs...)
		}
		readers := ch.readers
		ch.mu.Unlock()
		for _, s := range readers {
			s.conn.wake(s)
		}
	}
}

// Lost implements [surewire.Sink]: every subscription is ended, so that the
// clients subscribe again and recover from history what they can.
func (ch *channel) Lost(string) {
	ch.mu.Lock()
	subs := ch.subs
	if ch.lost {
		subs = nil
	}
	ch.lost, ch.subs, ch.readers = true, nil, nil
	ch.mu.Unlock()
	ch.hub.detach(ch)
	go func() { // an engine must not be called from its own delivery; ends when all are told
		for _, s := range subs {
			s.conn.end(s, wire.InsufficientState)
		}
	}()
}

func (ch *channel) isLost() bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.lost
}

// read returns shared frames for s, and what it can have then.
func (ch *channel) read(s *subscription) ([]byte, tail.Reach) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.tail.Read(&s.cursor, s.conn.format)
}

var _ surewire.Sink = (*channel)(nil)
