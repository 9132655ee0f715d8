package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/wire"
)

// A conn is one client. Two goroutines may work for it: the reader, which
// carries out commands, and the writer: whoever has claimed writing, be it the
// reader, a channel that fans out, the wheel, or a goroutine of its own that
// waits for the socket.
type conn struct {
	// Static after construction.
	hub       *Hub
	ctx       context.Context // done when the connection is to end
	cancel    context.CancelFunc
	id        string
	transport Transport
	format    *Format

	// Owned by the reader.
	user      string
	slot      int         // on the wheel, once connected
	connectBy *time.Timer // closes a client that says nothing

	// Owned by the writer.
	taken   []*subscription // being written for; swapped with woken
	late    []*subscription // fell behind their tails: history is to be read
	reads   int             // of history, since readsOf
	readsOf time.Time

	writers sync.WaitGroup // goroutines that wait for the socket
	room    chan struct{}  // holds a token after out got shorter

	// mu guards the following.
	mu       sync.Mutex
	state    State
	bye      surewire.Disconnect // what the client is told; once Draining
	subs     map[string]*subscription
	out      []byte          // frames of its own: replies, pings, ends of subscriptions
	woken    []*subscription // may have something after their cursors
	writing  bool            // somebody is the writer
	blocking bool            // and may be waiting for the socket
	working  bool            // the reader carries out a frame: a pong may wait behind it
	pinging  bool            // out has a ping
	pinged   time.Time       // when the ping went that has no pong yet; zero if there is none
}

func newConn(ctx context.Context, h *Hub, t Transport, f *Format) *conn {
	ctx, cancel := context.WithCancel(ctx)
	return &conn{hub: h, ctx: ctx, cancel: cancel, id: rand.Text(), transport: t, format: f, slot: -1, room: make(chan struct{}, 1)}
}

// serve reads until the connection ends, and returns when nothing of it is left.
func (c *conn) serve() error {
	c.connectBy = time.AfterFunc(c.hub.config.ConnectTimeout, func() { c.close(surewire.DisconnectStale) })
	err := c.read()
	c.connectBy.Stop()
	c.mu.Lock()
	if c.state == Draining {
		err = c.bye
	}
	c.state = Closed
	subs := c.subs
	c.subs = nil
	for _, s := range subs {
		s.live = false
	}
	c.mu.Unlock()
	c.cancel()
	c.transport.Close(surewire.DisconnectNormal)
	if c.slot >= 0 {
		c.hub.wheel.Remove(c, c.slot)
	}
	for _, s := range subs {
		s.leave()
	}
	c.writers.Wait()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// read carries out what the client sends until that fails.
func (c *conn) read() error {
	for {
		frame, err := c.transport.Read()
		if err != nil {
			return err
		}
		if !c.work(true) {
			continue // until the client or Close ends the stream
		}
		c.frame(frame)
		c.work(false)
		c.flush()
	}
}

// frameTimeout bounds the work for one frame, whatever an engine or an
// [Authorizer] takes: the client may be gone, and its reader sees that only
// between frames.
const frameTimeout = 20 * time.Second

// frame carries out the commands of one frame.
func (c *conn) frame(frame []byte) {
	ctx, cancel := context.WithTimeout(c.ctx, frameTimeout)
	defer cancel()
	for cmd, err := range wire.Commands(frame) {
		if err == nil {
			err = c.do(ctx, cmd)
		}
		if err != nil {
			c.close(disconnectFor(err))
			return
		}
		if !c.awaitRoom() {
			return
		}
	}
}

// work notes that the reader begins, or ends, to carry out a frame. It reports
// false if the connection is to end.
func (c *conn) work(begins bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.working = begins
	return c.state < Draining
}

// maxOwed is how many bytes of replies may wait for a client before its next
// command does.
const maxOwed = 1 << 20

// awaitRoom lets a client that asks and does not read wait, until it reads or
// the write time-out ends it. It reports false if the connection is to end.
func (c *conn) awaitRoom() bool {
	for {
		c.mu.Lock()
		ended, full := c.state >= Draining, len(c.out) > maxOwed
		start := !ended && full && c.claim()
		c.mu.Unlock()
		switch {
		case ended || !full:
			return !ended
		case start:
			c.write()
		default:
			select {
			case <-c.room:
			case <-c.ctx.Done():
				return false
			}
		}
	}
}

// madeRoom wakes awaitRoom.
func (c *conn) madeRoom() {
	select {
	case c.room <- struct{}{}:
	default:
	}
}

// disconnectFor returns what a client is told that is closed for err.
func disconnectFor(err error) surewire.Disconnect {
	var d surewire.Disconnect
	switch {
	case errors.As(err, &d):
		return d
	case errors.Is(err, wire.ErrFrame):
		return surewire.DisconnectBadRequest
	}
	return surewire.DisconnectServerError
}

// reply queues one payload. It leaves when the reader or the writer flushes.
func (c *conn) reply(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = c.format.Frame(c.out, payload)
}

// close tells the client d and ends the connection, after what is queued for it
// if that goes without waiting.
func (c *conn) close(d surewire.Disconnect) {
	c.mu.Lock()
	if c.state >= Draining {
		c.mu.Unlock()
		return
	}
	c.state, c.bye = Draining, d
	start, waits := c.claim(), c.blocking
	c.mu.Unlock()
	c.cancel()
	if waits {
		c.transport.Close(d)
	}
	if start {
		c.write()
	}
}

// end ends a subscription that the client still believes in.
func (c *conn) end(s *subscription, why wire.SubscriptionEnded) {
	c.mu.Lock()
	if !s.live {
		c.mu.Unlock()
		return
	}
	s.live = false
	delete(c.subs, s.channel.name)
	c.out = c.format.Frame(c.out, wire.AppendEnded(nil, s.channel.name, why))
	start := c.claim()
	c.mu.Unlock()
	s.leave()
	if start {
		c.write()
	}
}

// leave ends the subscription's part in its channel.
func (s *subscription) leave() {
	s.channel.remove(s)
	s.conn.hub.leave(s.channel)
}

// ping asks the client for a sign of life.
func (c *conn) ping() {
	c.mu.Lock()
	if c.state != Connected {
		c.mu.Unlock()
		return
	}
	c.pinging = true
	c.out = c.format.Frame(c.out, wire.Ping)
	start := c.claim()
	c.mu.Unlock()
	if start {
		c.write()
	}
}

// pong takes the sign. It reports false if none was asked for.
func (c *conn) pong() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pinged.IsZero() {
		return false
	}
	c.pinged = time.Time{}
	return true
}

// checkPong closes a client that gave no sign.
func (c *conn) checkPong() {
	c.mu.Lock()
	overdue := !c.working && !c.pinged.IsZero() && time.Since(c.pinged) >= c.hub.config.PongTimeout
	c.mu.Unlock()
	if overdue {
		c.close(surewire.DisconnectNoPong)
	}
}
