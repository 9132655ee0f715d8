package server_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/limit"
	"github.com/surewire/surewire/server"
)

// shake asks for a WebSocket and returns the answer, and the connection if it is
// one.
func shake(t *testing.T, url string, header http.Header) (*http.Response, net.Conn) {
	t.Helper()
	return shakeAt(t, url, "/connection/websocket", header)
}

// shakeAt asks at a path of its own.
func shakeAt(t *testing.T, url, path string, header http.Header) (*http.Response, net.Conn) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodGet, url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{
		"Upgrade": {"websocket"}, "Connection": {"Upgrade"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	for k, v := range header {
		req.Header[k] = v
	}
	if err := req.Write(conn); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		conn.Close()
		return resp, nil
	}
	t.Cleanup(func() { conn.Close() })
	return resp, conn
}

// from is the header of a proxy.
func from(address string) http.Header { return http.Header{"X-Forwarded-For": {address}} }

// loopback is where the tests' proxies are.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for stop := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(stop) {
			t.Fatal("never: " + what)
		}
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	s, web := open(t, server.Config{Authorizer: access.AllowAll{}, MaxConns: 2})
	var first net.Conn
	for i, want := range []int{101, 101, 503, 503} {
		resp, conn := shake(t, web.URL, nil)
		if resp.StatusCode != want || want == 503 && resp.Header.Get("Retry-After") != "10" {
			t.Errorf("connection %d: %s, Retry-After %q, want %d", i, resp.Status, resp.Header.Get("Retry-After"), want)
		}
		if i == 0 {
			first = conn
		}
	}
	hasLine(t, s, `surewire_refused_total{reason="connections"} 2`)
	hasLine(t, s, `surewire_handshakes_total 2`)
	first.Close()
	eventually(t, "a connection takes the place of one that ended", func() bool {
		resp, _ := shake(t, web.URL, nil)
		return resp.StatusCode == 101
	})
}

func TestConnectionsOfANetworkAreLimited(t *testing.T) {
	s, web := open(t, server.Config{Authorizer: access.AllowAll{}, MaxConnsPerIP: 2, TrustedProxies: loopback})
	var first net.Conn
	for i, c := range []struct {
		address string
		want    int
	}{
		{"203.0.113.1", 101}, {"203.0.113.1", 101}, {"203.0.113.1", 429},
		{"203.0.113.2", 101}, {"1.1.1.1, 203.0.113.1", 429}, // what a client makes up before its address
		{"2001:db8::1", 101}, {"2001:db8::2", 101}, {"2001:db8::3", 429}, {"2001:db8:0:1::3", 101}, // a /64 is one subscriber's
	} {
		resp, conn := shake(t, web.URL, from(c.address))
		if resp.StatusCode != c.want || c.want == 429 && resp.Header.Get("Retry-After") != "10" {
			t.Errorf("connection %d, of %s: %s, Retry-After %q, want %d", i, c.address, resp.Status, resp.Header.Get("Retry-After"), c.want)
		}
		if i == 0 {
			first = conn
		}
	}
	hasLine(t, s, `surewire_refused_total{reason="connections_per_ip"} 3`)
	first.Close()
	eventually(t, "a connection takes the place of one that ended", func() bool {
		resp, _ := shake(t, web.URL, from("203.0.113.1"))
		return resp.StatusCode == 101
	})
}

func TestTheRateOfConnectingIsLimited(t *testing.T) {
	s, web := open(t, server.Config{Authorizer: access.AllowAll{}, ConnectRate: limit.Rate{PerSecond: 0.001, Burst: 2}, TrustedProxies: loopback})
	for i, c := range []struct {
		address string
		want    int
	}{{"203.0.113.1", 101}, {"203.0.113.1", 101}, {"203.0.113.1", 429}, {"203.0.113.2", 101}} {
		resp, _ := shake(t, web.URL, from(c.address))
		if resp.StatusCode != c.want || c.want == 429 && resp.Header.Get("Retry-After") != "1" {
			t.Errorf("connection %d, of %s: %s, want %d", i, c.address, resp.Status, c.want)
		}
	}
	hasLine(t, s, `surewire_refused_total{reason="connect_rate"} 1`)
}

// Nobody gets around a limit with headers that no trusted proxy wrote.
func TestSpoofedAddressesAreWithoutEffect(t *testing.T) {
	for name, trusted := range map[string][]netip.Prefix{
		"nobody is trusted": nil, "another is": {netip.MustParsePrefix("10.0.0.0/8")},
	} {
		_, web := open(t, server.Config{Authorizer: access.AllowAll{}, MaxConnsPerIP: 1, TrustedProxies: trusted})
		shake(t, web.URL, from("203.0.113.1"))
		for _, header := range []http.Header{
			from("203.0.113.2"), from("10.0.0.1"), {"X-Real-Ip": {"203.0.113.3"}}, {"Forwarded": {"for=203.0.113.4"}},
			{"X-Forwarded-For": {"203.0.113.5", "203.0.113.6"}}, {"True-Client-Ip": {"203.0.113.7"}}, {"Cf-Connecting-Ip": {"203.0.113.8"}},
		} {
			if resp, _ := shake(t, web.URL, header); resp.StatusCode != 429 {
				t.Errorf("%s: %v: %s", name, header, resp.Status)
			}
		}
	}
}

func TestFailedHandshakesAreGivenBack(t *testing.T) {
	s, web := open(t, server.Config{Authorizer: access.AllowAll{}, MaxConns: 1, MaxConnsPerIP: 1})
	for range 5 {
		if resp, _ := shake(t, web.URL, http.Header{"Sec-Websocket-Version": {"7"}}); resp.StatusCode != 426 {
			t.Errorf("a handshake of another version: %s", resp.Status)
		}
	}
	if resp, _ := shake(t, web.URL, nil); resp.StatusCode != 101 {
		t.Errorf("a handshake after those that failed: %s", resp.Status)
	}
	hasLine(t, s, `surewire_refused_total{reason="handshake"} 5`)
}

func TestNoConnectionIsOpenedOnceTheServerStops(t *testing.T) {
	s, web := open(t, server.Config{Authorizer: access.AllowAll{}})
	if s.State() != server.Serving {
		t.Errorf("at first it is %v", s.State())
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if resp, _ := shake(t, web.URL, nil); resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "1" {
		t.Errorf("%s, Retry-After %q", resp.Status, resp.Header.Get("Retry-After"))
	}
	if s.State() != server.Stopped {
		t.Errorf("at last it is %v", s.State())
	}
	hasLine(t, s, `surewire_refused_total{reason="draining"} 1`)
}

// connect sends a connect command with token, and waits for an answer or the end.
func connect(t *testing.T, conn net.Conn, token string) {
	t.Helper()
	frame := fmt.Appendf(nil, `{"id":1,"connect":{"token":%q}}`, token)
	if err := ws.WriteFrame(conn, ws.MaskFrame(ws.NewTextFrame(frame))); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := ws.ReadFrame(conn); err != nil {
		t.Fatal(err)
	}
}

func TestWhatTheAuthorizerLearnsOfThePeer(t *testing.T) {
	got := make(chan access.Peer, 1)
	_, web := open(t, server.Config{
		TrustedProxies: loopback, PassHeaders: []string{"x-tenant", "Accept-Language"},
		Authorizer: access.Funcs{OnConnect: func(_ context.Context, r access.ConnectRequest) (access.Session, error) {
			got <- r.Peer
			return access.Session{}, nil
		}},
	})
	header := from("203.0.113.1, 127.0.0.9")
	header.Set("X-Tenant", "blue")
	header.Set("Cookie", "session=secret")
	header.Set("Authorization", "Bearer secret")
	_, conn := shake(t, web.URL, header)
	connect(t, conn, "")
	if p, want := <-got, (access.Peer{Address: "203.0.113.1", Header: map[string][]string{"X-Tenant": {"blue"}}}); !reflect.DeepEqual(p, want) {
		t.Errorf("%+v, want %+v", p, want)
	}
}

// A logbook keeps what is logged.
type logbook struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logbook) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// hasLine demands a line of the server's metrics.
func hasLine(t *testing.T, s *server.Server, line string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.Metrics().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
		t.Errorf("the metrics have no line %q", line)
	}
}

// A flood of refusals of one kind does not fill the log, nor hide another kind.
func TestTheLogOfRefusalsIsBounded(t *testing.T) {
	var book logbook
	s, web := open(t, server.Config{Authorizer: access.AllowAll{}, APIKey: "k", Logger: slog.New(slog.NewTextHandler(&book, nil))})
	for range 500 {
		post(t, web.URL, `{}`, http.Header{"X-Api-Key": {"wrong"}})
	}
	shake(t, web.URL, http.Header{"Origin": {"https://evil.example"}})
	lines := strings.Split(strings.TrimSpace(book.String()), "\n")
	if len(lines) < 11 || len(lines) > 60 {
		t.Errorf("there are %d lines of 501 refusals", len(lines))
	}
	if last := lines[len(lines)-1]; !strings.Contains(last, "reason=origin") || !strings.Contains(last, "origin=https://evil.example") || !strings.Contains(last, "address=127.0.0.1") {
		t.Errorf("the last line is %s", last)
	}
	hasLine(t, s, `surewire_refused_total{reason="api_key"} 500`)
}
