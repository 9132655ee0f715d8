package tail

// maxJoin is how many bytes of consecutive frames are kept in one piece, so
// that they leave in one write; quiet is how many where they are framed one by
// one, because readers keep up. margin is about what a frame has besides data.
const (
	maxJoin = 32 << 10
	quiet   = 4 << 10
	margin  = 96
)

// frames are a tail's entries of one Framer, made when the first reader asks who
// is not alone. Consecutive frames lie in one chunk: a reader that lacks several
// gets them as one slice, the same for all who lack them.
type frames struct {
	framer Framer
	first  uint64 // seq of spans[0]; an entry's, or that of the next
	spans  []span
}

type span struct {
	chunk      *chunk
	start, end int
}

// A chunk is append-only: what was handed out of it stays as it is.
type chunk struct {
	buf  []byte
	last uint64 // seq of the newest frame in it
}

// run returns the frames from seq to the end of its chunk, and the seq of the last.
func (f *frames) run(t *Tail, seq uint64) ([]byte, uint64) {
	for at := f.first + uint64(len(f.spans)); at < t.next(); at++ {
		f.add(t, at)
	}
	s := f.spans[seq-f.first]
	end := f.spans[s.chunk.last-f.first].end
	return s.chunk.buf[s.start:end:end], s.chunk.last
}

// add frames the entry seq, behind the one before it.
func (f *frames) add(t *Tail, seq uint64) {
	m := t.entries[seq-t.first]
	need := len(m.Data) + len(t.channel) + margin
	var c *chunk
	if n := len(f.spans); n > 0 {
		c = f.spans[n-1].chunk
	}
	if c == nil || cap(c.buf)-len(c.buf) < need {
		size := max(need, min(need*int(t.next()-seq), maxJoin)) // what is to be framed now
		if c != nil {
			size = max(size, min(2*cap(c.buf), quiet))
		}
		c = &chunk{buf: make([]byte, 0, size)}
	}
	start := len(c.buf)
	c.buf = f.framer.AppendMessage(c.buf, t.channel, m)
	c.last = seq
	f.spans = append(f.spans, span{c, start, len(c.buf)})
	t.framed += len(c.buf) - start
}

// drop forgets the frame of seq, the oldest entry, if it is here, and returns its
// length.
func (f *frames) drop(seq uint64) (n int) {
	if f.first > seq {
		return 0
	}
	if len(f.spans) > 0 {
		n = f.spans[0].end - f.spans[0].start
		f.spans[0] = span{}
		f.spans = f.spans[1:]
	}
	f.first++
	return n
}

// begin forgets all frames, and begins anew at seq. It returns the length they had.
func (f *frames) begin(seq uint64) (n int) {
	for len(f.spans) > 0 {
		n += f.drop(f.first)
	}
	f.first, f.spans = seq, nil
	return n
}
