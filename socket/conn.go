// Package socket is one WebSocket on the server side (RFC 6455): the handshake,
// frames in and out, a write that never waits, and an end that reaches the peer.
//
// It knows nothing of many connections, of channels or of commands: a [Conn]
// carries messages. Frames are made by [AppendText], [AppendBinary] and
// [AppendDeflated] apart from any connection, so that one frame is shared by
// all its receivers.
package socket

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A Conn is an open WebSocket. Read is called by one goroutine; TryWrite and
// Write by one goroutine at a time; all other methods by any, at any time.
//
// An idle Conn has no buffer and no goroutine of its own.
type Conn struct {
	// Static after construction.
	conn           net.Conn
	raw            syscall.RawConn // nil if conn cannot be driven without waiting (TLS, not Unix)
	subprotocol    string
	messageTimeout time.Duration

	heard atomic.Int64 // when bytes last came, as a duration since start

	// Owned by Read.
	parser   parser
	buf      *readBuffer // from readBuffers while parser.in aliases it; nil when idle
	small    [16]byte    // where a message begins when raw is nil
	received receiver
	limited  bool // conn has a read deadline: by then the message that began must be complete

	// Owned by whoever holds the wire.
	sent sender

	// mu guards the following. It is never held during a system call: who
	// writes holds the wire instead.
	mu       sync.Mutex
	wire     holder
	freed    chan struct{} // closed when the wire comes free; nil if nobody waits
	partial  bool          // a frame of the caller is partly sent: nothing but its rest may follow
	rest     []byte        // unsent bytes of a control frame; they go before all else
	pong     []byte        // frame that answers the latest ping; waits for a frame boundary
	bye      []byte        // our close frame; waits for a frame boundary, nothing follows it
	writeErr error         // why nothing can be written any more
	cause    error         // why the connection ends; nil while it is open
	peerDone bool          // the peer's close frame came
	dropped  bool          // the TCP connection was closed
	linger   *time.Timer   // drops the connection if the peer does not end it; nil while it is open
}

// A holder says who holds the wire, the right to write to the connection.
type holder uint8

const (
	free       holder = iota
	heldToTry         // by TryWrite or for control frames: the system call does not wait
	heldToWait        // by Write: the system call may wait until its deadline
)

// start is the origin of Conn.heard: durations since a fixed time are monotonic.
var start = time.Now()

func newConn(conn net.Conn, subprotocol string, p parser) *Conn {
	c := &Conn{conn: conn, raw: rawConn(conn), subprotocol: subprotocol, messageTimeout: defaultMessageTimeout, parser: p}
	if c.raw != nil {
		c.received.ready = c.receive
		c.sent.ready = c.sent.send
	}
	c.heard.Store(int64(time.Since(start)))
	return c
}

// Subprotocol returns the subprotocol that the handshake agreed on, or "".
func (c *Conn) Subprotocol() string { return c.subprotocol }

// Deflated reports whether the handshake agreed on compressed messages: text
// should go to the peer by [AppendDeflated] then, and must go by [AppendText]
// otherwise.
func (c *Conn) Deflated() bool { return c.parser.deflate }

// RemoteAddr returns the network address of the peer: a proxy's, if there is one.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// Heard returns when Read last received bytes. Any frame is a sign of life, a
// pong also, which Read itself does not show.
func (c *Conn) Heard() time.Time { return start.Add(time.Duration(c.heard.Load())) }
