package socket

import (
	"bufio"
	"compress/flate"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"

	"github.com/surewire/surewire"
)

// transport is what package hub asks of a connection.
type transport interface {
	Read() ([]byte, error)
	TryWrite(b []byte) (n int, err error)
	Write(b []byte, deadline time.Time) error
	Close(d surewire.Disconnect) error
}

var _ transport = (*Conn)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of the tests; nothing is expected to reach it.
const patience = 20 * time.Second

const upgrade = "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// A client is the other end of a Conn, at the level of frames.
type client struct {
	net.Conn
	br *bufio.Reader
	t  testing.TB

	deflated bool   // the server accepted permessage-deflate
	packed   []byte // payload of the latest message as it came, if it was compressed
}

// A frame is what a client received.
type frame struct {
	op      ws.OpCode
	payload string
}

type doors struct {
	*httptest.Server
	conns chan *Conn
}

// open starts a server whose only handler is Accept.
func open(t testing.TB, o Options, secure bool) doors {
	t.Helper()
	d := doors{conns: make(chan *Conn, 1)}
	d.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Accept(w, r, o)
		if err != nil {
			t.Errorf("Accept: %v", err)
		}
		d.conns <- c
	}))
	if secure {
		d.StartTLS()
	} else {
		d.Start()
	}
	t.Cleanup(d.Close)
	return d
}

// dial connects one client; early follows the handshake in the same write.
func (d doors) dial(t testing.TB, headers, early string) (*Conn, *client) {
	t.Helper()
	nc, err := net.Dial("tcp", d.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if d.TLS != nil {
		nc = tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
	}
	nc.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(nc, upgrade+headers+"\r\n"+early); err != nil {
		t.Fatal(err)
	}
	br := bufio.NewReader(nc)
	res, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %s", res.Status)
	}
	c := <-d.conns
	t.Cleanup(func() {
		nc.Close()
		c.drop()
	})
	return c, &client{Conn: nc, br: br, t: t, deflated: res.Header.Get("Sec-WebSocket-Extensions") != ""}
}

func pair(t testing.TB, o Options) (*Conn, *client) {
	t.Helper()
	return open(t, o, false).dial(t, "", "")
}

// masked returns a frame of a client; first is its first byte.
func masked(first byte, payload string) string {
	b := appendFrame(nil, 0, []byte(payload))
	n := len(b) - len(payload)
	b[0], b[1] = first, b[1]|0x80
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	out := append(append([]byte(nil), b[:n]...), mask[:]...)
	ws.Cipher(b[n:], mask, 0)
	return string(append(out, b[n:]...))
}

const (
	fin   = 0x80
	text  = fin | byte(ws.OpText)
	bin   = fin | byte(ws.OpBinary)
	pings = fin | byte(ws.OpPing)
	pongs = fin | byte(ws.OpPong)
	byes  = fin | byte(ws.OpClose)
)

func (c *client) send(b string) {
	c.t.Helper()
	if _, err := io.WriteString(c, b); err != nil {
		c.t.Fatal("client write:", err)
	}
}

// next returns the next frame of the server and fails if it is not one.
func (c *client) next() (frame, error) {
	c.t.Helper()
	h, err := ws.ReadHeader(c.br)
	if err != nil {
		return frame{}, err
	}
	packed := c.deflated && h.OpCode == ws.OpText && h.Rsv == 4
	if packed {
		h.Rsv = 0
	}
	if err := ws.CheckHeader(h, ws.StateClientSide); err != nil {
		c.t.Fatalf("server frame %+v: %v", h, err)
	}
	p := make([]byte, h.Length)
	_, err = io.ReadFull(c.br, p)
	if c.packed = nil; packed {
		c.packed, p = p, unpacked(c.t, p)
	}
	return frame{h.OpCode, string(p)}, err
}

// unpacked decompresses a message by compress/flate alone.
func unpacked(t testing.TB, b []byte) []byte {
	t.Helper()
	p, err := io.ReadAll(flate.NewReader(strings.NewReader(string(b) + "\x00\x00\xff\xff\x01\x00\x00\xff\xff")))
	if err != nil {
		t.Fatalf("compressed message of the server: %v", err)
	}
	return p
}

func (c *client) want(op ws.OpCode, payload string) {
	c.t.Helper()
	f, err := c.next()
	if err != nil {
		c.t.Fatalf("client read: %v, want opcode %d", err, op)
	}
	if f.op != op || f.payload != payload {
		c.t.Fatalf("got %s, want opcode %d, %.40q", f, op, payload)
	}
}

func (c *client) wantClose(code int) {
	c.t.Helper()
	f, err := c.next()
	if err != nil {
		c.t.Fatalf("client read: %v, want close frame %d", err, code)
	}
	if f.op != ws.OpClose || f.code() != code {
		c.t.Fatalf("got %s, want close frame %d", f, code)
	}
	if _, err := c.br.ReadByte(); err != io.EOF {
		c.t.Fatalf("after the close frame: %v, want EOF", err)
	}
}

// code returns the code of a close frame, 0 if it has none.
func (f frame) code() int {
	if len(f.payload) < 2 {
		return 0
	}
	return int(binary.BigEndian.Uint16([]byte(f.payload)))
}

func (f frame) String() string {
	return "opcode " + string('0'+rune(f.op)) + " " + f.payload[:min(len(f.payload), 40)]
}

func code(n int, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(n))) + reason
}

// echo sends each message back until Read fails, and returns that error.
func echo(c *Conn) <-chan error {
	done := make(chan error, 1)
	go func() {
		for {
			b, err := c.Read()
			if err != nil {
				done <- err
				return
			}
			frame := AppendText
			switch {
			case c.parser.kind == ws.OpBinary:
				frame = AppendBinary
			case c.Deflated():
				frame = AppendDeflated
			}
			c.Write(frame(nil, b), time.Now().Add(patience))
		}
	}()
	return done
}

// echoNothing reads until Read fails, and returns that error.
func echoNothing(c *Conn) <-chan error {
	done := make(chan error, 1)
	go func() {
		for {
			if _, err := c.Read(); err != nil {
				done <- err
				return
			}
		}
	}()
	return done
}

// wait returns what comes from done.
func wait[T any](t testing.TB, done <-chan T) T {
	t.Helper()
	select {
	case v := <-done:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func TestSubprotocolAndAddress(t *testing.T) {
	d := open(t, Options{Subprotocols: []string{"a", "b"}}, false)
	c, cl := d.dial(t, "Sec-WebSocket-Protocol: x, b, a\r\n", "")
	if c.Subprotocol() != "b" {
		t.Errorf("Subprotocol = %q, want the first of the client's that the server speaks", c.Subprotocol())
	}
	if c.RemoteAddr().String() != cl.LocalAddr().String() {
		t.Errorf("RemoteAddr = %v, want %v", c.RemoteAddr(), cl.LocalAddr())
	}
}

func TestEarlyBytes(t *testing.T) {
	c, cl := open(t, Options{}, false).dial(t, "", masked(text, "early")+masked(text, "bird")[:3])
	done := echo(c)
	cl.want(ws.OpText, "early")
	cl.send(masked(text, "bird")[3:])
	cl.want(ws.OpText, "bird")
	cl.send(masked(byes, code(1000, "")))
	cl.wantClose(1000)
	if e := new(CloseError); !errors.As(wait(t, done), &e) || e.Code != 1000 {
		t.Errorf("Read: %v", e)
	}
}

func TestHeardCountsPongs(t *testing.T) {
	c, cl := pair(t, Options{})
	before := c.Heard()
	cl.send(masked(pongs, ""))
	cl.send(masked(text, "x"))
	if _, err := c.Read(); err != nil {
		t.Fatal(err)
	}
	if !c.Heard().After(before) {
		t.Error("Heard did not move")
	}
}

func TestTLS(t *testing.T) {
	c, cl := open(t, Options{}, true).dial(t, "", "")
	if n, err := c.TryWrite(AppendText(nil, []byte("x"))); n != 0 || err != nil {
		t.Errorf("TryWrite = %d, %v; want 0, nil", n, err)
	}
	done := echo(c)
	cl.send(masked(pings, "p") + masked(text, string(make([]byte, 3000))))
	cl.want(ws.OpPong, "p")
	cl.want(ws.OpText, string(make([]byte, 3000)))
	if err := c.Close(surewire.DisconnectShutdown); err != nil {
		t.Error(err)
	}
	cl.wantClose(3001)
	cl.send(masked(byes, code(3001, "")))
	if err := wait(t, done); !errors.Is(err, surewire.DisconnectShutdown) {
		t.Errorf("Read: %v", err)
	}
	if n, err := c.TryWrite(nil); n != 0 || !errors.Is(err, surewire.DisconnectShutdown) {
		t.Errorf("TryWrite after Close = %d, %v", n, err)
	}
}
