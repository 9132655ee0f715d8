package hook

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/wire"
)

var (
	refused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	reset   = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
)

// cut is a body that breaks off.
type cut struct{ io.Reader }

func (cut) Close() error { return nil }

func TestRetries(t *testing.T) {
	step := func(status int, body string, err error) func() (*http.Response, error) {
		return func() (*http.Response, error) {
			if err != nil {
				return nil, err
			}
			return says(status, body), nil
		}
	}
	ok, garbage, failure, moved, denied := step(200, "{}", nil), step(200, "<", nil), step(503, "", nil), step(302, "", nil), step(403, "{}", nil)
	busy, noDial, broken := step(429, "", nil), step(0, "", refused), step(0, "", reset)
	cutOff := func() (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: cut{io.MultiReader(strings.NewReader(`{"res`), errReader{})}}, nil
	}
	huge := step(200, strings.Repeat(" ", 2000), nil)
	type script = []func() (*http.Response, error)
	for _, c := range []struct {
		name, event string
		retries     int
		script      script
		attempts    int
		worked      bool
	}{
		{"first", "subscribe", 0, script{ok}, 1, true},
		{"refused, then up", "subscribe", 0, script{noDial, ok}, 2, true},
		{"twice broken, then up", "subscribe", 0, script{broken, failure, ok}, 3, true},
		{"cut off, then up", "subscribe", 0, script{cutOff, ok}, 2, true},
		{"busy, then free", "subscribe", 0, script{busy, ok}, 2, true},
		{"bounded", "subscribe", 0, script{failure, failure, failure, ok}, 3, false},
		{"more, if wanted", "subscribe", 3, script{failure, failure, failure, ok}, 4, true},
		{"none, if wanted", "subscribe", -1, script{noDial, ok}, 1, false},
		{"garbage stays garbage", "subscribe", 0, script{garbage, ok}, 1, false},
		{"so does too much", "subscribe", 0, script{huge, ok}, 1, false},
		{"no redirect is followed", "subscribe", 0, script{moved, ok}, 1, false},
		{"no means no", "subscribe", 0, script{denied, ok}, 1, false},
		{"until the breaker opens", "subscribe", 9, script{failure, failure, failure, failure, failure, ok}, 5, false},
		{"connect", "connect", 0, script{broken, step(200, `{"result":{}}`, nil)}, 2, true},
		{"refresh", "refresh", 0, script{broken, step(200, `{"result":{}}`, nil)}, 2, true},
		{"sub_refresh", "sub_refresh", 0, script{broken, step(200, `{"result":{}}`, nil)}, 2, true},
		{"publish may have been heard", "publish", 0, script{broken, ok}, 1, false},
		{"publish was heard", "publish", 0, script{failure, ok}, 1, false},
		{"publish was not sent", "publish", 0, script{noDial, noDial, ok}, 3, true},
		{"publish was sent the second time", "publish", 0, script{noDial, broken, ok}, 2, false},
		{"rpc may have been heard", "rpc", 0, script{broken, ok}, 1, false},
		{"rpc was not sent", "rpc", 0, script{noDial, ok}, 2, true},
		{"message may have been heard", "message", 0, script{cutOff, ok}, 1, false},
		{"message was not sent", "message", 0, script{noDial, ok}, 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				client := newClient(t, Config{Retries: c.retries, MaxResponse: 1000, Transport: backend(func(*http.Request) (*http.Response, error) {
					attempts++
					return c.script[attempts-1]()
				})})
				_, err := calls[c.event](t.Context(), client)
				if attempts != c.attempts || (err == nil) != c.worked || err != nil && err != error(wire.ErrInternal) {
					t.Errorf("%d attempts and %v, want %d and success %v", attempts, err, c.attempts, c.worked)
				}
				want := Stats{Calls: 1, Retries: uint64(c.attempts - 1)}
				if !c.worked {
					want.Failures = 1
				}
				if c.attempts == 5 {
					want.Opened, want.State = 1, Open
				}
				if s := client.Stats(); s != want {
					t.Errorf("stats are %+v, want %+v", s, want)
				}
			})
		})
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Delays grow, differ, and are not begun where the call would end within them.
func TestDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]bool{}
		for range 20 {
			var at []time.Time
			c := newClient(t, Config{Timeout: time.Hour, Retries: 6, OpenAfter: 100, Transport: backend(func(*http.Request) (*http.Response, error) {
				at = append(at, time.Now())
				return nil, reset
			})})
			calls["subscribe"](t.Context(), c)
			for n, whole := range []time.Duration{100, 200, 400, 800, 1600, 2000} {
				whole *= time.Millisecond
				d := at[n+1].Sub(at[n])
				if d < whole/2 || d >= whole {
					t.Errorf("delay %d is %v, want %v to %v", n, d, whole/2, whole)
				}
				seen[d] = true
			}
		}
		if len(seen) < 100 {
			t.Errorf("only %d different delays in 120", len(seen))
		}
		attempts := 0
		c := newClient(t, Config{Timeout: time.Hour, Transport: backend(func(*http.Request) (*http.Response, error) {
			attempts++
			return nil, reset
		})})
		ctx, cancel := context.WithTimeout(t.Context(), 49*time.Millisecond)
		defer cancel()
		begun := time.Now()
		if _, err := calls["subscribe"](ctx, c); err != error(wire.ErrInternal) || attempts != 1 || time.Since(begun) != 0 {
			t.Errorf("%v after %d attempts and %v", err, attempts, time.Since(begun))
		}
	})
}

// A hanging backend costs one call its timeout, and five open the breaker: later
// calls fail at once until it has been open for 30 s, and then two must succeed.
func TestBreakerOfAHangingBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, hangs := 0, true
		var log logLines
		c := newClient(t, Config{Timeout: 2 * time.Second, Logger: log.logger(), Transport: backend(func(r *http.Request) (*http.Response, error) {
			if asked++; hangs {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return says(200, "{}"), nil
		})})
		call := func(want error, takes time.Duration) {
			t.Helper()
			begun := time.Now()
			if _, err := calls["rpc"](t.Context(), c); err != want || time.Since(begun) != takes {
				t.Errorf("%v after %v, want %v after %v", err, time.Since(begun), want, takes)
			}
		}
		for range 5 {
			call(wire.ErrInternal, 2*time.Second)
		}
		for range 100 {
			call(wire.ErrInternal, 0)
		}
		if s := c.Stats(); asked != 5 || s != (Stats{Calls: 105, Failures: 105, Rejected: 100, Opened: 1, State: Open}) {
			t.Errorf("asked %d times, %+v", asked, s)
		}
		time.Sleep(30*time.Second - 1)
		call(wire.ErrInternal, 0)
		time.Sleep(1)
		call(wire.ErrInternal, 2*time.Second) // the probe
		call(wire.ErrInternal, 0)
		hangs = false
		time.Sleep(30 * time.Second)
		call(nil, 0)
		if s := c.Stats().State; s != HalfOpen {
			t.Errorf("after one success it is %v", s)
		}
		call(nil, 0)
		if s := c.Stats(); s.State != Closed || s.Opened != 2 || asked != 8 {
			t.Errorf("after two successes: asked %d times, %+v", asked, s)
		}
		text := log.String()
		if strings.Count(text, "breaker opened") != 2 || strings.Count(text, "breaker closed") != 1 || strings.Count(text, "hook failed") != 6 {
			t.Errorf("the log has\n%s", text)
		}
	})
}

// A client that provokes refusals, or leaves, must not shut the hook to others.
func TestWhatDoesNotOpenTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, answer := range []struct {
			status int
			body   string
		}{{400, ""}, {401, ""}, {404, "<html>"}, {413, ""}, {422, ""}, {302, ""}, {200, `{"result":7}`}, {200, `{"error":{"code":1}}`},
			{200, `{"error":{"code":403}}`}, {200, `{"disconnect":{"code":4000}}`}} {
			c := newClient(t, Config{Transport: backend(func(*http.Request) (*http.Response, error) { return says(answer.status, answer.body), nil })})
			for range 20 {
				calls["rpc"](t.Context(), c)
			}
			if s := c.Stats(); s.State != Closed || s.Rejected != 0 {
				t.Errorf("%d %s: %+v", answer.status, answer.body, s)
			}
		}
		c := newClient(t, Config{Transport: backend(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})})
		for range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			if _, err := calls["subscribe"](ctx, c); err != context.Canceled {
				t.Errorf("a client left: %v", err)
			}
		}
		if s := c.Stats(); s.State != Closed {
			t.Errorf("clients left: %+v", s)
		}
		for range 5 { // but a caller's deadline is as good as ours
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := calls["subscribe"](ctx, c); err != error(wire.ErrInternal) {
				t.Errorf("a deadline passed: %v", err)
			}
			cancel()
		}
		if s := c.Stats(); s.State != Open {
			t.Errorf("deadlines passed: %+v", s)
		}
	})
}

func TestAPanicOfTheTransportIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		panics := true
		c := newClient(t, Config{MaxConcurrent: 1, OpenAfter: 1, CloseAfter: 1, Transport: backend(func(*http.Request) (*http.Response, error) {
			if panics {
				panic("oh")
			}
			return says(200, "{}"), nil
		})})
		for range 2 {
			func() {
				defer func() { recover() }()
				calls["rpc"](t.Context(), c)
				t.Error("the panic was swallowed")
			}()
			if s := c.Stats(); s.State != Open {
				t.Fatalf("%+v", s)
			}
			time.Sleep(30 * time.Second)
		}
		panics = false
		if _, err := calls["rpc"](t.Context(), c); err != nil || c.Stats().State != Closed {
			t.Errorf("afterwards: %v, %+v", err, c.Stats())
		}
	})
}

// At most MaxConcurrent requests are made at a time; the others wait, and no
// longer than their time.
func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var now, most atomic.Int32
		c := newClient(t, Config{MaxConcurrent: 3, Timeout: 10 * time.Second, Transport: backend(func(*http.Request) (*http.Response, error) {
			most.Store(max(most.Load(), now.Add(1)))
			<-release
			now.Add(-1)
			return says(200, "{}"), nil
		})})
		results := make(chan error)
		for range 10 {
			go func() { // ends with its call
				_, err := calls["rpc"](t.Context(), c)
				results <- err
			}()
			synctest.Wait()
		}
		for range 5 {
			release <- struct{}{}
			if err := <-results; err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		late := 0
		for range 2 { // of five, two never had a slot
			if err := <-results; err == error(wire.ErrInternal) {
				late++
			}
		}
		close(release)
		for range 3 {
			<-results
		}
		if s := c.Stats(); most.Load() != 3 || late != 2 || s.Rejected != 2 || s.State != Closed {
			t.Errorf("at most %d requests at a time, %d gave up, %+v", most.Load(), late, s)
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, Config{MaxConcurrent: 1, Transport: backend(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})})
		results := make(chan error, 2)
		for range 2 { // one at work, one that waits for its slot
			go func() { // ends with its call
				_, err := calls["subscribe"](t.Context(), c)
				results <- err
			}()
		}
		synctest.Wait()
		begun := time.Now()
		c.Close()
		for range 2 {
			if err := <-results; err != error(wire.ErrInternal) {
				t.Error(err)
			}
		}
		if _, err := calls["subscribe"](t.Context(), c); err != error(wire.ErrInternal) || time.Since(begun) != 0 {
			t.Errorf("after Close: %v, %v", err, time.Since(begun))
		}
		c.Close()
		if s := c.Stats(); s.State != Closed || s.Failures != 3 {
			t.Errorf("%+v", s)
		}
	})
}

func TestHeaders(t *testing.T) {
	var got http.Header
	c := newClient(t, Config{
		Header:            map[string]Secret{"x-api-key": "k", "X-Both": "ours"},
		PassHeaders:       []string{"cookie", "X-Real-Ip", "x-both", "Authorization", "X-Absent"},
		PassClientHeaders: []string{"authorization", "X-Trace", "X-Both"},
		Transport: backend(func(r *http.Request) (*http.Response, error) {
			got = r.Header
			return says(200, `{"result":{}}`), nil
		}),
	})
	request := access.ConnectRequest{
		Peer: access.Peer{Header: map[string][]string{
			"Cookie": {"a=1", "b=2"}, "X-Both": {"theirs"}, "X-Other": {"not passed"}, "Authorization": {"of the request"},
		}},
		Headers: map[string]string{
			"AUTHORIZATION": "of the client", "x-trace": "t", "X-Real-IP": "10.0.0.1", "Cookie": "forged=1", "X-Both": "forged", "x-other": "not passed",
		},
	}
	want := http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"surewire"}, "X-Api-Key": {"k"}, "X-Both": {"ours"},
		"Cookie": {"a=1", "b=2"}, "Authorization": {"of the request"}, "X-Trace": {"t"},
	}
	for name, call := range map[string]func(context.Context, access.ConnectRequest) (access.Session, error){"connect": c.Connect, "refresh": c.Refresh} {
		if _, err := call(t.Context(), request); err != nil {
			t.Error(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s has headers\n%v, want\n%v", name, got, want)
		}
	}
	// What no header may hold is left out: net/http would refuse the request,
	// and enough of them would open the breaker.
	request.Peer.Header = nil
	request.Headers = map[string]string{"X-Trace": "a\r\nX-Admin: 1", "Authorization": "Bearer ü\tx"}
	if _, err := c.Connect(t.Context(), request); err != nil {
		t.Error(err)
	}
	if got.Get("X-Trace") != "" || got.Get("Authorization") != "Bearer ü\tx" {
		t.Errorf("headers are %v", got)
	}
	calls["subscribe"](t.Context(), c)
	if got.Get("Cookie") != "" || got.Get("X-Api-Key") != "k" {
		t.Errorf("subscribe has headers %v", got)
	}
}

// Each attempt is signed anew, over the bytes that are sent.
func TestRequestsAreSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var signatures []string
		c := newClient(t, Config{Secret: "key", Timeout: time.Hour, Transport: backend(func(r *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(r.Body)
			got := r.Header.Get(SignatureHeader)
			if want := sign("key", time.Now(), body); got != want {
				t.Errorf("signature %s, want %s", got, want)
			}
			signatures = append(signatures, got)
			time.Sleep(2 * time.Second)
			return nil, reset
		})})
		calls["subscribe"](t.Context(), c)
		if len(signatures) != 3 || signatures[0] == signatures[1] {
			t.Errorf("signatures are %v", signatures)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	for field, cfgs := range map[string][]Config{
		"URL": {{}, {URL: "backend:80"}, {URL: "/hook"}, {URL: "ftp://b/"}, {URL: "file:///etc/passwd"}, {URL: "http://"}, {URL: "unix://x"},
			{URL: "http://user:hunter2@b/"}, {URL: "http://b/\x7fhunter2"}, {URL: "http://b:hunter2/"}},
		"less than 0": {{URL: "http://b", Timeout: -1}, {URL: "http://b", MaxConcurrent: -1}, {URL: "http://b", MaxResponse: -1},
			{URL: "http://b", OpenAfter: -1}, {URL: "http://b", OpenFor: -1}, {URL: "http://b", CloseAfter: -1}},
		"Header": {{URL: "http://b", Header: map[string]Secret{"X-A": "hunter2\n"}}, {URL: "http://b", Header: map[string]Secret{"": "x"}},
			{URL: "http://b", Header: map[string]Secret{"X A": "x"}}, {URL: "http://b", Header: map[string]Secret{"host": "x"}}},
		"PassHeaders": {{URL: "http://b", PassHeaders: []string{"Content-Length"}}, {URL: "http://b", PassHeaders: []string{"connection"}},
			{URL: "http://b", PassHeaders: []string{"x-surewire-signature"}}, {URL: "http://b", PassHeaders: []string{"Sec-WebSocket-Key"}},
			{URL: "http://b", PassHeaders: []string{"Idempotency-Key"}}, {URL: "http://b", PassHeaders: []string{"Proxy-Authorization"}},
			{URL: "http://b", PassHeaders: []string{"a:b"}}},
		"PassClientHeaders": {{URL: "http://b", PassClientHeaders: []string{"Transfer-Encoding"}}, {URL: "http://b", PassClientHeaders: []string{"é"}}},
	} {
		for _, cfg := range cfgs {
			c, err := New(cfg)
			if err == nil {
				c.Close()
				t.Errorf("%q %v: taken", cfg.URL, cfg)
			} else if !strings.Contains(err.Error(), field) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q %v: %v", cfg.URL, cfg, err)
			}
		}
	}
}

// The log says which hook, event and client failed, and why, but not what a
// token, a secret or a body holds, or what a broken backend sends.
func TestTheLog(t *testing.T) {
	for want, b := range map[string]backend{
		"status 500": func(*http.Request) (*http.Response, error) { return says(500, "hunter2"), nil },
		"malformed": func(*http.Request) (*http.Response, error) {
			return nil, errors.New(`malformed HTTP response "hunter2"`)
		},
		"connection refused":   func(*http.Request) (*http.Response, error) { return nil, refused },
		"longer than 10 bytes": func(*http.Request) (*http.Response, error) { return says(200, strings.Repeat("hunter2", 9)), nil },
	} {
		var log logLines
		c := newClient(t, Config{
			URL: "http://b.test/x?key=hunter2", Retries: -1, MaxResponse: 10, Transport: b, Logger: log.logger(), Secret: "hunter2",
			Header: map[string]Secret{"X-Key": "hunter2"}, PassClientHeaders: []string{"X-Token"},
		})
		_, err := c.Connect(t.Context(), access.ConnectRequest{
			Client: access.Client{ID: "c1"}, Token: "hunter2", Data: raw(`"hunter2"`), Headers: map[string]string{"X-Token": "hunter2"},
		})
		text := log.String()
		if err != error(wire.ErrInternal) || strings.Contains(text, "hunter2") || !strings.Contains(text, want) ||
			!strings.Contains(text, "hook=b.test/x event=connect client=c1") {
			t.Errorf("%v, and the log has %s", err, text)
		}
	}
}

// What Wrap returns makes the requests; the connections are closed where they are.
func TestWrap(t *testing.T) {
	inner := &idle{backend: func(r *http.Request) (*http.Response, error) {
		return says(200, `{"result":{"data":"`+r.Header.Get("traceparent")+`"}}`), nil
	}}
	c := newClient(t, Config{Transport: inner, Wrap: func(next http.RoundTripper) http.RoundTripper {
		return backend(func(r *http.Request) (*http.Response, error) {
			r.Header.Set("traceparent", "t")
			return next.RoundTrip(r)
		})
	}})
	if answer, err := c.RPC(t.Context(), access.Client{}, "m", nil); err != nil || string(answer.(json.RawMessage)) != `"t"` {
		t.Errorf("got %s, %v", answer, err)
	}
	if c.Close(); !inner.closed {
		t.Error("the connections were left open")
	}
	own := newClient(t, Config{Wrap: func(next http.RoundTripper) http.RoundTripper {
		if _, ok := next.(*http.Transport); !ok {
			t.Errorf("%T is wrapped, want the client's own", next)
		}
		return next
	}})
	own.Close()
}

// idle is a transport with connections.
type idle struct {
	backend
	closed bool
}

func (i *idle) CloseIdleConnections() { i.closed = true }
