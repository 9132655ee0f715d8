//go:build linux

// Package load is the clients: thousands of WebSockets in one event loop,
// without a goroutine or a buffer each, so that what they cost is small and the
// same for every server. Each checks what it gets: every message once, whole,
// in order, and with its offset.
package load

import (
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// Options say what the clients of a [Load] do.
type Options struct {
	Address string // of the server: IPv4 and port
	Clients int
	Own     bool               // each client reads a channel of its own; else all read the first
	Channel func(i int) string // the name of channel i
	Token   string             // that clients show
	Recover bool               // the server can tell what a client has missed
	Bare    bool               // clients have a WebSocket and say nothing on it
	Secure  bool               // they speak TLS, and do nothing once they are connected
}

// A Load is the clients of one server. It is used by one goroutine.
type Load struct {
	options  Options
	server   syscall.SockaddrInet4
	poller   int
	events   []syscall.EpollEvent
	clients  []client
	buf      []byte // of the present read
	opening  int    // clients that are on their way to be live
	progress time.Time

	received uint64  // messages
	bytes    uint64  // with their frames, and all else that came
	reads    uint64  // that brought something
	have     []int32 // of the first channel: how many clients have message n, at n modulo the length
	done     uint64  // of the first channel: the newest message that all its clients have
	measures bool    // delays are wanted
	delays   []int64 // of each delivery, in microseconds from due to read
}

const (
	atOnce     = 512       // clients that are on their way to be live; fewer than a listener's backlog
	maxOnWay   = 1 << 13   // messages of one channel on their way
	bufferSize = 256 << 10 // of one read
	patience   = 15 * time.Second
)

// Open returns a Load that has no connection yet.
func Open(o Options) (*Load, error) {
	address, err := netip.ParseAddrPort(o.Address)
	if err != nil {
		return nil, err
	}
	poller, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create", err)
	}
	l := &Load{
		options: o, poller: poller,
		server:  syscall.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()},
		events:  make([]syscall.EpollEvent, 256),
		clients: make([]client, o.Clients),
		buf:     make([]byte, bufferSize),
		have:    make([]int32, maxOnWay),
	}
	for i := range l.clients {
		l.clients[i] = client{socket: -1, channel: o.Channel(0)}
		if o.Own {
			l.clients[i].channel = o.Channel(i)
		}
	}
	return l, nil
}

// Close drops all connections.
func (l *Load) Close() {
	l.Drop()
	syscall.Close(l.poller)
}

// Received is how many messages have come, to all clients together.
func (l *Load) Received() uint64 { return l.received }

// Bytes is how many bytes have come, and by how many reads.
func (l *Load) Bytes() (n, reads uint64) { return l.bytes, l.reads }

// Connect connects every client, and returns when all have subscribed. A client
// that was connected before asks for what it missed.
func (l *Load) Connect() error {
	if l.options.Secure {
		return l.connectSecure()
	}
	l.progress = time.Now()
	for next := 0; next < len(l.clients) || l.opening > 0; {
		for ; next < len(l.clients) && l.opening < atOnce; next++ {
			if err := l.dial(next); err != nil {
				return err
			}
		}
		if err := l.step(); err != nil {
			return err
		}
	}
	return nil
}

// Drop cuts every connection off, without a farewell.
func (l *Load) Drop() {
	for i := range l.clients {
		l.clients[i].drop()
	}
	l.opening = 0
}

// Until handles what comes until all clients together have received so many
// messages since they were opened, and reports whatever was not as it should be.
func (l *Load) Until(received uint64) error {
	l.progress = time.Now()
	for l.received < received {
		if err := l.step(); err != nil {
			return err
		}
	}
	return nil
}

// While handles what comes until done is closed or has a value.
func While[T any](l *Load, done <-chan T) (v T, ok bool, err error) {
	for {
		select {
		case v, ok = <-done:
			return v, ok, nil
		default:
		}
		l.progress = time.Now() // done has a timeout of its own
		if err := l.step(); err != nil {
			return v, false, err
		}
	}
}

// Quiet handles what comes for a time, in which no message is expected.
func (l *Load) Quiet(length time.Duration) error {
	before := l.received
	for end := time.Now().Add(length); time.Now().Before(end); {
		l.progress = time.Now()
		if err := l.step(); err != nil {
			return err
		}
	}
	if n := l.received - before; n > 0 {
		return fmt.Errorf("%d messages came that were not due", n)
	}
	return nil
}

// Closed keeps as many messages of the first channel on their way, for a time,
// and returns how many there were when the last has arrived.
func (l *Load) Closed(window int, length time.Duration, publish func(messages int) error) (published uint64, err error) {
	first := l.done
	sent := first + uint64(window)
	if err := publish(window); err != nil {
		return 0, err
	}
	l.progress = time.Now()
	for end := l.progress.Add(length); l.done < sent; {
		before := l.done
		if err := l.step(); err != nil {
			return 0, err
		}
		if n := l.done - before; n > 0 && time.Now().Before(end) {
			sent += n
			if err := publish(int(n)); err != nil {
				return 0, err
			}
		}
	}
	return sent - first, nil
}

// Delays begins to note how long messages take, or ends it and returns what was
// noted: microseconds, from when a message was due to when it was read.
func (l *Load) Delays(measure bool) []int64 {
	noted := l.delays
	l.measures, l.delays = measure, nil
	return noted
}

// step handles what has come, and waits for it a few milliseconds.
func (l *Load) step() error {
	n, err := syscall.EpollWait(l.poller, l.events, 5)
	if err != nil && err != syscall.EINTR {
		return os.NewSyscallError("epoll_wait", err)
	}
	for _, e := range l.events[:max(n, 0)] {
		if err := l.read(int(e.Fd)); err != nil {
			return fmt.Errorf("client %d: %w", e.Fd, err)
		}
	}
	if now := time.Now(); n > 0 {
		l.progress = now
	} else if now.Sub(l.progress) > patience {
		return l.stalled()
	}
	return nil
}

// stalled says who waits for what.
func (l *Load) stalled() error {
	least, most := 0, 0
	for i := range l.clients {
		if l.clients[i].state != live {
			return fmt.Errorf("nothing came for %v: client %d of %d is not subscribed", patience, i, len(l.clients))
		}
		if l.clients[i].got < l.clients[least].got {
			least = i
		}
		if l.clients[i].got > l.clients[most].got {
			most = i
		}
	}
	return fmt.Errorf("nothing came for %v: messages were lost; client %d has %d, client %d has %d, all together %d",
		patience, least, l.clients[least].got, most, l.clients[most].got, l.received)
}
