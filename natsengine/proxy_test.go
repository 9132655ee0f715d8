package natsengine_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/surewire/surewire/natsembed"
)

// A network is what lies between nodes: whoever dials another goes through a
// proxy of that pair, which can delay, cut and hold what it carries.
type network struct {
	nodes []*natsembed.Cluster
	links map[[2]int]*link // by who dials, and whom
}

// newNetwork returns a network of three nodes, without faults. Nodes tell each
// other at which port they listen. Whoever takes that up tries it at the address
// of a proxy, where nobody listens: the nodes have one of their own.
func newNetwork(t *testing.T) *network {
	t.Helper()
	const own = "127.0.0.2"
	n := &network{links: map[[2]int]*link{}}
	for i := range 3 {
		l, err := net.Listen("tcp", own+":0")
		if err != nil {
			t.Skipf("this system has no second address of its own: %v", err)
		}
		defer l.Close() // once all have another port
		n.nodes = append(n.nodes, &natsembed.Cluster{Node: fmt.Sprint("node-", i), Listen: l.Addr().String(), Secret: "secret"})
	}
	for i, from := range n.nodes {
		for j, to := range n.nodes {
			if i == j {
				continue
			}
			l := newLink(t, to.Listen)
			n.links[[2]int{i, j}] = l
			from.Peers = append(from.Peers, l.listener.Addr().String())
		}
	}
	return n
}

// each calls fn with all links, or with those from and to a node.
func (n *network) each(node int, fn func(*link)) {
	for ends, l := range n.links {
		if node < 0 || ends[0] == node || ends[1] == node {
			fn(l)
		}
	}
}

// delay has all that is sent take between low and high.
func (n *network) delay(low, high time.Duration) { n.each(-1, func(l *link) { l.delay(low, high) }) }

// cutSome closes all connections of one link, and returns how many there were.
func (n *network) cutSome() (cut int) {
	i, j := rand.IntN(3), rand.IntN(2)
	return n.links[[2]int{i, (i + 1 + j) % 3}].cut()
}

// A link is a proxy on the way from one node to another.
type link struct {
	// Static after construction.
	listener net.Listener
	to       string

	// mu guards the following.
	mu        sync.Mutex
	low, high time.Duration
	dark      chan struct{}          // closed when the link is whole again; nil while it is
	conns     map[net.Conn]time.Time // both sides of each connection; when it was made
	since     time.Time              // when it went dark
}

func newLink(t *testing.T, to string) *link {
	t.Helper()
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{listener: at, to: to, conns: map[net.Conn]time.Time{}}
	var running sync.WaitGroup
	running.Go(func() { // ends with the listener
		for {
			c, err := at.Accept()
			if err != nil {
				return
			}
			running.Go(func() { l.carry(c) })
		}
	})
	t.Cleanup(func() {
		at.Close()
		l.heal(false)
		l.cut()
		running.Wait()
	})
	return l
}

func (l *link) delay(low, high time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.low, l.high = low, high
}

// cut closes all connections.
func (l *link) cut() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.conns)
	for c := range l.conns {
		c.Close()
	}
	return (n + 1) / 2
}

// darken holds all that is sent, both ways. Nobody is told.
func (l *link) darken() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dark == nil {
		l.dark, l.since = make(chan struct{}), time.Now()
	}
}

// heal lets pass what was held: it is late, but it comes. Or else its
// connections are closed, and it is lost.
func (l *link) heal(late bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dark == nil {
		return
	}
	for c, made := range l.conns {
		if !late || made.After(l.since) { // who came while it was dark has not been heard
			c.Close()
		}
	}
	close(l.dark)
	l.dark = nil
}

// pass waits while the link is dark.
func (l *link) pass() {
	l.mu.Lock()
	dark := l.dark
	l.mu.Unlock()
	if dark != nil {
		<-dark
	}
}

func (l *link) hold(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = time.Now()
}

func (l *link) release(c net.Conn) {
	c.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

// carry carries a connection until either side ends it.
func (l *link) carry(from net.Conn) {
	l.hold(from)
	defer l.release(from)
	l.pass()
	to, err := net.DialTimeout("tcp", l.to, time.Second)
	if err != nil {
		return // that node is down
	}
	l.hold(to)
	defer l.release(to)
	var both sync.WaitGroup
	both.Go(func() { l.pump(to, from) })
	both.Go(func() { l.pump(from, to) })
	both.Wait()
}

// A parcel is some bytes on their way.
type parcel struct {
	due  time.Time
	data []byte
}

// pump carries one direction, in order, until either side ends.
func (l *link) pump(to, from net.Conn) {
	way := make(chan parcel, 1<<12)
	var sender sync.WaitGroup
	sender.Go(func() {
		for p := range way {
			time.Sleep(time.Until(p.due))
			l.pass()
			if _, err := to.Write(p.data); err != nil {
				from.Close()
			}
		}
		to.Close()
	})
	defer sender.Wait()
	defer close(way)
	for last := (time.Time{}); ; {
		data := make([]byte, 32<<10)
		n, err := from.Read(data)
		if err != nil {
			return
		}
		due := time.Now().Add(l.latency())
		if due.Before(last) {
			due = last
		}
		last = due
		way <- parcel{due, data[:n]}
	}
}

func (l *link) latency() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.high <= l.low {
		return l.low
	}
	return l.low + rand.N(l.high-l.low)
}

// The proxy is worth what it does: it delays, it holds both ways, lets late bytes
// come or not, and cuts.
func TestLink(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() { // ends with the listener
		for c, err := echo.Accept(); err == nil; c, err = echo.Accept() {
			go io.Copy(c, c)
		}
	}()
	l := newLink(t, echo.Addr().String())
	dial := func() net.Conn {
		c, err := net.Dial("tcp", l.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	ask := func(c net.Conn, say string, patience time.Duration) error {
		if _, err := io.WriteString(c, say); err != nil {
			return err
		}
		c.SetReadDeadline(time.Now().Add(patience))
		_, err := io.ReadFull(c, make([]byte, len("hello")))
		return err
	}
	late := func(err error) bool { var e net.Error; return errors.As(err, &e) && e.Timeout() }
	c := dial()
	if err := ask(c, "hello", time.Second); err != nil {
		t.Fatalf("a whole link: %v", err)
	}
	l.delay(50*time.Millisecond, 60*time.Millisecond)
	began := time.Now()
	if err := ask(c, "hello", time.Second); err != nil || time.Since(began) < 100*time.Millisecond {
		t.Errorf("with a delay of 50 ms there and back: %v after %v", err, time.Since(began))
	}
	l.delay(0, 0)
	l.darken()
	if err := ask(c, "hello", 100*time.Millisecond); !late(err) {
		t.Errorf("in the dark: %v", err)
	}
	young := dial()
	if err := ask(young, "hello", 100*time.Millisecond); !late(err) {
		t.Errorf("a connection made in the dark: %v", err)
	}
	l.heal(true)
	if err := ask(c, "", time.Second); err != nil {
		t.Errorf("what was held does not come: %v", err)
	}
	if err := ask(young, "", time.Second); err == nil || late(err) {
		t.Errorf("a connection made in the dark goes on: %v", err)
	}
	l.darken()
	l.heal(false)
	if err := ask(c, "hello", time.Second); err == nil || late(err) {
		t.Errorf("a connection that was to be lost goes on: %v", err)
	}
	c = dial()
	if err := ask(c, "hello", time.Second); err != nil || l.cut() != 1 {
		t.Errorf("after it: %v", err)
	}
	if err := ask(c, "hello", time.Second); err == nil || late(err) {
		t.Errorf("a connection that was cut goes on: %v", err)
	}
}
