package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub/internal/ask"
	"github.com/surewire/surewire/hub/internal/link"
	"github.com/surewire/surewire/hub/internal/pace"
	"github.com/surewire/surewire/hub/internal/roster"
	"github.com/surewire/surewire/hub/internal/shelf"
	"github.com/surewire/surewire/hub/internal/stack"
	"github.com/surewire/surewire/hub/internal/term"
	"github.com/surewire/surewire/wire"
)

// A conn is one client: what it may do and what it reads. Its link writes to
// it; the goroutine of Serve is its reader, which carries out commands.
type conn struct {
	// Static after construction.
	hub       *Hub
	id        string
	link      *link.Link
	transport Transport
	format    *Format
	peer      access.Peer
	since     time.Time
	member    roster.Member[*conn]

	// Owned by the reader.
	slot      int         // on the wheel, once connected
	connectBy *time.Timer // closes a client that says nothing
	stop      func() bool // ends the watch over Serve's context; nil if that has no end
	pacer     pace.Pacer

	// mu guards the following.
	mu      sync.Mutex
	client  access.Client              // static but for Info, once connected
	name    string                     // of its software
	version string                     // of its software
	ready   bool                       // it is connected
	term    term.Term                  // of its session
	subs    shelf.Shelf[*subscription] // by channel; nil for one that is about to begin
	ended   bool                       // no more subscriptions begin
}

func newConn(h *Hub, t Transport, f *Format, p access.Peer) *conn {
	c := &conn{
		hub: h, id: rand.Text(), link: link.New(t, f.Frame, &h.links), transport: t, format: f, peer: p,
		since: time.Now(), slot: -1,
	}
	c.member.Of = c
	return c
}

// finish returns why the connection ended, when nothing of it is left.
func (c *conn) finish(err error) error {
	if c.connectBy != nil {
		c.connectBy.Stop()
	}
	c.mu.Lock()
	subs := c.begun()
	c.subs, c.ended = shelf.Shelf[*subscription]{}, true
	c.mu.Unlock()
	cursors := make([]*link.Cursor, len(subs))
	for i, s := range subs {
		cursors[i] = &s.Cursor
	}
	err = c.link.End(err, cursors)
	c.hub.wheel.Remove(c, c.slot)
	leave(subs...)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if told := c.hub.config.Handlers.Disconnected; told != nil && c.slot >= 0 {
		c.hub.ask.Tell(func() { told(c.who(), err) })
	}
	return err
}

// begun returns the subscriptions that have begun. The caller holds mu.
func (c *conn) begun() []*subscription {
	subs := make([]*subscription, 0, c.subs.Len())
	for s := range c.subs.All() {
		if s != nil {
			subs = append(subs, s)
		}
	}
	return subs
}

// read carries out what the client sends until that fails.
func (c *conn) read() error {
	for {
		frame, err := c.transport.Read()
		if err != nil {
			return err
		}
		if !c.link.Working(true) {
			continue // until the client or Close ends the stream
		}
		stack.Aside(func() {
			c.frame(frame)
			c.link.Working(false)
			c.link.Flush()
		})
	}
}

// frameTimeout bounds the work for one frame, whatever an engine or an
// [access.Authorizer] takes: the client may be gone, and its reader sees that
// only between frames.
const frameTimeout = 20 * time.Second

// frame carries out the commands of one frame.
func (c *conn) frame(frame []byte) {
	var ctx context.Context
	for cmd, err := range wire.Commands(frame) {
		switch {
		case err != nil:
		case cmd.Pong():
			if c.link.Pong() != nil {
				err = surewire.DisconnectBadRequest
			}
		default:
			if ctx == nil {
				var done func()
				ctx, done = c.link.Work(frameTimeout)
				defer done()
			}
			err = c.paced(ctx, cmd)
		}
		if err != nil {
			c.link.Close(ask.Disconnect(err))
			return
		}
		if !c.link.AwaitRoom() {
			return
		}
	}
}

// who is the client, for the application.
func (c *conn) who() access.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.client
}

// describe returns what can be said of c.
func (c *conn) describe() ConnInfo {
	stats := c.link.Stats()
	c.mu.Lock()
	i := ConnInfo{
		ID: c.id, User: c.client.User, State: stateOf(stats.State, c.ready), Transport: c.format.Name,
		Name: c.name, Version: c.version, Address: c.peer.Address, Since: c.since, RTT: stats.RTT, Idle: stats.Idle,
		BytesOut: stats.Bytes, FramesOut: stats.Frames,
	}
	subs := c.begun()
	c.mu.Unlock()
	i.Channels = len(subs)
	for _, s := range subs {
		i.Lag += s.Channel.Lag(&s.Place)
	}
	return i
}
