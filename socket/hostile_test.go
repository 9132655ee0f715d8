//go:build unix

package socket

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/surewire/surewire"
)

// bothWays runs test over TCP and over TLS.
func bothWays(t *testing.T, test func(t *testing.T, secure bool)) {
	for name, secure := range map[string]bool{"TCP": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, secure)
		})
	}
}

// Bytes that are no frames end the connection with a reason, and nothing but them.
func TestGarbage(t *testing.T) {
	garbage := map[string]string{
		"zeros":      strings.Repeat("\x00", 100),
		"ones":       strings.Repeat("\xff", 100),
		"text":       "hello\r\n",
		"a request":  "GET / HTTP/1.1\r\nHost: test\r\n\r\n",
		"TLS":        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"HTTP/2":     "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"one byte":   "\x81",
		"long ping":  masked(pings, strings.Repeat("p", 126)),
		"half frame": masked(text, "half")[:7],
	}
	for i := range 20 {
		garbage[fmt.Sprint("noise ", i)] = noise(500 + i)
	}
	bothWays(t, func(t *testing.T, secure bool) {
		for name, b := range garbage {
			c, cl := open(t, Options{MessageTimeout: 20 * time.Millisecond, Deflate: true}, secure).dial(t, "", "")
			done := echoNothing(c)
			cl.send(b)
			f, err := cl.next()
			if err != nil || f.op != ws.OpClose || f.code() < 1002 || f.code() > 1009 {
				t.Errorf("%s: got %s, %v; want a close frame", name, f, err)
			}
			cl.Close()
			if e := new(ProtocolError); !errors.As(wait(t, done), &e) || int(e.Code) != f.code() {
				t.Errorf("%s: Read: %v, want what the client was told, %d", name, e, f.code())
			}
		}
	})
}

// A client that sends byte after byte and never a message keeps its connection
// for MessageTimeout, and the reason reaches it although it goes on.
func TestSlowLoris(t *testing.T) {
	bothWays(t, func(t *testing.T, secure bool) {
		const timeout = 50 * time.Millisecond
		c, cl := open(t, Options{MessageTimeout: timeout}, secure).dial(t, "", "")
		done, sent := echoNothing(c), make(chan struct{})
		go func() {
			defer close(sent)
			for _, b := range chop(masked(text, strings.Repeat("x", 60000)), 1) {
				if _, err := cl.Write([]byte(b)); err != nil {
					return
				}
				<-time.After(time.Millisecond)
			}
		}()
		cl.wantClose(1008)
		cl.Close()
		if e := new(ProtocolError); !errors.As(wait(t, done), &e) || e.Code != 1008 {
			t.Errorf("Read: %v", e)
		}
		wait(t, sent)
	})
}

// A client that is gone, or stands still: its kernel takes no more. Nothing on
// this side waits for longer than its deadline.
func TestClientThatStandsStill(t *testing.T) {
	bothWays(t, func(t *testing.T, secure bool) {
		c, cl := open(t, Options{}, secure).dial(t, "", "")
		narrow(c, cl)
		done := echoNothing(c)
		begin := time.Now()
		if err := c.Write(large, begin.Add(50*time.Millisecond)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write: %v, want os.ErrDeadlineExceeded", err)
		}
		if n, err := c.TryWrite(large); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("TryWrite = %d, %v", n, err)
		}
		if err := c.Close(surewire.DisconnectSlow); err == nil {
			t.Error("Close: nil, though the peer cannot have been told")
		}
		if err := wait(t, done); !errors.Is(err, surewire.DisconnectSlow) {
			t.Errorf("Read: %v", err)
		}
		if d := time.Since(begin); d > patience/2 {
			t.Errorf("it took %v", d)
		}
	})
}

// A reset finds a reader that waits, one in the middle of a message, and a writer that waits.
func TestPeerResets(t *testing.T) {
	bothWays(t, func(t *testing.T, secure bool) {
		for name, sent := range map[string]string{"idle": "", "in a header": "\x81", "in a message": masked(byte(ws.OpText), "x"), "in a frame": masked(text, "xyz")[:7]} {
			c, cl := open(t, Options{}, secure).dial(t, "", "")
			narrow(c, cl)
			done, wrote := echoNothing(c), make(chan error, 1)
			cl.send(sent)
			go func() { wrote <- c.Write(large, time.Time{}) }()
			if _, err := io.ReadFull(cl.br, make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
			tcp(cl.Conn).SetLinger(0)
			tcp(cl.Conn).Close()
			if err := wait(t, wrote); err == nil {
				t.Errorf("%s: Write succeeded", name)
			}
			if err := wait(t, done); err == nil || errors.As(err, new(*ProtocolError)) {
				t.Errorf("%s: Read: %v, want an error of the network", name, err)
			}
			if err := c.Close(surewire.DisconnectNormal); err != nil {
				t.Errorf("%s: Close: %v, though the connection is over", name, err)
			}
		}
	})
}

// Bytes that are no TLS records, under a connection that was.
func TestGarbageUnderTLS(t *testing.T) {
	c, cl := open(t, Options{}, true).dial(t, "", "")
	done := echoNothing(c)
	if _, err := tcp(cl.Conn).Write([]byte(strings.Repeat("\x17\x03\x03\x00\x20garbage", 10))); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, done); err == nil || errors.As(err, new(*ProtocolError)) {
		t.Errorf("Read: %v, want an error of TLS", err)
	}
	if err := c.Write(large, time.Now().Add(patience)); err == nil {
		t.Error("Write succeeded")
	}
}
