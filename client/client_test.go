package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/client"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A site is a server whose connections a test can cut.
type site struct {
	*server.Server
	net.Listener
	web *http.Server

	mu    sync.Mutex
	conns []net.Conn
}

func open(t *testing.T, address string, engine surewire.Engine) *site {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{Server: server.New(server.Config{Engine: engine, Authorizer: access.AllowAll{}}), Listener: l}
	s.web = &http.Server{Handler: s.Server}
	go s.web.Serve(s)
	return s
}

func (s *site) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if err == nil {
		s.mu.Lock()
		s.conns = append(s.conns, c)
		s.mu.Unlock()
	}
	return c, err
}

// cut ends every connection as a network does: without a word.
func (s *site) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
	s.conns = nil
}

func (s *site) close(t *testing.T) {
	s.web.Close()
	if err := s.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

func (s *site) url() string { return "http://" + s.Addr().String() }

func publish(t *testing.T, s *site, n int) {
	t.Helper()
	if _, err := s.Publish(t.Context(), "c", n); err != nil {
		t.Fatal(err)
	}
}

func TestTailSurvivesCutConnections(t *testing.T) {
	engine := memengine.New(memengine.Config{})
	defer engine.Close(context.Background())
	s := open(t, "127.0.0.1:0", engine)
	defer s.close(t)
	publish(t, s, 0)
	var retries int
	c := &client.Client{Endpoint: s.url(), OnRetry: func(error, time.Duration) { retries++ }}
	n := 0
	for m, err := range c.Tail(t.Context(), "c", &surewire.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		if string(m.Data) != fmt.Sprint(n) {
			t.Fatalf("got %s, want %d", m.Data, n)
		}
		n++
		if n%10 == 0 {
			if n == 30 {
				break
			}
			s.cut()
			for i := range 9 {
				publish(t, s, n+i) // while nobody is connected
			}
			publish(t, s, n+9)
		} else if n < 10 {
			publish(t, s, n)
		}
	}
	if retries < 2 {
		t.Errorf("%d retries: the connections were not cut", retries)
	}
}

func TestTailTellsOfAGap(t *testing.T) {
	first := memengine.New(memengine.Config{})
	s := open(t, "127.0.0.1:0", first)
	publish(t, s, 1)
	var got []string
	var second *site
	c := &client.Client{Endpoint: s.url()}
	for m, err := range c.Tail(t.Context(), "c", &surewire.Position{}) {
		switch {
		case errors.Is(err, client.ErrGap):
			got = append(got, "gap")
			publish(t, second, 2)
		case err != nil:
			t.Fatal(err)
		default:
			got = append(got, string(m.Data))
		}
		if len(got) == 1 { // the server comes back without its memory
			s.close(t)
			first.Close(context.Background())
			engine := memengine.New(memengine.Config{})
			defer engine.Close(context.Background())
			second = open(t, s.Addr().String(), engine)
			defer second.close(t)
		}
		if len(got) == 3 {
			break
		}
	}
	if fmt.Sprint(got) != "[1 gap 2]" {
		t.Errorf("got %v", got)
	}
}

func TestTailEndsWithItsContext(t *testing.T) {
	engine := memengine.New(memengine.Config{})
	defer engine.Close(context.Background())
	s := open(t, "127.0.0.1:0", engine)
	defer s.close(t)
	publish(t, s, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := &client.Client{Endpoint: s.url()}
	for _, err := range c.Tail(ctx, "c", &surewire.Position{}) {
		if err != nil {
			t.Error(err)
		}
		cancel()
	}
}

func TestTailSaysWhatIsWrong(t *testing.T) {
	engine := memengine.New(memengine.Config{})
	defer engine.Close(context.Background())
	s := open(t, "127.0.0.1:0", engine)
	defer s.close(t)
	for _, c := range []struct{ endpoint, channel, want string }{
		{"ftp://x", "c", "begins with http"},
		{"http://a b", "c", "endpoint"},
		{s.url() + "/nowhere", "c", "404"},
		{s.url(), "a b", "U+0020 at offset 1"},
	} {
		n := 0
		for m, err := range (&client.Client{Endpoint: c.endpoint}).Tail(t.Context(), c.channel, nil) {
			if n++; m != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s %s: got %v, %v", c.endpoint, c.channel, m, err)
			}
		}
		if n != 1 {
			t.Errorf("%s %s: %d results", c.endpoint, c.channel, n)
		}
	}
}
