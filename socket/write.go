package socket

import (
	"fmt"
	"time"
)

// controlTimeout bounds the wait of a control frame where writes cannot be
// tried without waiting (TLS).
const controlTimeout = 5 * time.Second

// TryWrite writes as much of b as goes without waiting, nothing where that
// cannot be tried (TLS, not Unix). b is a run of complete frames, or the rest
// of one after a short write, and is not retained. After 0 < n < len(b) the
// caller goes on with b[n:] by Write or TryWrite, and with nothing else.
func (c *Conn) TryWrite(b []byte) (n int, err error) {
	if c.raw == nil {
		return 0, c.writable()
	}
	c.mu.Lock()
	if c.wire != free {
		c.mu.Unlock()
		return 0, nil
	}
	if c.waiting() { // control frames go first
		c.wire = heldToTry
		c.mu.Unlock()
		c.release()
		c.mu.Lock()
	}
	if err := c.closedLocked(); err != nil || c.wire != free || c.rest != nil {
		c.mu.Unlock()
		return 0, err
	}
	c.wire = heldToTry
	c.mu.Unlock()
	n, err = c.sent.try(c.raw, b)
	return n, c.wrote(n, len(b), err)
}

// Write writes all of b, which is as for [Conn.TryWrite], or fails at deadline;
// zero means none. After a failure nothing more can be written.
func (c *Conn) Write(b []byte, deadline time.Time) error {
	first, err := c.take(deadline)
	if err != nil {
		return err
	}
	n := 0
	if len(first) > 0 {
		_, err = c.conn.Write(first)
	}
	if err == nil {
		n, err = c.conn.Write(b)
	}
	return c.wrote(n, len(b), err)
}

// take takes the wire for Write and returns the control frames to send first.
func (c *Conn) take(deadline time.Time) (first []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if err := c.closedLocked(); err != nil {
			return nil, err
		}
		// Also while another holds the wire: its wait must not outlast ours.
		c.conn.SetWriteDeadline(deadline)
		if c.wire == free {
			c.wire = heldToWait
			return c.control(), nil
		}
		if c.freed == nil {
			c.freed = make(chan struct{})
		}
		freed := c.freed
		c.mu.Unlock()
		<-freed
		c.mu.Lock()
	}
}

// wrote records a write of n of size bytes, gives the wire back and returns err.
func (c *Conn) wrote(n, size int, err error) error {
	if err != nil {
		err = fmt.Errorf("socket: write: %w", err)
	}
	c.mu.Lock()
	if n > 0 {
		c.partial = n < size
	}
	if err != nil && c.writeErr == nil {
		c.writeErr = err
	}
	if c.wire == heldToWait {
		c.conn.SetWriteDeadline(time.Time{})
		c.rest = nil
	}
	c.mu.Unlock()
	c.release()
	return err
}

// writable returns why nothing can be written, nil if it can.
func (c *Conn) writable() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closedLocked()
}

func (c *Conn) closedLocked() error {
	if c.cause != nil {
		return c.cause
	}
	return c.writeErr
}

// flush sends the control frames that wait, unless another holds the wire: it
// will send them when it gives the wire back.
func (c *Conn) flush() {
	c.mu.Lock()
	if c.wire != free {
		c.mu.Unlock()
		return
	}
	c.wire = heldToTry
	c.mu.Unlock()
	c.release()
}

// release sends the control frames that wait, as far as they go, and gives the
// wire back. The caller holds the wire. Sending here, and nowhere else but
// before a write, is what keeps control frames out of the middle of others.
func (c *Conn) release() {
	c.mu.Lock()
	for c.writeErr == nil {
		b := c.control()
		if b == nil {
			break
		}
		c.wire = heldToTry
		if c.raw == nil {
			c.conn.SetWriteDeadline(time.Now().Add(controlTimeout))
		}
		c.mu.Unlock()
		n, err := c.push(b)
		c.mu.Lock()
		if err != nil {
			c.writeErr = fmt.Errorf("socket: write: %w", err)
		}
		c.rest = b[n:]
		if n < len(b) {
			break
		}
	}
	if c.raw == nil && c.writeErr == nil {
		c.conn.SetWriteDeadline(time.Time{})
	}
	if len(c.rest) == 0 {
		c.rest = nil
	}
	c.wire = free
	if c.freed != nil {
		close(c.freed)
		c.freed = nil
	}
	end := c.remains()
	c.mu.Unlock()
	c.finish(end)
}

// push writes a control frame: without waiting where that can be tried.
func (c *Conn) push(b []byte) (int, error) {
	if c.raw != nil {
		return c.sent.try(c.raw, b)
	}
	return c.conn.Write(b)
}

// waiting reports whether control frames wait and could go. c.mu is held.
func (c *Conn) waiting() bool {
	return !c.partial && (c.rest != nil || c.pong != nil || c.bye != nil)
}

// control returns the control frame to send now and makes it c.rest, nil if
// there is none or a frame of the caller is partly sent. c.mu is held.
func (c *Conn) control() []byte {
	if c.partial {
		return nil
	}
	if len(c.rest) == 0 {
		c.rest, c.pong = c.pong, nil
	}
	if len(c.rest) == 0 {
		c.rest, c.bye = c.bye, nil
	}
	return c.rest
}
