package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/surewire/surewire"
)

const (
	// lingerTime is how long the peer has to end the connection after our close frame.
	lingerTime = 2 * time.Second
	// writeGrace is how long a Write on its way may still take when Close comes:
	// enough for a healthy peer, so that the close frame can follow.
	writeGrace = 250 * time.Millisecond
)

// A CloseError says that the peer closed the connection, and why (RFC 6455
// §7.1.5); it is how Read fails then.
type CloseError struct {
	Code   uint16 // 1005 if the peer gave none
	Reason string // UTF-8
}

// Error implements error.
func (e *CloseError) Error() string {
	return fmt.Sprintf("peer closed the connection: %d %s", e.Code, e.Reason)
}

// Is makes a CloseError an [io.EOF]: the stream came to its end in good order.
func (e *CloseError) Is(target error) bool { return target == io.EOF }

var errUntold = errors.New("socket: closed without telling the peer: its connection takes no frame")

// Close tells the peer why in a close frame (RFC 6455 §5.5.1) and ends the
// connection; Read and Write fail. Only the first call counts. It does not
// wait. A reason is cut to 123 bytes.
//
// The close frame needs a frame boundary and room in the connection. Without
// them the connection is closed at once, and where that is known at once, Close
// returns an error.
//
// With them the connection lingers until the peer has ended it, 2 seconds at
// most, while Read discards what comes. If it were closed with bytes that
// nobody has read, the kernel would send a reset instead of an orderly end, and
// a reset can destroy the close frame on its way and in the peer's own buffer
// (RFC 6455 §7.1.1).
func (c *Conn) Close(d surewire.Disconnect) error {
	return c.shut(closeFrame(d.Code, d.Reason), fmt.Errorf("socket: closed by this side: %w", d))
}

// refuse ends the connection because the peer broke the protocol. The parser is
// of no more use: what comes is discarded unseen.
func (c *Conn) refuse(e *ProtocolError) error {
	c.shut(closeFrame(e.Code, e.Reason), fmt.Errorf("socket: %w", e))
	return c.drain()
}

// peerClosed answers the peer's close frame with the same code (RFC 6455
// §5.5.1), or takes it as the answer to ours.
func (c *Conn) peerClosed(payload []byte) error {
	e := &CloseError{Code: noStatus}
	if len(payload) >= 2 {
		e.Code, e.Reason = binary.BigEndian.Uint16(payload), string(payload[2:])
	}
	c.mu.Lock()
	c.peerDone = true
	end := stay
	if c.wire == free && c.bye == nil {
		end = c.remains()
	}
	c.mu.Unlock()
	c.finish(end)
	c.shut(closeFrame(e.Code, ""), fmt.Errorf("socket: %w", e))
	return c.drain()
}

// shut begins the end of the connection because of cause, unless it began.
func (c *Conn) shut(bye []byte, cause error) error {
	c.mu.Lock()
	if c.cause != nil {
		c.mu.Unlock()
		return nil
	}
	c.cause = cause
	if c.writeErr != nil || c.wire == free && c.partial {
		c.mu.Unlock()
		c.drop()
		return errUntold
	}
	c.bye, c.pong = bye, nil
	c.linger = time.AfterFunc(lingerTime, c.drop)
	if c.wire == heldToWait {
		c.conn.SetWriteDeadline(time.Now().Add(writeGrace))
	}
	c.mu.Unlock()
	if c.raw == nil {
		// The write may wait. The goroutine is Close's own and ends with the
		// write, at the latest when the linger timer drops the connection.
		go c.flush()
		return nil
	}
	c.flush()
	return c.told()
}

// told returns an error if the connection was dropped before the peer's end.
func (c *Conn) told() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dropped && !c.peerDone {
		return errUntold
	}
	return nil
}

// An end is what is left to do when the wire comes free.
type end uint8

const (
	stay end = iota // open
	half            // our close frame is sent: send FIN, the peer ends the rest
	full            // nobody has more to say, or our close frame does not go
)

// remains returns what is left to do. c.mu is held, and the wire is free.
func (c *Conn) remains() end {
	switch {
	case c.cause == nil || c.dropped:
		return stay
	case c.peerDone || c.writeErr != nil || c.partial || c.rest != nil || c.bye != nil:
		return full
	}
	return half
}

func (c *Conn) finish(e end) {
	switch e {
	case half:
		if h, ok := c.conn.(interface{ CloseWrite() error }); ok {
			h.CloseWrite()
		}
	case full:
		c.drop()
	}
}

// drop closes the TCP connection, under TLS also: the farewell of crypto/tls
// waits for up to 5 seconds. It may be called more than once.
func (c *Conn) drop() {
	c.mu.Lock()
	done := c.dropped
	c.dropped = true
	if c.linger != nil {
		c.linger.Stop()
	}
	c.mu.Unlock()
	if done {
		return
	}
	conn := c.conn
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn()
	}
	conn.Close()
}
