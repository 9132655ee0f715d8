//go:build linux

package load

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/surewire/surewire/bench/live/internal/message"
)

// A client is one subscriber.
type client struct {
	channel string
	socket  int
	secure  *tls.Conn // in place of socket; nil without TLS
	state   state
	got     uint64 // the newest message it has
	epoch   string // of its channel's log; empty before the first subscription
	rest    []byte // came, and is not whole yet
}

type state uint8

const (
	gone state = iota
	upgrading
	subscribing
	live
)

// The key is the example of RFC 6455 §1.3, and so is the answer.
const (
	upgrade = "GET /connection/websocket HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	accepted = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// dial connects client i and sends its handshake. On the loopback interface
// that is done without waiting, as long as the listener's backlog has room.
func (l *Load) dial(i int) error {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	c := &l.clients[i]
	c.socket, c.state, c.rest = socket, upgrading, nil
	l.opening++
	if err := syscall.Connect(socket, &l.server); err != nil {
		return os.NewSyscallError("connect", err)
	}
	if err := syscall.SetNonblock(socket, true); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	e := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)}
	if err := syscall.EpollCtl(l.poller, syscall.EPOLL_CTL_ADD, socket, &e); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	return c.send(fmt.Appendf(nil, upgrade, l.options.Address))
}

// drop cuts the connection off: with a reset, so that no port is left waiting.
func (c *client) drop() {
	if c.state == gone {
		return
	}
	if c.secure != nil {
		c.secure.Close()
		c.secure, c.state = nil, gone
		return
	}
	syscall.SetsockoptLinger(c.socket, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
	syscall.Close(c.socket)
	c.socket, c.state, c.rest = -1, gone, nil
}

// send writes what is so short that it always goes at once.
func (c *client) send(b []byte) error {
	if c.secure != nil {
		_, err := c.secure.Write(b)
		return err
	}
	n, err := syscall.Write(c.socket, b)
	if err != nil {
		return os.NewSyscallError("write", err)
	}
	if n < len(b) {
		return errors.New("a socket takes no bytes, though hardly anything was written to it")
	}
	return nil
}

// sendText sends one masked text frame. The mask is zero, which leaves the
// bytes as they are.
func (c *client) sendText(payload []byte) error { return c.sendFrame(1, payload) }

func (c *client) sendFrame(opcode byte, payload []byte) error {
	b := []byte{0x80 | opcode, 0x80 | byte(len(payload))}
	if len(payload) > 125 {
		b = binary.BigEndian.AppendUint16([]byte{b[0], 0x80 | 126}, uint16(len(payload)))
	}
	b = append(b, 0, 0, 0, 0)
	return c.send(append(b, payload...))
}

// read handles what has come for client i.
func (l *Load) read(i int) error {
	c := &l.clients[i]
	for {
		kept := copy(l.buf, c.rest)
		n, err := syscall.Read(c.socket, l.buf[kept:])
		switch {
		case err == syscall.EAGAIN || err == syscall.EINTR:
			return nil // epoll tells again
		case err != nil:
			return os.NewSyscallError("read", err)
		case n == 0:
			return errors.New("the server closed the connection")
		}
		l.bytes += uint64(n)
		l.reads++
		var now int64
		if l.measures {
			now = time.Now().UnixMicro()
		}
		all := l.buf[:kept+n]
		used, err := l.consume(c, all, now)
		if err != nil {
			return err
		}
		c.rest = append(c.rest[:0], all[used:]...)
		if len(all) < len(l.buf) {
			return nil
		}
	}
}

// consume handles what is whole of b, and returns how much that is.
func (l *Load) consume(c *client, b []byte, now int64) (used int, err error) {
	if c.state == upgrading {
		head, _, whole := bytes.Cut(b, []byte("\r\n\r\n"))
		if !whole {
			return 0, nil
		}
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) || !bytes.Contains(head, []byte(accepted)) {
			return 0, fmt.Errorf("the handshake was answered with %.200q", b)
		}
		if used = len(head) + 4; l.options.Bare {
			c.state = live
			l.opening--
			return used, nil
		}
		c.state = subscribing
		if err := c.sendText(c.commands(l.options.Token)); err != nil {
			return 0, err
		}
	}
	for {
		opcode, payload, n, err := nextFrame(b[used:])
		if err != nil || n == 0 {
			return used, err
		}
		used += n
		switch opcode {
		case 1:
			err = l.text(c, payload, now)
		case 9:
			err = c.sendFrame(10, payload)
		default:
			err = fmt.Errorf("a frame of type %d came: %.200q", opcode, payload)
		}
		if err != nil {
			return used, err
		}
	}
}

// nextFrame returns the frame at the start of b and its length, 0 if it is not
// whole yet.
func nextFrame(b []byte) (opcode byte, payload []byte, n int, err error) {
	if len(b) < 2 {
		return 0, nil, 0, nil
	}
	if b[0]&0xf0 != 0x80 || b[1]&0x80 != 0 {
		return 0, nil, 0, fmt.Errorf("a frame began with %x: fragments, extensions and masks are not expected", b[:2])
	}
	size := uint64(b[1])
	n = 2
	switch {
	case size == 126 && len(b) >= 4:
		size, n = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case size == 127 && len(b) >= 10:
		size, n = binary.BigEndian.Uint64(b[2:]), 10
	case size > 125:
		return 0, nil, 0, nil
	}
	if size > bufferSize/2 {
		return 0, nil, 0, fmt.Errorf("a frame of %d bytes came", size)
	}
	if uint64(len(b)-n) < size {
		return 0, nil, 0, nil
	}
	end := n + int(size)
	return b[0] & 0x0f, b[n:end], end, nil
}

// commands is the first frame of c: it connects and subscribes at once.
func (c *client) commands(token string) []byte {
	b := []byte(`{"id":1,"connect":{}}` + "\n")
	if token != "" {
		b = fmt.Appendf(nil, `{"id":1,"connect":{"token":"%s"}}`+"\n", token)
	}
	b = fmt.Appendf(b, `{"id":2,"subscribe":{"channel":"%s","recoverable":true,"positioned":true`, c.channel)
	if c.epoch != "" {
		b = fmt.Appendf(b, `,"recover":true,"epoch":"%s","offset":%d`, c.epoch, c.got)
	}
	return append(b, "}}"...)
}

// text handles one frame: objects of the client protocol, a line each.
func (l *Load) text(c *client, payload []byte, now int64) error {
	for line := range bytes.SplitSeq(payload, []byte("\n")) {
		var err error
		switch {
		case string(line) == "{}":
			err = c.sendText(line) // a ping, and its pong
		case c.state == subscribing:
			err = l.reply(c, line, now)
		default:
			var n int
			if n, err = l.messages(c, line, now); err == nil && n != 1 {
				err = fmt.Errorf("%.300q came instead of a message", line)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reply handles the answers to the client's commands.
func (l *Load) reply(c *client, line []byte, now int64) error {
	if bytes.Contains(line, []byte(`"connect":`)) {
		return nil
	}
	if !bytes.HasPrefix(line, []byte(`{"id":2,"subscribe":{`)) {
		return fmt.Errorf("the subscription was answered with %.300q", line)
	}
	_, rest, _ := bytes.Cut(line, []byte(`"epoch":"`))
	epoch, _, found := bytes.Cut(rest, []byte(`"`))
	switch {
	case found != l.options.Recover:
		return fmt.Errorf("recovery is expected to be %v: %.300q", l.options.Recover, line)
	case c.epoch == "":
		c.epoch = string(epoch)
	case c.epoch != string(epoch) || !bytes.Contains(line, []byte(`"recovered":true`)):
		return fmt.Errorf("after message %d of epoch %s nothing was recovered: %.300q", c.got, c.epoch, line)
	}
	c.state = live
	l.opening--
	_, err := l.messages(c, line, now)
	return err
}

var offset = []byte(`,"offset":`)

// messages checks and counts the messages of a line.
func (l *Load) messages(c *client, line []byte, now int64) (n int, err error) {
	for ; ; n++ {
		at := bytes.Index(line, message.Mark)
		if at < 0 {
			return n, nil
		}
		number, due, ok := message.Parse(line[at:])
		if !ok {
			return n, fmt.Errorf("a message is not as it was published: %.300q", line[at:])
		}
		line = line[at+message.Size:]
		if number != c.got+1 {
			return n, fmt.Errorf("message %d came after message %d", number, c.got)
		}
		digits := bytes.TrimPrefix(line, offset)
		end := 0
		for end < len(digits) && '0' <= digits[end] && digits[end] <= '9' {
			end++
		}
		if o, ok := message.Number(digits[:end]); !ok || o != number || len(digits) == len(line) {
			return n, fmt.Errorf("message %d has no such offset: %.100q", number, line)
		}
		if err := l.take(c, number); err != nil {
			return n, err
		}
		if l.measures {
			l.delays = append(l.delays, now-due)
		}
	}
}

// take counts message n of c.
func (l *Load) take(c *client, n uint64) error {
	c.got = n
	l.received++
	if l.options.Own {
		return nil
	}
	if n > l.done+maxOnWay {
		return fmt.Errorf("message %d came while another client waits for %d", n, l.done+1)
	}
	l.have[n%maxOnWay]++
	for next := (l.done + 1) % maxOnWay; l.have[next] == int32(len(l.clients)); next = (l.done + 1) % maxOnWay {
		l.have[next] = 0
		l.done++
	}
	return nil
}
