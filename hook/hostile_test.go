package hook

import (
	"bufio"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/surewire/surewire/wire"
)

// crowd is how many call at once.
var crowd = 10_000

// listen serves each connection by handle, and returns the URL.
func listen(t *testing.T, handle func(c net.Conn, r *http.Request)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var inside sync.WaitGroup
	inside.Go(func() { // ends when l is closed
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			inside.Go(func() { // ends when the client closes, and writes fail
				defer c.Close()
				if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					handle(c, r)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		inside.Wait()
	})
	return "http://" + l.Addr().String()
}

// untilClosed waits for the client to close.
func untilClosed(c net.Conn) { io.Copy(io.Discard, c) }

// forever writes text again and again, until the client closes.
func forever(c net.Conn, text string, pause time.Duration) {
	for {
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
		time.Sleep(pause)
	}
}

func TestHostileBackends(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Error("a redirect was followed")
		io.WriteString(w, `{"result":{"user":"eve"}}`)
	}))
	defer elsewhere.Close()
	const ok = "HTTP/1.1 200 OK\r\n"
	const hangs, ends = 200 * time.Millisecond, time.Minute
	for _, b := range []struct {
		name, log string
		timeout   time.Duration
		handle    func(c net.Conn, r *http.Request)
	}{
		{"never answers", "no answer came in time", hangs, func(c net.Conn, _ *http.Request) { untilClosed(c) }},
		{"begins, and hangs", "no answer came in time", hangs, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, ok+"Content-Length: 20\r\n\r\n{\"result\":")
			untilClosed(c)
		}},
		{"one byte at a time", "no answer came in time", hangs, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, ok+"\r\n")
			forever(c, " ", 5*time.Millisecond)
		}},
		{"announces a terabyte", "longer than", ends, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, ok+"Content-Length: 1099511627776\r\n\r\n{\"result\":")
			forever(c, strings.Repeat(" ", 64<<10), 0)
		}},
		{"endless", "longer than", ends, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, ok+"\r\n")
			forever(c, strings.Repeat("{}", 32<<10), 0)
		}},
		{"endless chunks", "longer than", ends, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, ok+"Transfer-Encoding: chunked\r\n\r\n")
			forever(c, "400\r\n"+strings.Repeat(" ", 1024)+"\r\n", 0)
		}},
		{"endless header", "headers exceeded", ends, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, ok)
			forever(c, "X-A: "+strings.Repeat("a", 8<<10)+"\r\n", 0)
		}},
		{"goes on continuing", "headers exceeded", ends, func(c net.Conn, _ *http.Request) {
			forever(c, "HTTP/1.1 103 Early Hints\r\nX-A: "+strings.Repeat("a", 8<<10)+"\r\n\r\n", 0)
		}},
		{"speaks another protocol", "malformed HTTP", ends, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, "SSH-2.0-hunter2\r\n")
		}},
		{"closes at once", "EOF", ends, func(c net.Conn, _ *http.Request) {}},
		{"closes in the body", "EOF", ends, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, ok+"Content-Length: 100\r\n\r\n{\"result\":{}}")
		}},
		{"closes in a chunk", "EOF", ends, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, ok+"Transfer-Encoding: chunked\r\n\r\n64\r\n{\"result\":{}}")
		}},
		{"closes before the body", "not a JSON object", ends, func(c net.Conn, _ *http.Request) { io.WriteString(c, ok+"\r\n") }},
		{"a page", "not a JSON object", ends, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, ok+"Content-Type: text/html\r\n\r\n<!doctype html><title>hunter2</title>")
		}},
		{"unasked gzip", "not a JSON object", ends, func(c net.Conn, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "" {
				t.Error("gzip was asked for")
			}
			io.WriteString(c, ok+"Content-Encoding: gzip\r\n\r\n")
			z := gzip.NewWriter(c)
			io.WriteString(z, `{"result":{"user":"ada"}}`)
			z.Close()
		}},
		{"no content", "status 204", ends, func(c net.Conn, _ *http.Request) { io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n") }},
		{"created", "status 201", ends, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, "HTTP/1.1 201 Created\r\n\r\n{\"result\":{\"user\":\"ada\"}}")
		}},
		{"moved", "status 302", ends, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, "HTTP/1.1 302 Found\r\nLocation: "+elsewhere.URL+"\r\n\r\n")
		}},
		{"moved, with its body", "status 307", ends, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, "HTTP/1.1 307 Temporary Redirect\r\nLocation: "+elsewhere.URL+"\r\n\r\n")
		}},
	} {
		t.Run(b.name, func(t *testing.T) {
			var log logLines
			c := newClient(t, Config{URL: listen(t, b.handle), Timeout: b.timeout, Retries: -1, Logger: log.logger()})
			defer c.Close() // so that the backend's side ends
			got, err := calls["connect"](t.Context(), c)
			if err != error(wire.ErrInternal) {
				t.Errorf("it gives %+v, %v", got, err)
			}
			if text := log.String(); !strings.Contains(text, b.log) || strings.Contains(text, "hunter2") {
				t.Errorf("the log has %s", text)
			}
		})
	}
}

// While a backend hangs under a crowd, it has no more connections than slots, the
// crowd is turned away as soon as the breaker opens, and another backend is asked
// as ever.
func TestACrowdBeforeAHangingBackend(t *testing.T) {
	const slots = 50
	var now, most atomic.Int32
	full, release := make(chan struct{}), make(chan struct{})
	isFull := sync.OnceFunc(func() { close(full) })
	url := listen(t, func(c net.Conn, _ *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n == slots {
			isFull()
		}
		<-release
		now.Add(-1)
	})
	well := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"result":{"data":1}}`) }))
	defer well.Close()
	sick := newClient(t, Config{URL: url, Timeout: time.Minute, MaxConcurrent: slots, OpenFor: time.Hour})
	other := newClient(t, Config{URL: well.URL, Timeout: time.Minute})
	defer other.Close()

	var callers sync.WaitGroup
	var wrong atomic.Int32
	for range crowd {
		callers.Go(func() { // ends with its call
			if _, err := calls["rpc"](t.Context(), sick); err != error(wire.ErrInternal) {
				wrong.Add(1)
			}
		})
	}
	<-full
	for range 100 {
		if _, err := calls["rpc"](t.Context(), other); err != nil {
			t.Fatalf("the other backend: %v", err)
		}
	}
	if s := sick.Stats(); s.Failures != 0 {
		t.Errorf("the crowd did not wait: %+v", s)
	}
	close(release) // every connection ends without an answer
	callers.Wait()
	s := sick.Stats()
	if wrong.Load() > 0 || most.Load() > slots || s.Calls != uint64(crowd) || s.Failures != uint64(crowd) || s.State != Open || s.Opened != 1 {
		t.Errorf("%d were told something else, at most %d connections, %+v", wrong.Load(), most.Load(), s)
	}
	if s.Rejected < uint64(crowd-2*slots) {
		t.Errorf("%d of %d still asked a backend that fails", uint64(crowd)-s.Rejected, crowd)
	}
	sick.Close()
}

// Connections are used again, all that there may be, and there are no more.
func TestConnectionsAreKept(t *testing.T) {
	const slots = 4
	var connections atomic.Int32
	var together atomic.Pointer[sync.WaitGroup]
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gate := together.Load()
		gate.Done()
		gate.Wait() // so that all slots are in use at once
		io.WriteString(w, `{}`)
	}))
	web.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	web.Start()
	defer web.Close()
	c := newClient(t, Config{URL: web.URL, MaxConcurrent: slots, Timeout: time.Minute})
	defer c.Close()
	for range 20 {
		gate := new(sync.WaitGroup)
		gate.Add(slots)
		together.Store(gate)
		var callers sync.WaitGroup
		for range slots {
			callers.Go(func() { // ends with its call
				if _, err := calls["rpc"](t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
	}
	if n := connections.Load(); n != slots {
		t.Errorf("%d connections for 20 times %d calls at once", n, slots)
	}
}
