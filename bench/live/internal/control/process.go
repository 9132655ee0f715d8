//go:build linux

package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Argument is the first argument of a process that is a server; the second is
// which.
const Argument = "-server"

// socketFile is the child's end of the control socket, after the standard three.
const socketFile = 3

// A Process is a server that runs in a process of its own. Its methods are for
// one goroutine.
type Process struct {
	Address string // where it listens

	cmd     *exec.Cmd
	conn    net.Conn
	send    *json.Encoder
	replies chan Reply // closed when the process has said its last
	wait    func() error
}

// answerTimeout is how long a process may take for what has no length of its
// own. A process that was given 10,000 connections settles in a second or two.
const answerTimeout = 60 * time.Second

// Start runs the server of that name, by this program itself. The process ends
// with ctx, or by Stop, or with this one.
func Start(ctx context.Context, name string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	conn, theirs, err := socketPair()
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	p := &Process{conn: conn, send: json.NewEncoder(conn), replies: make(chan Reply, 1)}
	p.cmd = exec.CommandContext(ctx, self, Argument, name)
	p.cmd.Stderr = os.Stderr
	p.cmd.ExtraFiles = []*os.File{theirs}
	err = p.cmd.Start()
	theirs.Close() // so that the child's is the only one, and its end is seen
	if err != nil {
		conn.Close()
		return nil, err
	}
	p.wait = sync.OnceValue(p.cmd.Wait)
	go p.read() // ends with the process
	first, err := p.Await(answerTimeout)
	if err != nil {
		p.Stop()
		return nil, err
	}
	p.Address = first.Address
	return p, nil
}

// socketPair returns two ends of one socket.
func socketPair() (net.Conn, *os.File, error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "control"), os.NewFile(uintptr(pair[1]), "control of the child")
	conn, err := net.FileConn(ours) // a copy
	ours.Close()
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn, theirs, nil
}

func (p *Process) read() {
	defer close(p.replies)
	for d := json.NewDecoder(p.conn); ; {
		var r Reply
		if d.Decode(&r) != nil {
			return
		}
		p.replies <- r
	}
}

// Send asks and does not wait.
func (p *Process) Send(r Request) error {
	if err := p.send.Encode(r); err != nil {
		return p.ended()
	}
	return nil
}

// Replies is where the answer to Send comes; it is closed when the process ends.
func (p *Process) Replies() <-chan Reply { return p.replies }

// Await returns the next answer.
func (p *Process) Await(timeout time.Duration) (Reply, error) {
	select {
	case r, ok := <-p.replies:
		return p.Check(r, ok)
	case <-time.After(timeout):
		return Reply{}, fmt.Errorf("the server did not answer in %v", timeout)
	}
}

// Check makes an error of a bad answer that came from Replies.
func (p *Process) Check(r Reply, ok bool) (Reply, error) {
	switch {
	case !ok:
		return r, p.ended()
	case r.Error != "":
		return r, errors.New("the server: " + r.Error)
	}
	return r, nil
}

// Ask asks and waits for the answer.
func (p *Process) Ask(r Request) (Reply, error) {
	if err := p.Send(r); err != nil {
		return Reply{}, err
	}
	return p.Await(answerTimeout + r.For)
}

// ended says that the process has gone, and how.
func (p *Process) ended() error {
	p.conn.Close()
	return fmt.Errorf("the server's process ended: %w", errors.Join(p.wait(), errors.New("see above for why")))
}

// Stop ends the process, without asking it.
func (p *Process) Stop() {
	p.cmd.Process.Kill()
	p.conn.Close()
	for range p.replies { // read ends
	}
	p.wait()
}
