package link

import (
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub/internal/live"
)

// maxWrite is about how many bytes go into one write that joins frames of
// several channels.
const maxWrite = 64 << 10

// catchUpLimit is how many publications one read of history asks for.
const catchUpLimit = 256

// farewell is how long a client that is told to go may take to read what was
// sent to it before.
const farewell = time.Second

// historyTimeout bounds one read of history.
const historyTimeout = 10 * time.Second

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// giveBack keeps a buffer for the next, unless it has grown beyond what is usual.
func giveBack(buf *[]byte) {
	if cap(*buf) <= 4*maxWrite {
		buffers.Put(buf)
	}
}

// claim makes the caller, who holds mu, the writer if nobody is.
func (l *Link) claim() bool {
	if l.writing || l.state == Closed {
		return false
	}
	l.writing = true
	return true
}

// maxPieces is how many pieces a caller writes that has other things to do.
const maxPieces = 64

// write writes what is owed without waiting. What does not go, or does not end,
// is left to a goroutine that waits. The caller has claimed writing.
func (l *Link) write() {
	buf := buffers.Get().(*[]byte)
	for pieces := 0; ; pieces++ {
		if pieces >= maxPieces && l.IsOpen() {
			l.wait(nil, buf)
			return
		}
		b := l.gather(buf)
		switch {
		case len(b) > 0:
			n, err := l.transport.TryWrite(b)
			l.bytes.Add(uint64(n))
			if err != nil {
				l.fail(err)
				return
			}
			if n < len(b) {
				l.wait(b[n:], buf)
				return
			}
		case len(l.late) > 0:
			l.wait(nil, buf)
			return
		case l.release():
			giveBack(buf)
			return
		}
	}
}

// wait goes on with rest, and whatever else is owed, in a goroutine that may
// wait for the socket and for history. It ends when nothing is owed, or when
// the connection does. A client that is told to go is waited for briefly.
func (l *Link) wait(rest []byte, buf *[]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch l.state {
	case Draining:
		bye := l.bye
		l.workers.Go(func() { // what was owed before is tried once more: TLS takes nothing without waiting
			l.transport.Write(rest, time.Now().Add(farewell))
			giveBack(buf)
			l.transport.Close(bye)
		})
	case Closed:
	default:
		l.blocking = true
		l.workers.Go(func() { l.writeWaiting(rest, buf) })
	}
}

// writeWaiting is write for a slow client.
func (l *Link) writeWaiting(b []byte, buf *[]byte) {
	for {
		if err := l.writeAll(b); err != nil {
			l.fail(err)
			return
		}
		if b = l.gather(buf); len(b) > 0 {
			continue
		}
		if len(l.late) > 0 {
			c := l.late[0]
			l.late, c.late = slices.Delete(l.late, 0, 1), false
			if err := l.catchUp(c, buf); err != nil {
				l.fail(err)
				return
			}
			continue
		}
		if l.release() {
			giveBack(buf)
			return
		}
	}
}

func (l *Link) writeAll(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	err := l.transport.Write(b, time.Now().Add(l.config.WriteTimeout))
	if err == nil {
		l.bytes.Add(uint64(len(b)))
	}
	return err
}

// gather returns the next piece of what is owed: frames of the connection's
// own first, then what is after the cursors. It is buf, or bytes shared with
// other connections, and good until the next call. Cursors that have fallen
// behind their tails go to late.
func (l *Link) gather(buf *[]byte) []byte {
	l.mu.Lock()
	b := l.takeOut((*buf)[:0])
	l.taken = l.taken[:0]
	if l.state == Open {
		l.taken, l.woken = l.woken, l.taken
	}
	l.taken = drop(l.taken)
	l.mu.Unlock()
	defer clear(l.taken)
	for i, c := range l.taken {
		reach := live.More
		for reach == live.More && len(b) < maxWrite {
			var shared []byte
			var n int
			b, shared, n, reach = c.Channel.Read(b, &c.Place)
			l.frames.Add(uint64(n))
			if len(b) == 0 && reach == live.Nothing && i == len(l.taken)-1 {
				return shared // as it is: the same bytes go to every subscriber
			}
			b = append(b, shared...)
		}
		switch {
		case reach == live.More:
			l.again(l.taken[i:]...)
			*buf = b
			return b
		case reach == live.Behind && !c.late:
			l.late, c.late = append(l.late, c), true
		}
	}
	*buf = b
	return b
}

// takeOut moves the connection's own frames behind b. The caller holds mu.
func (l *Link) takeOut(b []byte) []byte {
	b = append(b, l.out...)
	l.frames.Add(uint64(l.outFrames))
	l.outFrames = 0
	if len(l.out) > maxOwed {
		l.madeRoom()
	}
	if l.out = l.out[:0]; cap(l.out) > 1<<10 {
		l.out = nil
	}
	if l.pinging > 0 {
		l.pings, l.pinging, l.pinged = l.pings+l.pinging, 0, time.Now()
	}
	return b
}

// again notes that there may be more after cursors, without a write of its own.
func (l *Link) again(cursors ...*Cursor) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range cursors {
		if c.live && !c.woken {
			c.woken = true
			l.woken = append(l.woken, c)
		}
	}
}

// release ends the caller's time as the writer. It reports false if there is
// more to write.
func (l *Link) release() bool {
	l.mu.Lock()
	if len(l.out) > 0 || l.state == Open && len(l.woken) > 0 {
		l.mu.Unlock()
		return false
	}
	l.writing, l.blocking, l.out = false, false, nil
	bye := l.state == Draining
	l.mu.Unlock()
	if bye {
		l.transport.Close(l.bye)
	}
	return true
}

// fail ends a connection that cannot be written to. The caller stays the
// writer, so that nobody else tries.
func (l *Link) fail(err error) {
	d := surewire.DisconnectWriteError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		d = surewire.DisconnectSlow
	case errors.As(err, &d):
	}
	l.mu.Lock()
	stop := func() {}
	if l.state < Draining {
		l.bye = d
		stop = l.leave(Draining)
	}
	d = l.bye
	l.mu.Unlock()
	stop()
	l.transport.Close(d)
}

// catchUp writes what comes next between c and its tail, from history, which a
// connection may read so often per minute. If that is not all, c waits for its
// turn again. An error ends the connection: the client comes back and recovers.
func (l *Link) catchUp(c *Cursor, buf *[]byte) error {
	defer l.again(c)
	after, covered := c.Channel.Covers(&c.Place)
	if covered || !l.isLive(c) {
		return nil
	}
	if now := time.Now(); now.Sub(l.readsOf) > time.Minute {
		l.reads, l.readsOf = 0, now
	}
	if l.reads++; l.reads > l.config.CatchUps {
		return surewire.DisconnectSlow
	}
	ctx, done := l.Work(historyTimeout)
	h, err := l.config.History(ctx, c.Channel.Name(), after, catchUpLimit)
	done()
	if err != nil {
		return surewire.DisconnectServerError
	}
	if !h.Complete || len(h.Messages) == 0 {
		c.reader.Lost()
		return nil
	}
	return l.writeMessages(c, h.Messages, buf)
}

// writeMessages writes the frames of messages, and moves c behind them.
func (l *Link) writeMessages(c *Cursor, messages []*surewire.Message, buf *[]byte) error {
	b := (*buf)[:0]
	var own []byte
	for i, m := range messages {
		b = c.Channel.Frame(&c.Place, b, m)
		l.frames.Add(1)
		if len(b) < maxWrite && i < len(messages)-1 {
			continue
		}
		// Replies and pings do not wait for the end of a long catch-up. One of
		// them may be the end of this subscription: nothing follows it then.
		l.mu.Lock()
		live := c.live
		own = l.takeOut(own[:0])
		l.mu.Unlock()
		if err := l.writeAll(own); err != nil || !live {
			return err
		}
		if err := l.writeAll(b); err != nil {
			return err
		}
		b = b[:0]
	}
	*buf = b
	return nil
}

func (l *Link) isLive(c *Cursor) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return c.live && l.state == Open
}
