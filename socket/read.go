package socket

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

type readBuffer [16 << 10]byte

var readBuffers = sync.Pool{New: func() any { return new(readBuffer) }}

// Read returns the next message, text unless [Options.Binary] says otherwise.
// Its bytes are valid until the next Read and may be changed.
//
// Read answers pings and close frames. When it fails, the connection is over
// and closed, and the error wraps why: a [*CloseError] if the peer closed it, a
// [*ProtocolError] if the peer broke the protocol, the [surewire.Disconnect]
// of Close, or the error of the network.
//
// Who reads should go on after Close until Read fails, see Close.
func (c *Conn) Read() ([]byte, error) {
	for {
		e, b, err := c.parser.next()
		if err != nil {
			return nil, c.refuse(err.(*ProtocolError))
		}
		switch e {
		case message:
			if c.open() {
				return b, nil
			}
		case ping:
			c.answer(b)
		case closing:
			return nil, c.peerClosed(b)
		case needBytes:
			c.limit()
			if err := c.fill(); errors.Is(err, os.ErrDeadlineExceeded) {
				return nil, c.refuse(violation(ws.StatusPolicyViolation, "message was not complete after %v", c.messageTimeout))
			} else if err != nil {
				return nil, c.ended(err)
			}
		}
	}
}

// limit sets the time for the rest of a message that began, and takes it away
// when there is none.
func (c *Conn) limit() {
	switch midway := c.parser.midway(); {
	case midway && c.parser.began:
		c.conn.SetReadDeadline(time.Now().Add(c.messageTimeout))
		c.limited, c.parser.began = true, false
	case !midway && c.limited:
		c.conn.SetReadDeadline(time.Time{})
		c.limited = false
	}
}

// fill waits for bytes and gives them to the parser, which has no others.
func (c *Conn) fill() error {
	c.parser.in = nil
	if c.buf != nil {
		readBuffers.Put(c.buf)
		c.buf = nil
	}
	b, err := c.readSome()
	if err == nil && len(b) == 0 {
		err = io.EOF
	}
	if len(b) > 0 {
		err = nil // if it lasts, the next read returns it again
		c.heard.Store(int64(time.Since(start)))
	}
	c.parser.in = b
	return err
}

// readSome waits for bytes: without a buffer where that is possible, else with
// one only for the rest of a message, which must not be late. There is another
// below, in crypto/tls.
func (c *Conn) readSome() ([]byte, error) {
	if c.raw == nil {
		b := c.small[:]
		if c.parser.midway() {
			c.buf = readBuffers.Get().(*readBuffer)
			b = c.buf[:]
		}
		n, err := c.conn.Read(b)
		return b[:n], err
	}
	if err := c.raw.Read(c.received.ready); err != nil {
		return nil, err
	}
	if c.buf == nil {
		return nil, c.received.err
	}
	return c.buf[:c.received.n], c.received.err
}

// drain discards what still comes, until the peer ends the connection or it is
// dropped, and returns why it ended.
func (c *Conn) drain() error {
	c.conn.SetReadDeadline(time.Time{})
	for {
		if err := c.fill(); err != nil {
			return c.ended(err)
		}
	}
}

// ended closes the connection after err and returns why it ended.
func (c *Conn) ended(err error) error {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = fmt.Errorf("socket: connection lost: %w", err)
	}
	cause := c.cause
	c.mu.Unlock()
	c.parser.in = nil
	c.drop()
	return cause
}

// answer sends a pong (RFC 6455 §5.5.3), now or at the next frame boundary; if
// the socket has no room, before the next write. Only the latest ping that
// waits is answered.
func (c *Conn) answer(payload []byte) {
	pong := appendFrame(nil, ws.OpPong, payload)
	c.mu.Lock()
	if c.cause != nil || c.writeErr != nil {
		c.mu.Unlock()
		return
	}
	c.pong = pong
	c.mu.Unlock()
	c.flush()
}

// open reports whether nothing has ended the connection.
func (c *Conn) open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause == nil
}
