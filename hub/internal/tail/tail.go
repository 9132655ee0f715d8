// Package tail keeps the newest frames of a channel's log, and the cursors that
// read them. It is pure: no goroutine, no lock, no I/O.
package tail

import (
	"github.com/surewire/surewire"
)

// A Framer turns a message of a channel into one frame, or into none where its
// readers do not want the message. A tail keeps the frames of each Framer apart,
// and tells Framers apart by comparing them.
type Framer interface {
	AppendMessage(dst []byte, channel string, m *surewire.Message) []byte
}

// A Cursor is a place in a channel's log: just after what one subscriber has.
type Cursor struct {
	Offset uint64 // of the newest durable publication it has

	seq    uint64 // of the newest entry of the tail it has, or has passed; if placed
	placed bool   // it stands in the tail
}

// After returns the cursor of who has the publications up to offset.
func After(offset uint64) Cursor { return Cursor{Offset: offset} }

// A Tail is the newest part of a channel's log: a cache, bounded in messages
// and bytes, with each message framed once per [Framer]. Entries are numbered
// by seq, contiguous from 1; durable ones have the log's offsets too,
// contiguous as well; ephemeral ones are here and nowhere else.
type Tail struct {
	// Static after construction.
	channel  string
	maxLen   int
	maxBytes int

	epoch   string // empty until the log's is known
	base    uint64 // offset of the newest durable publication before the entries
	head    uint64 // offset of the newest durable publication
	first   uint64 // seq of entries[0]; that of the next entry where there is none
	entries []*surewire.Message
	bytes   int // of the entries' data
	framed  int // of their frames
	frames  []*frames
}

// overhead is about what an entry takes besides its data, in bytes.
const overhead = 256

// New returns an empty tail of channel, for at most maxLen messages and
// maxBytes of data; a single message may be longer.
func New(channel string, maxLen, maxBytes int) *Tail {
	return &Tail{channel: channel, maxLen: maxLen, maxBytes: maxBytes, first: 1}
}

// Begin sets where the log stood when the tail began to be fed. What has been
// pushed before Begin comes after head.
func (t *Tail) Begin(head surewire.Position) {
	if t.epoch == "" {
		t.epoch, t.base, t.head = head.Epoch, head.Offset, head.Offset
	}
}

// Position is that of the newest durable publication.
func (t *Tail) Position() surewire.Position {
	return surewire.Position{Epoch: t.epoch, Offset: t.head}
}

// Covers reports whether all durable publications after offset are here.
func (t *Tail) Covers(offset uint64) bool { return offset >= t.base }

// End is the cursor that has everything.
func (t *Tail) End() Cursor { return Cursor{Offset: t.head, seq: t.next() - 1, placed: true} }

// next is the seq that the next entry will have.
func (t *Tail) next() uint64 { return t.first + uint64(len(t.entries)) }

// Push takes the next message of the log. It reports false if m does not follow
// what the tail has; a message that the tail has already is passed over.
func (t *Tail) Push(m *surewire.Message) bool {
	if off := m.Position.Offset; off != 0 {
		t.Begin(surewire.Position{Epoch: m.Position.Epoch, Offset: off - 1})
		if m.Position.Epoch != t.epoch || off > t.head+1 {
			return false
		}
		if off <= t.head {
			return true
		}
		t.head = off
	}
	t.entries = append(t.entries, m)
	t.bytes += len(m.Data)
	for len(t.entries) > t.maxLen || len(t.entries) > 1 && t.bytes > t.maxBytes {
		t.drop()
	}
	return true
}

// Size is about how much memory the entries take, in bytes.
func (t *Tail) Size() int { return t.bytes + t.framed + overhead*len(t.entries) }

// Clear forgets every entry, and returns the size they had.
func (t *Tail) Clear() int {
	size := t.Size()
	for len(t.entries) > 0 {
		t.drop()
	}
	t.entries, t.frames, t.framed = nil, nil, 0
	return size
}

// drop forgets the oldest entry.
func (t *Tail) drop() {
	m := t.entries[0]
	t.entries[0] = nil
	t.entries = t.entries[1:]
	t.bytes -= len(m.Data)
	if m.Position.Offset != 0 {
		t.base = m.Position.Offset
	}
	for _, f := range t.frames {
		t.framed -= f.drop(t.first)
	}
	t.first++
}

// A Reach says what a cursor can have from a tail.
type Reach uint8

// What a cursor can have.
const (
	Nothing Reach = iota // it has all there is
	More                 // there are frames for it
	Behind               // what it needs is older than the tail
)

// Read returns frames that come after c, in order, moves c behind them, and
// says how many they are and what c can have then. The bytes are
// shared: read only, and good for as long as they are wanted. Consecutive frames
// come in one piece where they lie in one, so that a reader that lags gets many
// at once.
func (t *Tail) Read(c *Cursor, f Framer) (b []byte, n int, left Reach) {
	if r := t.Place(c); r != More {
		return nil, 0, r
	}
	frames := t.framesOf(f, c.seq+1)
	if c.seq+1 < frames.first {
		return t.Append(nil, c, f)
	}
	b, last := frames.run(t, c.seq+1)
	for c.seq < last {
		if s := frames.spans[c.seq+1-frames.first]; s.end > s.start {
			n++
		}
		t.step(c)
	}
	return b, n, t.after(c)
}

// Append is Read for the only reader, whose frames nobody shares: they are
// appended to dst and not kept.
func (t *Tail) Append(dst []byte, c *Cursor, f Framer) (b []byte, n int, left Reach) {
	if r := t.Place(c); r != More {
		return dst, 0, r
	}
	for most := len(dst) + maxJoin; c.seq+1 < t.next() && len(dst) < most; {
		before := len(dst)
		if dst = f.AppendMessage(dst, t.channel, t.step(c)); len(dst) > before {
			n++
		}
	}
	return dst, n, t.after(c)
}

// step moves a placed c behind the next entry, which it returns.
func (t *Tail) step(c *Cursor) *surewire.Message {
	c.seq++
	m := t.entries[c.seq-t.first]
	c.Offset = max(c.Offset, m.Position.Offset)
	return m
}

// after is what a placed c can have.
func (t *Tail) after(c *Cursor) Reach {
	if c.seq+1 == t.next() {
		return Nothing
	}
	return More
}

// Place finds c its entry, where it has lost it or never had one, and says what
// c can have.
func (t *Tail) Place(c *Cursor) Reach {
	if !c.placed || c.seq+1 < t.first {
		c.placed = false
		if c.Offset < t.base {
			return Behind
		}
		if c.Offset > t.head {
			return Nothing // it read ahead in history; the tail will come to it
		}
		c.seq, c.placed = t.seqOf(c.Offset), true
	}
	return t.after(c)
}

// seqOf returns the seq of the entry with offset, or of what is just before the
// tail where it begins after offset.
func (t *Tail) seqOf(offset uint64) uint64 {
	for i := len(t.entries) - 1; i >= 0; i-- {
		if o := t.entries[i].Position.Offset; o != 0 && o <= offset {
			return t.first + uint64(i)
		}
	}
	return t.first - 1
}

// Messages returns at most limit durable messages after offset, oldest first.
// The tail must cover offset.
func (t *Tail) Messages(offset uint64, limit int) []*surewire.Message {
	var out []*surewire.Message
	for _, m := range t.entries[t.seqOf(offset)+1-t.first:] {
		if m.Position.Offset != 0 && len(out) < limit {
			out = append(out, m)
		}
	}
	return out
}

// framesOf returns the entries as frames of f, from seq or before it, unless
// others have begun later.
func (t *Tail) framesOf(f Framer, seq uint64) *frames {
	for _, have := range t.frames {
		if have.framer == f {
			if seq > have.first+uint64(len(have.spans)) { // a while nobody wanted them
				t.framed -= have.begin(seq)
			}
			return have
		}
	}
	made := &frames{framer: f, first: seq}
	t.frames = append(t.frames, made)
	return made
}
