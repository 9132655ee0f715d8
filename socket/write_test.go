//go:build unix

package socket

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/surewire/surewire"
)

// narrow makes the kernel's buffers small, so that a client that does not read is soon felt.
func narrow(c *Conn, cl *client) {
	tcp(c.conn).SetWriteBuffer(32 << 10)
	tcp(cl.Conn).SetReadBuffer(128 << 10)
}

func tcp(c net.Conn) *net.TCPConn {
	if s, ok := c.(*tls.Conn); ok {
		c = s.NetConn()
	}
	return c.(*net.TCPConn)
}

// large is a frame that no kernel buffer takes as a whole.
var large = AppendText(nil, bytes.Repeat([]byte("x"), 1<<20))

// short writes large as far as it goes and returns its rest.
func short(t *testing.T, c *Conn) []byte {
	t.Helper()
	n, err := c.TryWrite(large)
	if err != nil || n == 0 || n == len(large) {
		t.Fatalf("TryWrite = %d, %v; want a short write", n, err)
	}
	return large[n:]
}

func TestTryWriteTakesWholeRuns(t *testing.T) {
	c, cl := pair(t, Options{})
	run := AppendText(AppendText(nil, []byte("a")), []byte("b"))
	if n, err := c.TryWrite(run); n != len(run) || err != nil {
		t.Fatalf("TryWrite = %d, %v; want %d", n, err, len(run))
	}
	cl.want(ws.OpText, "a")
	cl.want(ws.OpText, "b")
}

// Pings that come while a frame is half sent are answered behind it, and only the latest.
func TestPongNeverInsideFrame(t *testing.T) {
	for _, cut := range []bool{false, true} {
		t.Run(fmt.Sprintf("TryWrite in between %v", cut), func(t *testing.T) {
			c, cl := pair(t, Options{})
			narrow(c, cl)
			rest := short(t, c)
			cl.send(masked(pings, "1") + masked(pings, "2") + masked(pings, "3") + masked(text, "read"))
			if b, err := c.Read(); string(b) != "read" || err != nil {
				t.Fatalf("Read = %q, %v", b, err)
			}
			if cut {
				n, err := c.TryWrite(rest)
				if err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			done := make(chan error, 1)
			go func() { done <- c.Write(rest, time.Now().Add(patience)) }()
			cl.want(ws.OpText, strings.Repeat("x", 1<<20))
			if err := wait(t, done); err != nil {
				t.Fatal(err)
			}
			cl.want(ws.OpPong, "3")
			if n, err := c.TryWrite(AppendText(nil, []byte("on"))); n != 4 || err != nil {
				t.Fatalf("TryWrite = %d, %v", n, err)
			}
			cl.want(ws.OpText, "on")
		})
	}
}

// A control frame that the socket took in part goes on before all else.
func TestControlFrameGoesOnFirst(t *testing.T) {
	pong := appendFrame(nil, ws.OpPong, []byte("slow"))
	writes := map[string]func(c *Conn, b []byte) error{
		"TryWrite": func(c *Conn, b []byte) error { _, err := c.TryWrite(b); return err },
		"Write":    func(c *Conn, b []byte) error { return c.Write(b, time.Now().Add(patience)) },
		"Close":    func(c *Conn, b []byte) error { return c.Close(surewire.Disconnect{Code: 3000}) },
	}
	for name, write := range writes {
		t.Run(name, func(t *testing.T) {
			c, cl := pair(t, Options{})
			c.conn.Write(pong[:3])
			c.rest = pong[3:]
			if err := write(c, AppendText(nil, []byte("data"))); err != nil {
				t.Fatal(err)
			}
			cl.want(ws.OpPong, "slow")
			if name == "Close" {
				cl.wantClose(3000)
			} else {
				cl.want(ws.OpText, "data")
			}
		})
	}
}

// Frames and pongs of all sizes stay whole, whoever writes when.
func TestPingsBesideWrites(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			t.Parallel()
			const frames = 300
			c, cl := open(t, Options{}, secure).dial(t, "", "")
			narrow(c, cl)
			done := echoNothing(c)
			wrote := make(chan error, 1)
			go func() { wrote <- writeFrames(c, frames) }()
			go func() {
				for i := range 2000 {
					if _, err := cl.Write([]byte(masked(pings, fmt.Sprint(i)))); err != nil {
						return
					}
				}
			}()
			for i := 0; i < frames; {
				f, err := cl.next()
				if err != nil {
					t.Fatal(err)
				}
				if f.op == ws.OpPong {
					continue
				}
				if !strings.HasPrefix(f.payload, fmt.Sprintf("%d:", i)) {
					t.Fatalf("frame %d: %s", i, f)
				}
				i++
			}
			if err := wait(t, wrote); err != nil {
				t.Fatal(err)
			}
			cl.Close()
			wait(t, done)
		})
	}
}

// writeFrames writes as the hub does: what does not go at once goes by Write.
func writeFrames(c *Conn, frames int) error {
	for i := range frames {
		payload := fmt.Sprintf("%d:%s", i, strings.Repeat("y", rand.IntN(1<<(i%17))))
		b := AppendText(nil, []byte(payload))
		n, err := c.TryWrite(b)
		if err == nil && n < len(b) {
			err = c.Write(b[n:], time.Now().Add(patience))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func TestClientThatNeverReads(t *testing.T) {
	c, cl := pair(t, Options{})
	narrow(c, cl)
	rest := short(t, c)
	for { // the peer's kernel may still take some
		n, err := c.TryWrite(rest)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		rest = rest[n:]
	}
	begin := time.Now()
	err := c.Write(rest, begin.Add(50*time.Millisecond))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write: %v, want os.ErrDeadlineExceeded", err)
	}
	if d := time.Since(begin); d > patience/2 {
		t.Errorf("Write took %v", d)
	}
	if n, again := c.TryWrite(rest); n != 0 || !errors.Is(again, os.ErrDeadlineExceeded) {
		t.Errorf("TryWrite = %d, %v", n, again)
	}
	if err := c.Close(surewire.DisconnectSlow); err == nil {
		t.Error("Close: nil, though the peer cannot have been told")
	}
	if _, err := c.Read(); !errors.Is(err, surewire.DisconnectSlow) {
		t.Errorf("Read: %v", err)
	}
}

func TestWriteFailsAtPassedDeadline(t *testing.T) {
	c, _ := pair(t, Options{})
	if err := c.Write(AppendText(nil, nil), time.Now().Add(-time.Second)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write: %v", err)
	}
}

func TestWriteDeadlineIsCleared(t *testing.T) {
	c, cl := pair(t, Options{})
	deadline := time.Now().Add(20 * time.Millisecond)
	if err := c.Write(AppendText(nil, []byte("a")), deadline); err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Until(deadline) + 10*time.Millisecond)
	b := AppendText(nil, []byte("b"))
	if n, err := c.TryWrite(b); n != len(b) || err != nil {
		t.Errorf("TryWrite = %d, %v", n, err)
	}
	cl.want(ws.OpText, "a")
	cl.want(ws.OpText, "b")
}
