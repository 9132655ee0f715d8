// Package link is one client's connection: what is owed to the client, and who
// writes it. It knows cursors and frames, not commands.
package link

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub/internal/live"
)

// A Transport carries frames, as hub.Transport says.
type Transport interface {
	TryWrite(b []byte) (n int, err error)
	Write(b []byte, deadline time.Time) error
	Close(d surewire.Disconnect) error
}

// Config says how the connections of a hub are written to. All fields are
// required, and it is shared by all links.
type Config struct {
	Ping         []byte // payload
	PongTimeout  time.Duration
	WriteTimeout time.Duration
	CatchUps     int // reads of history per minute

	// History reads for cursors that are older than their tails. Its error has
	// been logged.
	History func(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error)
}

// A State is where a link is in its life.
type State uint8

// States of a link, in the order in which it passes them.
const (
	Open     State = iota
	Draining       // the client is told to go
	Closed
)

// A Link is one connection. At any time one goroutine at most is its writer:
// whoever has something for the client and finds no writer, for as long as
// something is owed. The methods may be called concurrently; those that write
// do not wait for the client.
type Link struct {
	// Static after construction.
	config    *Config
	frame     func(dst, payload []byte) []byte // appends payload as one frame
	transport Transport

	calls chan struct{} // a token per Call at work; nil before the first; the reader's

	// Owned by the writer.
	taken   []*Cursor // being written for; swapped with woken
	late    []*Cursor // fell behind their tails: history is to be read
	reads   int       // of history, since readsOf
	readsOf time.Time

	bytes, frames atomic.Uint64 // that the transport has taken

	workers sync.WaitGroup // goroutines that work for the connection

	// mu guards the following.
	mu        sync.Mutex
	state     State
	jobs      []*context.CancelFunc // what works for the connection
	timer     *time.Timer           // ends a farewell; nil before one
	bye       surewire.Disconnect   // what the client is told; once Draining
	out       []byte                // frames of its own: replies, pings, ends of subscriptions
	outFrames int                   // how many those are
	room      chan struct{}         // holds a token after out got shorter; nil before AwaitRoom waits
	woken     []*Cursor             // may have something after them
	writing   bool                  // somebody is the writer
	blocking  bool                  // and may be waiting for the socket
	working   bool                  // a frame of the client is being carried out: a pong may wait behind it
	pinging   int                   // pings in out
	pings     int                   // that have gone and have no pong yet
	pinged    time.Time             // when the last of them went
	heard     time.Time             // when the client last said anything
	rtt       time.Duration         // of the last ping
}

// A Cursor is where a link stands in a channel. It must not be copied.
type Cursor struct {
	Channel *live.Channel // static
	Place   live.Cursor

	link   *Link       // static once begun
	reader live.Reader // static once begun: who owns the cursor
	live   bool        // the client was told that it began, and it has not ended; guarded by Link.mu
	woken  bool        // it is in Link.woken; guarded by Link.mu
	late   bool        // it is in Link.late; the writer's
}

// New returns an open link, whose frames are made by frame.
func New(t Transport, frame func(dst, payload []byte) []byte, c *Config) *Link {
	return &Link{config: c, frame: frame, transport: t, heard: time.Now()}
}

// Work returns a context for what works for the connection: it is done after
// timeout, or when the connection is to end. done must be called. A context that
// is there for as long as the connection would cost each idle one half a
// kilobyte.
func (l *Link) Work(timeout time.Duration) (ctx context.Context, done func()) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != Open {
		cancel()
		return ctx, cancel
	}
	l.jobs = append(l.jobs, &cancel)
	return ctx, func() {
		cancel()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.jobs = slices.DeleteFunc(l.jobs, func(j *context.CancelFunc) bool { return j == &cancel }); len(l.jobs) == 0 {
			l.jobs = nil
		}
	}
}

// leave moves l on to a state in which nothing begins any more, and returns what
// is to be called without mu, which the caller holds.
func (l *Link) leave(s State) (stop func()) {
	l.state = s
	l.madeRoom()
	jobs := l.jobs
	l.jobs = nil
	return func() {
		for _, cancel := range jobs {
			(*cancel)()
		}
	}
}

// Go runs f, which must end soon after its [Link.Work], in a goroutine that
// [Link.End] waits for; where the link has ended, it does not.
func (l *Link) Go(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != Closed {
		l.workers.Go(f)
	}
}

// maxCalls is how many of [Link.Call] may be at work; the next waits.
const maxCalls = 16

// Call runs f in a goroutine as Go does, with a context as of [Link.Work], and
// flushes. It reports false if f does not begin before wait is done. Only the
// connection's reader calls it.
func (l *Link) Call(wait context.Context, timeout time.Duration, f func(context.Context)) bool {
	if l.calls == nil {
		l.calls = make(chan struct{}, maxCalls)
	}
	select {
	case l.calls <- struct{}{}:
	case <-wait.Done():
		return false
	}
	l.Go(func() { // ends with f, or when it heeds the timeout or the end of the connection
		defer func() { <-l.calls }()
		ctx, done := l.Work(timeout)
		defer done()
		f(ctx)
		l.Flush()
	})
	return true
}

// maxPending is how many bytes of its own frames may wait for a client: what
// others send it does not wait for it, as its own commands do.
const maxPending = 16 << 20

// Queue owes the client one frame more. It leaves with the next Flush. A client
// that has been sent far more than it reads is closed.
func (l *Link) Queue(payload []byte) {
	l.mu.Lock()
	slow := len(l.out) > maxPending
	if !slow {
		l.queue(payload)
	}
	l.mu.Unlock()
	if slow {
		l.Close(surewire.DisconnectSlow)
	}
}

// queue is Queue for who holds mu.
func (l *Link) queue(payload []byte) {
	l.out = l.frame(l.out, payload)
	l.outFrames++
}

// Begin tells the client, and makes cursors live: nothing is written for them
// before. It reports false if the connection is to end.
func (l *Link) Begin(payload []byte, cursors ...*Cursor) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != Open {
		return false
	}
	l.queue(payload)
	for _, c := range cursors {
		c.live, c.woken = true, true
		l.woken = append(l.woken, c)
	}
	return true
}

// Add has r woken for c from now on; see [live.Channel.Add]. Nothing is written
// before Begin.
func (c *Cursor) Add(l *Link, r live.Reader, f live.Framer, after *uint64) (surewire.Position, bool) {
	c.link, c.reader = l, r
	return c.Channel.Add(&c.Place, r, f, after)
}

// Finish ends what Begin began, and tells the client. It reports false if that
// has happened already. Who calls it flushes.
func (l *Link) Finish(c *Cursor, payload []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !c.live {
		return false
	}
	c.live = false
	l.queue(payload)
	return true
}

// Wake has the link write what is after c.
func (c *Cursor) Wake() {
	l := c.link
	l.mu.Lock()
	if !c.live || c.woken {
		l.mu.Unlock()
		return
	}
	c.woken = true
	l.woken = append(l.woken, c)
	start := l.claim()
	l.mu.Unlock()
	if start {
		l.write()
	}
}

// Flush writes what is owed, unless somebody is at it.
func (l *Link) Flush() {
	l.mu.Lock()
	start := l.claim()
	l.mu.Unlock()
	if start {
		l.write()
	}
}

// Working notes that a frame of the client is carried out from now on, or is
// done with. It reports false if the connection is to end.
func (l *Link) Working(begins bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.working = begins
	if begins {
		l.heard = time.Now()
	}
	return l.state == Open
}

// maxOwed is how many bytes of its own frames may wait for a client before its
// next command does.
const maxOwed = 1 << 20

// AwaitRoom lets a client that asks and does not read wait, until it reads or
// the write time-out ends it. It reports false if the connection is to end.
func (l *Link) AwaitRoom() bool {
	for {
		l.mu.Lock()
		ended, full := l.state != Open, len(l.out) > maxOwed
		start := !ended && full && l.claim()
		if full && l.room == nil {
			l.room = make(chan struct{}, 1)
		}
		room := l.room
		l.mu.Unlock()
		switch {
		case ended || !full:
			return !ended
		case start:
			l.write()
		default:
			<-room
		}
	}
}

// madeRoom wakes AwaitRoom. The caller holds mu.
func (l *Link) madeRoom() {
	select {
	case l.room <- struct{}{}:
	default:
	}
}

// Close tells the client d and ends the connection, after what is owed to it if
// that goes without waiting.
func (l *Link) Close(d surewire.Disconnect) {
	l.mu.Lock()
	if l.state != Open {
		l.mu.Unlock()
		return
	}
	l.bye = d
	stop := l.leave(Draining)
	start, waits := l.claim(), l.blocking
	l.mu.Unlock()
	stop()
	switch {
	case !waits:
	case d == surewire.DisconnectSlow:
		l.transport.Close(d)
	default: // whoever writes closes it when nothing is owed
		l.later(d)
	}
	if start {
		l.write()
	}
}

// later closes the transport if the client does not read what is owed to it.
func (l *Link) later(d surewire.Disconnect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != Closed {
		l.timer = time.AfterFunc(farewell, func() { l.transport.Close(d) })
	}
}

// Abort is Close for a client that is not waited for: what is owed to it is lost.
func (l *Link) Abort(d surewire.Disconnect) {
	l.Close(d)
	l.transport.Close(d)
}

// End is called when the transport's stream has ended, with why. It makes the
// cursors dead, waits for what works for the connection, and returns why the
// connection ended: what Close said, if it was called.
func (l *Link) End(err error, cursors []*Cursor) error {
	l.mu.Lock()
	if l.state == Draining {
		err = l.bye
	}
	stop := l.leave(Closed)
	if l.timer != nil {
		l.timer.Stop()
	}
	for _, c := range cursors {
		c.live = false
	}
	l.mu.Unlock()
	stop()
	l.transport.Close(surewire.DisconnectNormal)
	l.workers.Wait()
	return err
}

// Stats is what can be said of a link.
type Stats struct {
	State         State
	RTT, Idle     time.Duration
	Bytes, Frames uint64 // that the transport has taken
}

// Stats returns what can be said of l now.
func (l *Link) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{l.state, l.rtt, time.Since(l.heard), l.bytes.Load(), l.frames.Load()}
}

// IsOpen reports whether the connection is not to end.
func (l *Link) IsOpen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state == Open
}

// drop takes those that have ended out of cursors.
func drop(cursors []*Cursor) []*Cursor {
	return slices.DeleteFunc(cursors, func(c *Cursor) bool { c.woken = false; return !c.live })
}
