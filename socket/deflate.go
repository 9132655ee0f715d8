package socket

import (
	"bytes"
	"compress/flate"
	"io"
	"sync"

	"github.com/gobwas/ws"
)

// DeflateThreshold is the shortest payload, in bytes, that [AppendDeflated]
// compresses. Below it a frame saves less on the wire than it costs both sides.
const DeflateThreshold = 256

// deflatedText begins the frame of a compressed message: the first reserved bit
// says so (RFC 7692 §6.1).
const deflatedText = ws.OpText | 0x40

const (
	// flushed ends what a compressor flushes. It is left out on the wire, and
	// the receiver puts it back (RFC 7692 §7.2.1 and §7.2.2).
	flushed = "\x00\x00\xff\xff"

	// inflateTail is flushed, and an empty last block: by that the decompressor
	// knows the end from a message that was cut.
	inflateTail = flushed + "\x01\x00\x00\xff\xff"

	// maxScratch is what a pooled buffer may hold on to.
	maxScratch = 256 << 10
)

// AppendDeflated is [AppendText] for connections that are [Conn.Deflated]: the
// payload is compressed, apart from any connection and without the context of
// other messages, so that one frame is shared by all its receivers. A payload
// below [DeflateThreshold], or one that does not shrink, is not compressed.
func AppendDeflated(dst, payload []byte) []byte {
	if len(payload) < DeflateThreshold {
		return AppendText(dst, payload)
	}
	d := deflaters.Get().(*deflater)
	defer deflaters.Put(d)
	if b := d.deflate(payload); len(b) < len(payload) {
		return appendFrame(dst, deflatedText, b)
	}
	return AppendText(dst, payload)
}

// A deflater compresses one message at a time. Its flate.Writer is 1.2 MB,
// which is why a connection has none of its own.
type deflater struct {
	out bytes.Buffer
	w   *flate.Writer
}

var deflaters = sync.Pool{New: func() any {
	d := new(deflater)
	// Level 1: the next ones cost twice the time for a tenth of the bytes.
	d.w, _ = flate.NewWriter(&d.out, flate.BestSpeed) // fails for unknown levels only
	return d
}}

// deflate returns payload as RFC 7692 §7.2.1 has it on the wire. The result is
// valid until the next call.
func (d *deflater) deflate(payload []byte) []byte {
	if d.out.Cap() > maxScratch {
		d.out = bytes.Buffer{}
	}
	d.out.Reset()
	d.w.Reset(&d.out)
	d.w.Write(payload) // a bytes.Buffer does not fail
	d.w.Flush()
	return d.out.Bytes()[:d.out.Len()-len(flushed)]
}

// An inflater decompresses one message at a time.
type inflater struct {
	src   bytes.Reader
	r     io.ReadCloser // from flate.NewReader
	limit io.LimitedReader
	in    []byte
	out   bytes.Buffer
}

var inflaters = sync.Pool{New: func() any { return &inflater{r: flate.NewReader(nil)} }}

// inflateApart is inflate on a stack of its own, that of a goroutine which ends
// before it returns. compress/flate needs 5 KB of it, and the runtime does not
// give all of that back: a connection's reader would keep 2 KB for ever.
func inflateApart(b []byte, max int) (message []byte, err *ProtocolError) {
	done := make(chan struct{})
	go func() {
		message, err = inflate(b, max)
		close(done)
	}()
	<-done
	return message, err
}

// inflate returns the message whose compressed payload is b: a new slice of at
// most max bytes. Memory and work are bounded by max, whatever b unpacks to.
func inflate(b []byte, max int) ([]byte, *ProtocolError) {
	if len(b) == 0 {
		return b, nil // not even an empty block; what is meant is clear
	}
	f := inflaters.Get().(*inflater)
	defer f.put()
	f.in = append(append(f.in[:0], b...), inflateTail...)
	f.src.Reset(f.in)
	f.r.(flate.Resetter).Reset(&f.src, nil) // which cannot fail
	f.limit = io.LimitedReader{R: f.r, N: int64(max) + 1}
	f.out.Reset()
	switch _, err := f.out.ReadFrom(&f.limit); {
	case f.out.Len() > max:
		return nil, violation(ws.StatusMessageTooBig, "message is longer than %d bytes", max)
	case err != nil:
		return nil, violation(ws.StatusInvalidFramePayloadData, "compressed message: %v", err)
	}
	// A block that is marked as the last ends the message, and what follows it
	// would be lost. One zero byte may: the header of an empty block, whose rest
	// was left out (RFC 7692 §7.2.3.4).
	if left := f.src.Len() - len(inflateTail); left > 1 || left == 1 && b[len(b)-1] != 0 {
		return nil, violation(ws.StatusInvalidFramePayloadData, "compressed message: %d bytes follow its last block", left)
	}
	return bytes.Clone(f.out.Bytes()), nil
}

// put gives f back to the pool, without buffers that have grown beyond what is usual.
func (f *inflater) put() {
	if cap(f.in) > maxScratch || f.out.Cap() > maxScratch {
		f.in, f.out = nil, bytes.Buffer{}
	}
	inflaters.Put(f)
}
