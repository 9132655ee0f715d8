//go:build !unix

package socket

import (
	"net"
	"syscall"
)

// rawConn returns nil: the system has no write that is known not to wait.
func rawConn(net.Conn) syscall.RawConn { return nil }

// A receiver is not used on this system.
type receiver struct {
	ready func(fd uintptr) bool
	n     int
	err   error
}

func (c *Conn) receive(uintptr) bool { return true }

// A sender is not used on this system.
type sender struct{ ready func(fd uintptr) bool }

func (s *sender) send(uintptr) bool { return true }

func (s *sender) try(syscall.RawConn, []byte) (int, error) { return 0, nil }
