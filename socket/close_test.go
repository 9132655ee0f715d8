//go:build unix

package socket

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/surewire/surewire"
)

func TestCloseTellsThePeer(t *testing.T) {
	c, cl := pair(t, Options{})
	done := echo(c)
	if err := c.Close(surewire.DisconnectShutdown); err != nil {
		t.Error(err)
	}
	if err := c.Close(surewire.DisconnectSlow); err != nil {
		t.Error("second Close:", err)
	}
	cl.send(masked(text, "no longer heard") + masked(pings, "nor answered"))
	cl.want(ws.OpClose, code(3001, "shutdown"))
	cl.send(masked(byes, code(3001, "")))
	if _, err := cl.br.ReadByte(); err != io.EOF {
		t.Errorf("client: %v, want EOF", err)
	}
	if err := wait(t, done); !errors.Is(err, surewire.DisconnectShutdown) {
		t.Errorf("Read: %v", err)
	}
	if err := c.Write(large, time.Time{}); !errors.Is(err, surewire.DisconnectShutdown) {
		t.Errorf("Write: %v", err)
	}
	if _, err := c.Read(); !errors.Is(err, surewire.DisconnectShutdown) {
		t.Errorf("Read again: %v", err)
	}
}

// A close with bytes that nobody has read would send a reset, which can
// overtake and destroy the close frame.
func TestCloseFrameSurvivesUnreadData(t *testing.T) {
	c, cl := pair(t, Options{})
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range 200 {
			if _, err := cl.Write([]byte(masked(text, strings.Repeat("z", 30000)))); err != nil {
				t.Errorf("client write: %v", err)
				return
			}
		}
	}()
	if _, err := c.Read(); err != nil {
		t.Fatal(err)
	}
	c.Close(surewire.DisconnectDenied)
	done := echo(c)
	wait(t, sent)
	cl.want(ws.OpClose, code(3507, "permission denied"))
	if _, err := cl.br.ReadByte(); err != io.EOF {
		t.Errorf("client: %v, want EOF", err)
	}
	cl.Close()
	if err := wait(t, done); !errors.Is(err, surewire.DisconnectDenied) {
		t.Errorf("Read: %v", err)
	}
}

// Neither a peer that does not answer nor a caller that does not read keeps the connection.
func TestCloseLingersNotForEver(t *testing.T) {
	for _, reads := range []bool{true, false} {
		t.Run(map[bool]string{true: "reader", false: "no reader"}[reads], func(t *testing.T) {
			t.Parallel()
			c, cl := pair(t, Options{})
			begin := time.Now()
			c.Close(surewire.DisconnectNormal)
			if reads {
				if _, err := c.Read(); !errors.Is(err, surewire.DisconnectNormal) {
					t.Errorf("Read: %v", err)
				}
			}
			cl.wantClose(3000)
			for { // the FIN came long ago; what we send is refused once the connection is gone
				if _, err := cl.Write([]byte(masked(pings, ""))); err != nil {
					break
				}
				if time.Since(begin) > patience {
					t.Fatal("the connection is still there")
				}
				<-time.After(20 * time.Millisecond)
			}
			if d := time.Since(begin); d < lingerTime-100*time.Millisecond {
				t.Errorf("it lingered for %v only", d)
			}
		})
	}
}

func TestCloseUnblocksWrite(t *testing.T) {
	for _, secure := range []bool{false, true} {
		c, cl := open(t, Options{}, secure).dial(t, "", "")
		narrow(c, cl)
		rest := large
		if !secure {
			rest = short(t, c)
		}
		wrote, read := make(chan error, 1), echoNothing(c)
		go func() { wrote <- c.Write(rest, time.Time{}) }()
		for held := free; held != heldToWait; {
			c.mu.Lock()
			held = c.wire
			c.mu.Unlock()
		}
		begin := time.Now()
		c.Close(surewire.DisconnectSlow)
		if wait(t, wrote) == nil {
			t.Error("Write succeeded, though nobody read")
		}
		if err := wait(t, read); !errors.Is(err, surewire.DisconnectSlow) {
			t.Errorf("Read: %v", err)
		}
		if d := time.Since(begin); d > lingerTime {
			t.Errorf("Close unblocked after %v", d)
		}
	}
}

// A frame that is half sent, and nobody at it: the end is at once.
func TestCloseInsideFrame(t *testing.T) {
	c, cl := pair(t, Options{})
	narrow(c, cl)
	short(t, c)
	read := echoNothing(c)
	if err := c.Close(surewire.DisconnectSlow); err == nil {
		t.Error("Close: nil, though the peer cannot have been told")
	}
	if err := wait(t, read); !errors.Is(err, surewire.DisconnectSlow) {
		t.Errorf("Read: %v", err)
	}
}

// A Write on its way to a healthy peer ends, and the close frame follows it.
func TestCloseBehindWrite(t *testing.T) {
	c, cl := pair(t, Options{})
	payload := bytes.Repeat([]byte("x"), 100<<10)
	for i := range 50 {
		c, cl = pair(t, Options{})
		read := echoNothing(c)
		wrote := make(chan int, 1)
		go func() {
			n := 0
			for c.Write(AppendText(nil, payload), time.Now().Add(patience)) == nil {
				n++
			}
			wrote <- n
		}()
		go func() {
			<-time.After(time.Duration(i*20) * time.Microsecond)
			c.Close(surewire.DisconnectShutdown)
		}()
		got := 0
		for {
			f, err := cl.next()
			if err != nil {
				t.Fatalf("round %d: %v", i, err)
			}
			if f.op == ws.OpClose {
				break
			}
			got++
		}
		if n := wait(t, wrote); n != got {
			t.Errorf("round %d: wrote %d frames, %d came", i, n, got)
		}
		cl.Close()
		wait(t, read)
	}
}

// The peer's close frame is answered although frames are being written.
func TestPeerClosesBesideWrites(t *testing.T) {
	for range 50 {
		c, cl := pair(t, Options{})
		read := echoNothing(c)
		wrote := make(chan struct{})
		go func() {
			defer close(wrote)
			b := AppendText(nil, []byte("tick"))
			for {
				n, err := c.TryWrite(b)
				if err == nil && n < len(b) {
					err = c.Write(b[n:], time.Now().Add(patience))
				}
				if err != nil {
					return
				}
			}
		}()
		cl.want(ws.OpText, "tick")
		cl.send(masked(byes, code(1001, "")))
		for {
			f, err := cl.next()
			if err != nil {
				t.Fatal(err)
			}
			if f.op == ws.OpClose {
				break
			}
		}
		if e := new(CloseError); !errors.As(wait(t, read), &e) || e.Code != 1001 {
			t.Errorf("Read: %v", e)
		}
		wait(t, wrote)
	}
}

// The buffers are full, if only by chance at a frame boundary: no close frame,
// and no waiting for one. If the kernel found room after all, it must arrive.
func TestCloseWithoutRoom(t *testing.T) {
	c, cl := pair(t, Options{})
	narrow(c, cl)
	tick := AppendText(nil, []byte("tick"))
	rest := tick
	for full := 0; full < 3; { // the kernel may still be moving bytes to the peer
		n, err := c.TryWrite(rest)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			full++
			<-time.After(10 * time.Millisecond)
		}
		if rest = rest[n:]; len(rest) == 0 {
			rest = tick
		}
	}
	begin := time.Now()
	told := c.Close(surewire.DisconnectSlow)
	if told == nil {
		for f := (frame{}); f.op != ws.OpClose; {
			var err error
			if f, err = cl.next(); err != nil {
				t.Fatal("Close: nil, but the client got no close frame:", err)
			}
		}
		cl.Close()
	}
	if err := wait(t, echoNothing(c)); !errors.Is(err, surewire.DisconnectSlow) {
		t.Errorf("Read: %v", err)
	}
	if d := time.Since(begin); told != nil && d > lingerTime/2 {
		t.Errorf("it took %v", d)
	}
}

func TestUnixSocket(t *testing.T) {
	l, err := net.Listen("unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nc, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	sc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c, cl := newConn(sc, "", parser{max: 10, kind: ws.OpText}), &client{Conn: nc, br: bufio.NewReader(nc), t: t}
	done := echo(c)
	cl.send(masked(text, "a"))
	cl.want(ws.OpText, "a")
	c.Close(surewire.DisconnectNormal)
	cl.wantClose(3000)
	nc.Close()
	if err := wait(t, done); !errors.Is(err, surewire.DisconnectNormal) {
		t.Errorf("Read: %v", err)
	}
}

func TestPeerLost(t *testing.T) {
	c, cl := pair(t, Options{})
	done := echo(c)
	cl.Close()
	if err := wait(t, done); !errors.Is(err, io.EOF) {
		t.Errorf("Read: %v, want io.EOF", err)
	}
	if err := c.Close(surewire.DisconnectNormal); err != nil {
		t.Errorf("Close of a lost connection: %v", err)
	}
}

func TestCloseFrame(t *testing.T) {
	for _, reason := range []string{"", "short", strings.Repeat("r", 123), strings.Repeat("r", 124), strings.Repeat("ö", 62), strings.Repeat("€", 50), "r" + strings.Repeat("\U0001f600", 40)} {
		body := closeFrame(3000, reason)[2:]
		got := string(body[2:])
		if len(body) > maxControl || !utf8.ValidString(got) || !strings.HasPrefix(reason, got) || len(reason) <= 123 && got != reason || len(reason) > 123 && len(got) < 120 {
			t.Errorf("reason %q became %q", reason, got)
		}
	}
	for _, n := range []uint16{0, 999, 1005, 1006, 1015, 5000} {
		if b := closeFrame(n, "x"); !bytes.Equal(b, []byte{0x88, 0}) {
			t.Errorf("code %d: % x", n, b)
		}
	}
}
