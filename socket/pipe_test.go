package socket

import (
	"bufio"
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/surewire/surewire"
)

// pipe returns a Conn whose writes wait for the client's reads, as under TLS
// with full buffers, and whose time is that of the synctest bubble.
func pipe(t *testing.T) (*Conn, *client) {
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	return newConn(a, "", parser{max: defaultMaxMessage, kind: ws.OpText}), &client{Conn: b, br: bufio.NewReader(b), t: t}
}

func TestWriteWaitsForPong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, cl := pipe(t)
		read, wrote := echoNothing(c), make(chan error, 1)
		cl.send(masked(pings, "p"))
		synctest.Wait() // the pong is on its way
		go func() { wrote <- c.Write(AppendText(nil, []byte("text")), time.Now().Add(time.Hour)) }()
		synctest.Wait()
		cl.want(ws.OpPong, "p")
		cl.want(ws.OpText, "text")
		if err := <-wrote; err != nil {
			t.Error(err)
		}
		cl.Close()
		<-read
	})
}

// A pong that does not go must not make a Write outlast its deadline.
func TestWriteDeadlineBehindPong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, cl := pipe(t)
		read := echoNothing(c)
		cl.send(masked(pings, "p"))
		synctest.Wait()
		begin := time.Now()
		err := c.Write(AppendText(nil, []byte("text")), begin.Add(time.Second))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("Write: %v after %v", err, time.Since(begin))
		}
		if err := c.Close(surewire.DisconnectSlow); err == nil {
			t.Error("Close: nil, though the peer cannot have been told")
		}
		<-read
	})
}

func TestPongGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, cl := pipe(t)
		read := echoNothing(c)
		cl.send(masked(pings, "p"))
		begin := time.Now()
		cl.send(masked(pings, "q")) // taken only when the first pong has given up
		if d := time.Since(begin); d != controlTimeout {
			t.Errorf("the reader was kept for %v", d)
		}
		if _, err := c.TryWrite(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("TryWrite: %v", err)
		}
		cl.Close()
		<-read
	})
}

// Close does not wait, but its frame has only so long.
func TestCloseBehindPong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, cl := pipe(t)
		read := echoNothing(c)
		cl.send(masked(pings, "p"))
		synctest.Wait()
		begin := time.Now()
		c.Close(surewire.DisconnectShutdown)
		if d := time.Since(begin); d != 0 {
			t.Errorf("Close took %v", d)
		}
		if err := <-read; !errors.Is(err, surewire.DisconnectShutdown) || time.Since(begin) != lingerTime {
			t.Errorf("Read: %v after %v", err, time.Since(begin))
		}
	})
}

// Both sides close at the same time: each still gets the other's frame.
func TestCloseFramesCross(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, cl := pipe(t)
		c.mu.Lock() // as Close does, before its goroutine runs
		c.cause, c.bye = surewire.DisconnectShutdown, closeFrame(3001, "")
		c.mu.Unlock()
		read := echoNothing(c)
		cl.send(masked(byes, code(1001, "")))
		synctest.Wait()
		go c.flush()
		cl.wantClose(3001)
		if err := <-read; !errors.Is(err, surewire.DisconnectShutdown) {
			t.Errorf("Read: %v", err)
		}
	})
}
