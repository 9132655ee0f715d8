package socket

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHandshakeRefused(t *testing.T) {
	errs := make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := Accept(w, r, Options{Subprotocols: []string{"a"}})
		errs <- err
	}))
	defer s.Close()
	for _, x := range []struct {
		name, old, new string // old is replaced in a good request
		status         int
		text           string
	}{
		{"a browser's visit", "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n", "", 426, `no "Upgrade: websocket" header`},
		{"connection lost in a proxy", "keep-alive, Upgrade", "keep-alive", 400, `no "Connection: Upgrade" header`},
		{"POST", "GET /", "POST /", 405, "must be GET, not POST"},
		{"HTTP/1.0", "HTTP/1.1", "HTTP/1.0", 505, "HTTP/1.1"},
		{"old version", "Version: 13", "Version: 8", 426, `version 13, not "8"`},
		{"no version", "Sec-WebSocket-Version: 13\r\n", "", 400, "no Sec-WebSocket-Version"},
		{"no key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400, "Sec-WebSocket-Key"},
		{"short key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", 400, "16 bytes in base64"},
		{"key of a strange alphabet", "dGhlIHNhbXBsZSBub25jZQ==", "!!hlIHNhbXBsZSBub25jZQ==", 400, "16 bytes in base64"},
		{"bad subprotocols", "\r\n\r\n", "\r\nSec-WebSocket-Protocol: @@;\"\r\n\r\n", 400, "malformed"},
	} {
		t.Run(x.name, func(t *testing.T) {
			nc, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			nc.SetDeadline(time.Now().Add(patience))
			request := strings.Replace(upgrade+"\r\n", x.old, x.new, 1)
			if _, err := io.WriteString(nc, request); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(bufio.NewReader(nc), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != x.status || !strings.Contains(string(body), x.text) {
				t.Errorf("answer %s: %s\nwant %d: %s", res.Status, body, x.status, x.text)
			}
			if res.StatusCode == 426 && res.Header.Get("Sec-WebSocket-Version") != "13" {
				t.Error("426 does not name the version (RFC 6455 §4.4)")
			}
			if err := wait(t, errs); err == nil || !strings.Contains(err.Error(), x.text) {
				t.Errorf("Accept: %v", err)
			}
		})
	}
}

func TestHandshakeNeedsHijacker(t *testing.T) {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(upgrade + "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if c, err := Accept(w, r, Options{}); c != nil || err == nil || w.Code != 500 {
		t.Errorf("Accept = %v, %v, status %d", c, err, w.Code)
	}
}

// A tape is a connection of which one side was recorded.
type tape struct {
	net.Conn // nil: what is not here is not used
	in       *strings.Reader
	out      strings.Builder
	closed   bool
}

func (c *tape) Read(b []byte) (int, error)       { return c.in.Read(b) }
func (c *tape) Write(b []byte) (int, error)      { return c.out.Write(b) }
func (c *tape) Close() error                     { c.closed = true; return nil }
func (c *tape) SetDeadline(time.Time) error      { return nil }
func (c *tape) SetReadDeadline(time.Time) error  { return nil }
func (c *tape) SetWriteDeadline(time.Time) error { return nil }

// A hijack is a ResponseWriter that gives away its connection.
type hijack struct {
	*httptest.ResponseRecorder
	conn *tape
	rw   *bufio.ReadWriter
}

func hijackable(conn *tape, br *bufio.Reader) hijack {
	return hijack{httptest.NewRecorder(), conn, bufio.NewReadWriter(br, bufio.NewWriter(conn))}
}

func (h hijack) Hijack() (net.Conn, *bufio.ReadWriter, error) { return h.conn, h.rw, nil }

// Whatever the request, it is answered once: by a handshake that is right, or by an error.
func FuzzHandshake(f *testing.F) {
	f.Add(upgrade + "\r\n")
	f.Add(upgrade + "Sec-WebSocket-Extensions: " + offer + "\r\nSec-WebSocket-Protocol: x, a\r\n\r\n" + masked(text, "early"))
	f.Add(upgrade + "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=\"15\", x\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
	f.Add(upgrade + "Sec-WebSocket-Protocol: @@;\"\r\n\r\n")
	f.Add(strings.Replace(upgrade, "13", "8", 1) + "\r\n")
	f.Add(upgrade + "\r\n" + strings.Repeat("x", maxEarly+1))
	f.Fuzz(func(t *testing.T, request string) {
		conn := &tape{in: strings.NewReader(request)}
		br := bufio.NewReaderSize(conn, 2*maxEarly)
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		w := hijackable(conn, br)
		early := br.Buffered()
		c, err := Accept(w, r, Options{Subprotocols: []string{"a", "b"}, Deflate: true})
		if (c == nil) != (err != nil) {
			t.Fatalf("Accept = %v, %v", c, err)
		}
		if conn.out.Len() == 0 {
			if c != nil || w.Code < 400 {
				t.Fatalf("Accept = %v, %v; status %d", c, err, w.Code)
			}
			return
		}
		answer := bufio.NewReader(strings.NewReader(conn.out.String()))
		res, e := http.ReadResponse(answer, r)
		if e != nil {
			t.Fatalf("answer %q: %v", conn.out.String(), e)
		}
		if c == nil {
			if !conn.closed || res.StatusCode < 400 && early <= maxEarly {
				t.Fatalf("%v: status %d, closed %v", err, res.StatusCode, conn.closed)
			}
			return
		}
		sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		extension := res.Header.Values("Sec-WebSocket-Extensions")
		switch {
		case res.StatusCode != 101 || answer.Buffered() > 0 || conn.closed:
			t.Fatalf("answer %q", conn.out.String())
		case res.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]):
			t.Fatal("Sec-WebSocket-Accept is wrong")
		case res.Header.Get("Sec-WebSocket-Protocol") != c.Subprotocol():
			t.Fatalf("subprotocol %q, the client was told %q", c.Subprotocol(), res.Header.Get("Sec-WebSocket-Protocol"))
		case c.Deflated() != (len(extension) == 1) || len(extension) > 1 || c.Deflated() && !strings.HasPrefix(extension[0], "permessage-deflate; server_no_context_takeover; client_no_context_takeover"):
			t.Fatalf("Deflated = %v, the client was told %q", c.Deflated(), extension)
		case len(c.parser.in) != early:
			t.Fatalf("%d of %d early bytes were kept", len(c.parser.in), early)
		}
	})
}
