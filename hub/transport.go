package hub

import (
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/wire"
)

// A Transport carries frames to and from one client. The hub calls Read from
// one goroutine, and TryWrite and Write from one goroutine at a time.
type Transport interface {
	// Read returns the next frame of the client. The bytes are the
	// transport's, and valid until the next Read.
	Read() ([]byte, error)

	// TryWrite writes as much of b as goes without waiting, which may be
	// nothing. b is a run of whole frames; after a short write the hub goes on
	// with the remainder.
	TryWrite(b []byte) (n int, err error)

	// Write writes all of b, or fails at deadline.
	Write(b []byte, deadline time.Time) error

	// Close tells the client why, where that can be done without waiting, and
	// ends the connection. It unblocks the other methods. Only the first call counts.
	Close(d surewire.Disconnect) error
}

// A Format is how one kind of client takes its frames. A publication is framed
// once per channel and Format, and the bytes are shared: connections of one
// kind must be given the same *Format.
type Format struct {
	Name string // for people: "websocket"

	// Frame appends payload to dst as one whole frame of the transport.
	Frame func(dst, payload []byte) []byte
}

// A view is what of a channel the clients of one kind want to see.
type view struct {
	format *Format
	joins  bool
}

// AppendMessage implements [tail.Framer].
func (v view) AppendMessage(dst []byte, channel string, m *surewire.Message) []byte {
	if m.Kind != surewire.KindData && !v.joins {
		return dst
	}
	return wire.AppendFramed(dst, v.format.Frame, channel, m)
}
