package hub_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/wire"
)

// lines frames payloads with a newline, so that a test can take them apart.
var lines = &hub.Format{Name: "lines", Frame: func(dst, payload []byte) []byte {
	return append(append(dst, payload...), '\n')
}}

// A peer is both ends of a transport with faults: what the hub writes, the
// client reads, as slowly as the peer says.
type peer struct {
	// Static after construction.
	in     chan []byte
	done   chan struct{}
	served chan error // the result of Serve

	// mu guards the following.
	mu     sync.Mutex
	rng    *rand.Rand // nil takes everything at once
	delay  time.Duration
	stuck  bool // takes nothing
	buf    []byte
	wake   chan struct{}
	closed bool
	bye    surewire.Disconnect // what the hub said when it closed
}

var errGone = errors.New("the transport is closed")

// connect has h serve a new client.
func connect(ctx context.Context, h *hub.Hub, rng *rand.Rand, delay time.Duration) *peer {
	p := &peer{
		in: make(chan []byte, 64), done: make(chan struct{}), served: make(chan error, 1),
		rng: rng, delay: delay, wake: make(chan struct{}, 1),
	}
	go func() { p.served <- h.Serve(ctx, p, lines, access.Peer{}) }()
	return p
}

func (p *peer) Read() ([]byte, error) {
	select {
	case b := <-p.in:
		return b, nil
	case <-p.done:
		return nil, io.EOF
	}
}

func (p *peer) take(b []byte) {
	p.buf = append(p.buf, b...)
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *peer) TryWrite(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, errGone
	}
	n := len(b)
	if p.stuck {
		n = 0
	} else if p.rng != nil && p.rng.IntN(3) > 0 {
		n = p.rng.IntN(len(b) + 1)
	}
	p.take(b[:n])
	return n, nil
}

func (p *peer) Write(b []byte, deadline time.Time) error {
	p.mu.Lock()
	stuck, pause := p.stuck, time.Duration(0)
	if p.rng != nil && p.delay > 0 {
		pause = rand.N(p.delay)
	}
	p.mu.Unlock()
	if stuck {
		pause = time.Until(deadline)
	}
	select {
	case <-time.After(pause):
	case <-p.done:
		return errGone
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stuck {
		return os.ErrDeadlineExceeded
	}
	p.take(b)
	return nil
}

func (p *peer) Close(d surewire.Disconnect) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed, p.bye = true, d
		close(p.done)
	}
	return nil
}

// send writes commands as one frame, as a client does.
func (p *peer) send(cmds ...wire.Command) {
	var frame []byte
	for i, c := range cmds {
		if i > 0 {
			frame = append(frame, '\n')
		}
		frame = wire.AppendCommand(frame, c)
	}
	p.sendRaw(frame)
}

func (p *peer) sendRaw(frame []byte) {
	select {
	case p.in <- frame:
	case <-p.done:
	}
}

// next returns the next reply or push, or false when the connection has ended.
func (p *peer) next() (wire.Reply, bool) {
	for {
		p.mu.Lock()
		line, rest, ok := bytes.Cut(p.buf, []byte("\n"))
		if ok {
			line = bytes.Clone(line)
			p.buf = rest
		}
		p.mu.Unlock()
		if ok {
			for r, err := range wire.Replies(line) {
				if err != nil {
					panic(err)
				}
				return r, true
			}
		}
		select {
		case <-p.wake:
		case <-p.done:
			p.mu.Lock()
			left := bytes.IndexByte(p.buf, '\n') >= 0
			p.mu.Unlock()
			if !left {
				return wire.Reply{}, false
			}
		}
	}
}

// want returns the next reply, which must come.
func (p *peer) want(t *testing.T) wire.Reply {
	t.Helper()
	r, ok := p.next()
	if !ok {
		t.Fatalf("the connection has ended: %v", p.reason())
	}
	return r
}

func (p *peer) reason() surewire.Disconnect {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bye
}

// hello connects and subscribes, and returns the answer to the latter.
func (p *peer) hello(t *testing.T, r wire.Subscribe) wire.Reply {
	t.Helper()
	p.send(wire.Command{ID: 1, Connect: &wire.Connect{}}, wire.Command{ID: 2, Subscribe: &r})
	if c := p.want(t); c.Connected == nil {
		t.Fatalf("connect got %+v", c)
	}
	return p.want(t)
}

var _ hub.Transport = (*peer)(nil)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
