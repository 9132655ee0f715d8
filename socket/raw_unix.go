//go:build unix

package socket

import (
	"net"
	"syscall"
)

// rawConn returns how to read and write conn without waiting, nil if it is no
// socket itself: under TLS the bytes of the socket are not those of conn.
func rawConn(conn net.Conn) syscall.RawConn {
	var raw syscall.RawConn
	switch s := conn.(type) {
	case *net.TCPConn:
		raw, _ = s.SyscallConn()
	case *net.UnixConn:
		raw, _ = s.SyscallConn()
	}
	return raw
}

// A receiver holds the result of a read by Conn.receive.
type receiver struct {
	ready func(fd uintptr) bool // Conn.receive: made once, because a closure a call would be garbage
	n     int
	err   error
}

// receive reads into a buffer that is taken for the call and kept only if bytes
// came, so that a connection that waits has none. It returns false to wait.
func (c *Conn) receive(fd uintptr) bool {
	r := &c.received
	buf := readBuffers.Get().(*readBuffer)
	for {
		r.n, r.err = syscall.Read(int(fd), buf[:])
		if r.err != syscall.EINTR {
			break
		}
	}
	if r.n > 0 {
		c.buf = buf
		return true
	}
	readBuffers.Put(buf)
	return r.err != syscall.EAGAIN
}

// A sender makes one write that does not wait.
type sender struct {
	ready func(fd uintptr) bool // send: made once, because a closure a call would be garbage
	b     []byte                // the caller's; nil between calls
	n     int
	err   error
}

// try writes as much of b as the socket takes now.
func (s *sender) try(raw syscall.RawConn, b []byte) (int, error) {
	s.b = b
	err := raw.Write(s.ready)
	s.b = nil
	if err != nil {
		return 0, err
	}
	return s.n, s.err
}

// send always returns true: false would wait until the socket has room.
func (s *sender) send(fd uintptr) bool {
	for {
		s.n, s.err = syscall.Write(int(fd), s.b)
		if s.err != syscall.EINTR {
			break
		}
	}
	s.n = max(s.n, 0)
	if s.err == syscall.EAGAIN {
		s.err = nil
	}
	return true
}
