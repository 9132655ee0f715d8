//go:build linux

package subject

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// Limit is the name of the subject that does the least.
const Limit = "limit"

var limitServer = Subject{
	Name: Limit, Module: "github.com/gobwas/ws",
	About:    "the same bytes by write(2) in a bare loop over the sockets; what is published at once is one write; the handshake is gobwas', nothing is read later or kept",
	Channels: true, Limit: true,
	start: func(l net.Listener) (server, error) {
		s := &limit{rooms: make(map[string]*room)}
		go s.accept(l) // until the process ends
		return s, nil
	},
}

type limit struct {
	mu    sync.Mutex
	rooms map[string]*room

	// Owned by publish.
	payload, frames []byte
}

// A room is the clients of one channel. They are kept as long as the process.
type room struct{ clients []client }

type client struct {
	socket int
	conn   net.Conn // owns socket; for what does not go at once
}

func (s *limit) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "limit:", err)
			return
		}
		go func() { // ends with the client's first frame
			if err := s.admit(conn.(*net.TCPConn)); err != nil {
				if !errors.Is(err, syscall.ECONNRESET) { // it went, and had said nothing
					fmt.Fprintln(os.Stderr, "limit:", err)
				}
				conn.Close()
			}
		}()
	}
}

// admit shakes hands and puts the client where its first frame asks for.
func (s *limit) admit(conn *net.TCPConn) error {
	if _, err := (ws.Upgrader{}).Upgrade(conn); err != nil {
		return err
	}
	frame, err := wsutil.ReadClientText(conn)
	if err != nil {
		return err
	}
	_, rest, _ := bytes.Cut(frame, []byte(`"channel":"`))
	channel, _, ok := bytes.Cut(rest, []byte(`"`))
	if !ok {
		return fmt.Errorf("no channel in %q", frame)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	one := client{conn: conn}
	if err := raw.Control(func(fd uintptr) { one.socket = int(fd) }); err != nil {
		return err
	}
	s.mu.Lock()
	r := s.rooms[string(channel)]
	if r == nil {
		r = &room{}
		s.rooms[string(channel)] = r
	}
	r.clients = append(r.clients, one)
	s.mu.Unlock()
	return wsutil.WriteServerText(conn, []byte(subscribed))
}

func (s *limit) publish(channel string, messages []message) error {
	s.mu.Lock()
	var clients []client
	if r := s.rooms[channel]; r != nil {
		clients = r.clients
	}
	s.mu.Unlock()
	s.frames = s.frames[:0]
	millis := time.Now().UnixMilli()
	for _, m := range messages {
		s.payload = appendPush(s.payload[:0], channel, m, millis)
		s.frames = appendFrame(s.frames, s.payload)
	}
	for _, c := range clients {
		if err := c.write(s.frames); err != nil {
			return err
		}
	}
	return nil
}

// appendFrame appends a text frame whose payload has 126 to 65,535 bytes.
func appendFrame(b, payload []byte) []byte {
	b = append(b, 0x80|byte(ws.OpText), 126, byte(len(payload)>>8), byte(len(payload)))
	return append(b, payload...)
}

func (c client) write(b []byte) error {
	n, err := syscall.Write(c.socket, b)
	if err != nil && err != syscall.EAGAIN && err != syscall.EINTR {
		return os.NewSyscallError("write", err)
	}
	if n = max(n, 0); n == len(b) {
		return nil
	}
	_, err = c.conn.Write(b[n:])
	return err
}
