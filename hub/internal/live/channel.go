package live

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub/internal/tail"
)

// A Channel is one live channel: the tail of its log, and those who read it. It
// is the engine's sink.
type Channel struct {
	// Static after construction.
	all   *Channels
	name  string
	ready chan struct{} // closed when the engine has answered

	// Static once ready is closed.
	cancel func()
	err    error

	// Guarded by Channels.mu.
	joined  int  // readers, and those that wait to be one
	opening bool // open is at work

	readAt atomic.Int64 // when a reader last asked, in nanoseconds since 1970

	// mu guards the following.
	mu      sync.Mutex
	tail    *tail.Tail
	cursors []*Cursor
	readers []Reader // those of cursors, for fanOut to read without mu; nil where cursors has changed
	fanning bool     // it is at a worker's, or in the queue of them
	fresh   bool     // the tail has what fanOut has not yet told of
	lost    bool     // continuity is gone: every reader has been told
	traced  *traced  // nil unless what is fresh has traces
}

// traced is what [Config.FannedOut] is to hear of, after the next round.
type traced struct {
	messages []*surewire.Message
	began    []time.Time
}

// maxTraced bounds traced.
const maxTraced = 64

// A Cursor is where one reader stands in a channel. The zero Cursor stands
// nowhere. It must not be copied.
type Cursor struct {
	// Static once added.
	reader Reader
	framer Framer

	// Guarded by Channel.mu.
	index int // in Channel.cursors
	at    tail.Cursor
}

// Name is the channel's.
func (ch *Channel) Name() string { return ch.name }

// open subscribes to the engine, for all who wait, and then lets go of its own
// part in the channel.
func (ch *Channel) open() {
	defer ch.release(func() { ch.opening = false })
	defer close(ch.ready)
	ctx, cancel := context.WithTimeout(ch.all.ctx, engineTimeout)
	defer cancel()
	head, end, err := ch.all.config.Engine.Subscribe(ctx, ch.name, ch)
	if ch.err = err; err != nil {
		ch.all.detach(ch)
		return
	}
	ch.cancel = end
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.tail.Begin(head)
}

// Leave gives back what [Channels.Join] gave; the last ends the engine's
// subscription.
func (ch *Channel) Leave() { ch.release(func() { ch.joined-- }) }

// release runs f, by which somebody lets go of the channel, under Channels.mu.
func (ch *Channel) release(f func()) {
	cs := ch.all
	cs.mu.Lock()
	f()
	last := ch.joined == 0 && !ch.opening
	if last && cs.channels[ch.name] == ch {
		delete(cs.channels, ch.name)
	}
	cs.mu.Unlock()
	if !last {
		return
	}
	if ch.cancel != nil {
		ch.cancel()
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.lost = true // what the engine still delivers is for nobody
	cs.size.Add(-int64(ch.tail.Clear()))
}

// Position is that of the newest durable publication.
func (ch *Channel) Position() surewire.Position {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.tail.Position()
}

// Missed returns at most limit of the durable messages after offset, and the
// position of the newest. It reports false if the tail has not all of them, or
// the channel has not come so far yet.
func (ch *Channel) Missed(offset uint64, limit int) ([]*surewire.Message, surewire.Position, bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	head := ch.tail.Position()
	if !ch.tail.Covers(offset) || offset > head.Offset {
		return nil, head, false
	}
	return ch.tail.Messages(offset, limit), head, true
}

// Add begins to wake r, and places c: after the durable publication at offset
// *after, else at the end. Who has all that is durable stands at the end too:
// what is ephemeral is for those who were there. It returns the position of the newest
// publication, and false if the channel's continuity is gone.
func (ch *Channel) Add(c *Cursor, r Reader, f Framer, after *uint64) (surewire.Position, bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.lost {
		return surewire.Position{}, false
	}
	c.reader, c.framer, c.at = r, f, ch.tail.End()
	if after != nil && *after != c.at.Offset {
		c.at = tail.After(*after)
	}
	c.index = len(ch.cursors)
	ch.cursors = append(ch.cursors, c)
	ch.readers = nil
	return ch.tail.Position(), true
}

// Remove ends what [Channel.Add] began. It reports false if there is nothing to end.
func (ch *Channel) Remove(c *Cursor) bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if c.index >= len(ch.cursors) || ch.cursors[c.index] != c {
		return false
	}
	last := len(ch.cursors) - 1
	ch.cursors[c.index] = ch.cursors[last]
	ch.cursors[c.index].index = c.index
	ch.cursors[last] = nil
	ch.cursors = ch.cursors[:last]
	ch.readers = nil
	return true
}

// Readers returns those who read the channel now. The slice is shared: read only.
func (ch *Channel) Readers() []Reader {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.snapshot()
}

// snapshot is the readers. The caller holds mu.
func (ch *Channel) snapshot() []Reader {
	if ch.readers == nil {
		ch.readers = make([]Reader, len(ch.cursors))
		for i, c := range ch.cursors {
			ch.readers[i] = c.reader
		}
	}
	return ch.readers
}

// Deliver implements [surewire.Sink].
func (ch *Channel) Deliver(name string, m *surewire.Message) {
	ch.mu.Lock()
	if ch.lost {
		ch.mu.Unlock()
		return
	}
	before := ch.tail.Size()
	if !ch.tail.Push(m) {
		ch.mu.Unlock()
		ch.Lost(name)
		return
	}
	grown := ch.tail.Size() - before
	ch.fresh = true
	if m.Trace != nil {
		ch.note(m)
	}
	start := !ch.fanning && len(ch.cursors) > 0
	ch.fanning = ch.fanning || start
	ch.mu.Unlock()
	ch.all.grew(grown)
	if start {
		ch.all.workers.put(ch)
	}
}

// note has FannedOut told of m, if somebody will be. The caller holds mu.
func (ch *Channel) note(m *surewire.Message) {
	if ch.all.config.FannedOut == nil || len(ch.cursors) == 0 {
		return
	}
	if ch.traced == nil {
		ch.traced = &traced{}
	}
	if t := ch.traced; len(t.messages) < maxTraced {
		t.messages, t.began = append(t.messages, m), append(t.began, time.Now())
	}
}

// crowd is how many readers are woken by one goroutine.
const crowd = 256

// fanOut wakes the readers once, for all that is new in the tail. What is
// delivered meanwhile is for the next round, which waits behind other channels:
// the busier a channel, the fewer the writes. Neither a publisher nor the engine
// pays for the writes of others.
func (ch *Channel) fanOut() {
	ch.mu.Lock()
	ch.fresh = false
	readers, told := ch.snapshot(), ch.traced
	ch.traced = nil
	ch.mu.Unlock()
	if n := min(parts, len(readers)/crowd); n > 1 {
		wakeCrowd(readers, n)
	} else {
		wake(readers)
	}
	if told != nil {
		for i, m := range told.messages {
			ch.all.config.FannedOut(ch.name, m, told.began[i], len(readers))
		}
	}
	ch.mu.Lock()
	again := ch.fresh
	ch.fanning = again
	ch.mu.Unlock()
	if again {
		ch.all.workers.put(ch)
	}
}

// wakeCrowd wakes readers, in n parts at once.
func wakeCrowd(readers []Reader, n int) {
	var all sync.WaitGroup
	for i := range n {
		part := readers[i*len(readers)/n : (i+1)*len(readers)/n]
		all.Go(func() { wake(part) })
	}
	all.Wait()
}

func wake(readers []Reader) {
	for _, r := range readers {
		r.Wake()
	}
}

// Lost implements [surewire.Sink]: every reader is told, and who joins from now
// on begins anew.
func (ch *Channel) Lost(string) {
	ch.mu.Lock()
	var readers []Reader
	if !ch.lost {
		readers = ch.snapshot()
	}
	ch.lost, ch.cursors, ch.readers, ch.traced = true, nil, nil, nil
	ch.all.size.Add(-int64(ch.tail.Clear())) // trim no longer sees it
	ch.mu.Unlock()
	ch.all.detach(ch)
	go func() { // an engine must not be called from its own delivery; ends when all are told
		for _, r := range readers {
			r.Lost()
		}
	}()
}

// IsLost reports whether the channel's continuity is gone.
func (ch *Channel) IsLost() bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.lost
}

// Read returns what comes after c, how many frames, and what c can have then:
// shared bytes, as [tail.Tail.Read] has them, or, for the only reader, more behind
// own.
func (ch *Channel) Read(own []byte, c *Cursor) (_, shared []byte, n int, r Reach) {
	ch.readAt.Store(time.Now().UnixNano())
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if len(ch.cursors) == 1 {
		own, n, r = ch.tail.Append(own, &c.at, c.framer)
		return own, nil, n, r
	}
	before := ch.tail.Size()
	shared, n, r = ch.tail.Read(&c.at, c.framer)
	if grown := ch.tail.Size() - before; grown != 0 {
		ch.all.grew(grown)
	}
	return own, shared, n, r
}

// Covers reports whether c can go on from the tail. If not, it returns the
// position after which c's reader must read history.
func (ch *Channel) Covers(c *Cursor) (surewire.Position, bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.tail.Place(&c.at) != tail.Behind {
		return surewire.Position{}, true
	}
	return surewire.Position{Epoch: ch.tail.Position().Epoch, Offset: c.at.Offset}, false
}

// Frame appends the frame of m, which c's reader has from history, to dst, and
// moves c behind it.
func (ch *Channel) Frame(c *Cursor, dst []byte, m *surewire.Message) []byte {
	ch.mu.Lock()
	c.at = tail.After(m.Position.Offset)
	ch.mu.Unlock()
	return c.framer.AppendMessage(dst, ch.name, m)
}

// Lag is how many durable publications c has not had.
func (ch *Channel) Lag(c *Cursor) int {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return int(max(ch.tail.Position().Offset, c.at.Offset) - c.at.Offset)
}

// shrink empties the tail: who is not at its end reads history.
func (ch *Channel) shrink() {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.all.size.Add(-int64(ch.tail.Clear()))
}

var _ surewire.Sink = (*Channel)(nil)
