package hub

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub/internal/tail"
	"github.com/surewire/surewire/wire"
)

// maxWrite is about how many bytes go into one write that joins frames of
// several channels.
const maxWrite = 64 << 10

// catchUpLimit is how many publications one read of history asks for.
const catchUpLimit = 256

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// giveBack keeps a buffer for the next, unless it has grown beyond what is usual.
func giveBack(buf *[]byte) {
	if cap(*buf) <= 4*maxWrite {
		buffers.Put(buf)
	}
}

// wake has the connection write what is after s's cursor.
func (c *conn) wake(s *subscription) {
	c.mu.Lock()
	if !s.live || s.woken {
		c.mu.Unlock()
		return
	}
	s.woken = true
	c.woken = append(c.woken, s)
	start := c.claim()
	c.mu.Unlock()
	if start {
		c.write()
	}
}

// flush writes what is owed, unless somebody is at it.
func (c *conn) flush() {
	c.mu.Lock()
	start := c.claim()
	c.mu.Unlock()
	if start {
		c.write()
	}
}

// claim makes the caller, who holds mu, the writer if nobody is.
func (c *conn) claim() bool {
	if c.writing || c.state == Closed {
		return false
	}
	c.writing = true
	return true
}

// write writes what is owed without waiting. What does not go is left to a
// goroutine that waits. The caller has claimed writing.
func (c *conn) write() {
	buf := buffers.Get().(*[]byte)
	for {
		b := c.gather(buf)
		switch {
		case len(b) > 0:
			n, err := c.transport.TryWrite(b)
			if err != nil {
				c.fail(err)
				return
			}
			if n < len(b) {
				c.wait(b[n:], buf)
				return
			}
		case len(c.late) > 0:
			c.wait(nil, buf)
			return
		case c.release():
			giveBack(buf)
			return
		}
	}
}

// wait goes on with rest, and whatever else is owed, in a goroutine that may
// wait for the socket and for history. It ends when nothing is owed, or when
// the connection does. A client that is told to go is not waited for.
func (c *conn) wait(rest []byte, buf *[]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.state {
	case Draining:
		bye := c.bye
		c.writers.Go(func() { c.transport.Close(bye) })
	case Closed:
	default:
		c.blocking = true
		c.writers.Go(func() { c.writeWaiting(rest, buf) })
	}
}

// writeWaiting is write for a slow client.
func (c *conn) writeWaiting(b []byte, buf *[]byte) {
	for {
		if err := c.writeAll(b); err != nil {
			c.fail(err)
			return
		}
		if b = c.gather(buf); len(b) > 0 {
			continue
		}
		if n := len(c.late); n > 0 {
			s := c.late[n-1]
			c.late = c.late[:n-1]
			if err := c.catchUp(s, buf); err != nil {
				c.fail(err)
				return
			}
			continue
		}
		if c.release() {
			giveBack(buf)
			return
		}
	}
}

func (c *conn) writeAll(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	return c.transport.Write(b, time.Now().Add(c.hub.config.WriteTimeout))
}

// gather returns the next piece of what is owed: frames of the connection's
// own first, then what is after the cursors. It is buf, or bytes shared with
// other connections, and good until the next call. Cursors that have fallen
// behind their tails go to late.
func (c *conn) gather(buf *[]byte) []byte {
	c.mu.Lock()
	b := c.takeOut((*buf)[:0])
	c.taken = c.taken[:0]
	if c.state == Connected {
		c.taken, c.woken = c.woken, c.taken
	}
	c.taken = slices.DeleteFunc(c.taken, func(s *subscription) bool { s.woken = false; return !s.live })
	c.mu.Unlock()
	defer clear(c.taken)
	for i, s := range c.taken {
		piece, left := s.channel.read(s)
		switch left {
		case tail.Behind:
			c.late = append(c.late, s)
		case tail.More:
			c.again(s)
		}
		if len(b) == 0 && i == len(c.taken)-1 {
			return piece // as it is: the same bytes go to every subscriber
		}
		b = append(b, piece...)
		if len(b) >= maxWrite {
			c.again(c.taken[i+1:]...)
			break
		}
	}
	*buf = b
	return b
}

// takeOut moves the connection's own frames behind b. The caller holds mu.
func (c *conn) takeOut(b []byte) []byte {
	b = append(b, c.out...)
	if len(c.out) > maxOwed {
		c.madeRoom()
	}
	if c.out = c.out[:0]; cap(c.out) > 1<<10 {
		c.out = nil
	}
	if c.pinging && c.pinged.IsZero() {
		c.pinged = time.Now()
	}
	c.pinging = false
	return b
}

// again notes that subs may have more, without a write of its own.
func (c *conn) again(subs ...*subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range subs {
		if s.live && !s.woken {
			s.woken = true
			c.woken = append(c.woken, s)
		}
	}
}

// release ends the caller's time as the writer. It reports false if there is
// more to write.
func (c *conn) release() bool {
	c.mu.Lock()
	if len(c.out) > 0 || c.state == Connected && len(c.woken) > 0 {
		c.mu.Unlock()
		return false
	}
	c.writing, c.blocking = false, false
	bye := c.state == Draining
	c.mu.Unlock()
	if bye {
		c.transport.Close(c.bye)
	}
	return true
}

// fail ends a connection that cannot be written to. The caller stays the
// writer, so that nobody else tries.
func (c *conn) fail(err error) {
	d := surewire.DisconnectWriteError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		d = surewire.DisconnectSlow
	case errors.As(err, &d):
	}
	c.mu.Lock()
	if c.state < Draining {
		c.state, c.bye = Draining, d
	}
	d = c.bye
	c.mu.Unlock()
	c.cancel()
	c.transport.Close(d)
}

// catchUp writes what is between s's cursor and its tail, from history, which a
// connection may read so often per minute. An error ends the connection: the
// client comes back and recovers.
func (c *conn) catchUp(s *subscription, buf *[]byte) error {
	epoch := s.channel.epoch()
	for c.isLive(s) {
		if s.channel.covers(s) {
			c.again(s)
			return nil
		}
		if now := time.Now(); now.Sub(c.readsOf) > time.Minute {
			c.reads, c.readsOf = 0, now
		}
		if c.reads++; c.reads > c.hub.config.CatchUps {
			return surewire.DisconnectSlow
		}
		h, err := c.hub.history(c.ctx, s.channel.name, surewire.Position{Epoch: epoch, Offset: s.cursor.Offset}, catchUpLimit)
		if err != nil {
			c.hub.config.Logger.Warn("history could not be read", "channel", s.channel.name, "error", err)
			return surewire.DisconnectServerError
		}
		if !h.Complete || len(h.Messages) == 0 {
			c.end(s, wire.InsufficientState)
			return nil
		}
		if err := c.writeMessages(s, h.Messages, buf); err != nil {
			return err
		}
	}
	return nil
}

// writeMessages writes the frames of messages, and moves the cursor behind them.
func (c *conn) writeMessages(s *subscription, messages []*surewire.Message, buf *[]byte) error {
	b := (*buf)[:0]
	var payload, own []byte
	for i, m := range messages {
		payload = wire.AppendPublication(payload[:0], s.channel.name, m)
		b = c.format.Frame(b, payload)
		s.cursor.Offset = m.Position.Offset
		if len(b) < maxWrite && i < len(messages)-1 {
			continue
		}
		// Replies and pings do not wait for the end of a long catch-up. One of
		// them may be the end of this subscription: nothing follows it then.
		c.mu.Lock()
		live := s.live
		own = c.takeOut(own[:0])
		c.mu.Unlock()
		if err := c.writeAll(own); err != nil || !live {
			return err
		}
		if err := c.writeAll(b); err != nil {
			return err
		}
		b = b[:0]
	}
	*buf = b
	return nil
}

// history reads for a cursor that is older than its tail. How many do so at once
// is bounded: the engine is everybody's.
func (h *Hub) history(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	select {
	case h.reads <- struct{}{}:
		defer func() { <-h.reads }()
	case <-ctx.Done():
		return surewire.History{}, ctx.Err()
	}
	return h.config.Engine.History(ctx, channel, after, limit)
}

func (c *conn) isLive(s *subscription) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return s.live && c.state == Connected
}

// epoch is that of the channel's log.
func (ch *channel) epoch() string {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.tail.Position().Epoch
}

// covers reports whether s can go on from the tail.
func (ch *channel) covers(s *subscription) bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.tail.Place(&s.cursor) != tail.Behind
}
