package socket

import (
	"bufio"
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
