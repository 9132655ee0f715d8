package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/telemetry"
)

// A taker is an engine that keeps the last publication, and nothing else.
type taker struct {
	surewire.Engine
	last surewire.Publication
}

func (e *taker) Publish(_ context.Context, _ string, p surewire.Publication) (surewire.Published, error) {
	e.last = p
	return surewire.Published{}, nil
}

// A book is a log that can be read.
type book struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *book) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Split(strings.TrimSpace(b.b.String()), "\n")
}

func start(t *testing.T, endpoint string) (*telemetry.Telemetry, *surewire.Publisher, *taker, *book) {
	t.Helper()
	log, engine := &book{}, &taker{}
	traces, err := telemetry.Start(telemetry.Config{Endpoint: endpoint, SampleRatio: 1, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	p := &surewire.Publisher{Engine: engine, Logger: quiet}
	traces.Publisher(p)
	return traces, p, engine, log
}

func publish(t *testing.T, p *surewire.Publisher, times int) {
	t.Helper()
	for range times {
		if _, err := p.Publish(t.Context(), "c", 1); err != nil {
			t.Fatal(err)
		}
	}
}

// shutdown fails if Shutdown hangs.
func shutdown(t *testing.T, ctx context.Context, traces *telemetry.Telemetry) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- traces.Shutdown(ctx) }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		t.Fatal("Shutdown hangs")
		return nil
	}
}

// Without an endpoint there is nothing: no goroutine, nothing in between, and
// not one allocation more.
func TestOff(t *testing.T) {
	before := runtime.NumGoroutine()
	traces, err := telemetry.Start(telemetry.Config{SampleRatio: 1})
	if err != nil || traces != nil {
		t.Fatalf("got %v, %v", traces, err)
	}
	plain, p := &surewire.Publisher{Engine: &taker{}}, &surewire.Publisher{Engine: &taker{}}
	traces.Publisher(p)
	var c hub.Config
	traces.Hub(&c)
	mux, transport := http.NewServeMux(), &http.Transport{}
	if p.Trace != nil || c.Command != nil || c.FannedOut != nil || traces.API(mux) != http.Handler(mux) || traces.Transport(transport) != http.RoundTripper(transport) {
		t.Error("something is traced")
	}
	cost := func(p *surewire.Publisher) float64 { return testing.AllocsPerRun(1000, func() { publish(t, p, 1) }) }
	if got, want := cost(p), cost(plain); got != want {
		t.Errorf("a publication takes %v allocations, want %v", got, want)
	}
	if err := traces.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if got := runtime.NumGoroutine(); got > before {
		t.Errorf("%d goroutines were started", got-before)
	}
}

// A publication that is not recorded goes without a trace: nobody after the
// publisher does anything about it.
func TestUnsampledGoesWithoutTrace(t *testing.T) {
	traces, err := telemetry.Start(telemetry.Config{Endpoint: "http://127.0.0.1:9", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	engine := &taker{}
	p := &surewire.Publisher{Engine: engine}
	traces.Publisher(p)
	publish(t, p, 1)
	if engine.last.Trace != nil {
		t.Errorf("it goes with %v", *engine.last.Trace)
	}
	if err := shutdown(t, t.Context(), traces); err != nil {
		t.Error(err)
	}
}

// A collector that is not there costs one line of the log.
func TestDeadCollector(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	traces, p, engine, log := start(t, "http://"+l.Addr().String())
	publish(t, p, 3*telemetry.Waiting)
	if engine.last.Trace == nil {
		t.Fatal("nothing was traced")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := shutdown(t, ctx, traces); err == nil {
		t.Error("Shutdown says that nothing was lost")
	}
	if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "level=WARN") {
		t.Errorf("the log has %d lines:\n%s", len(lines), strings.Join(lines, "\n"))
	}
}

// A collector that takes connections and does not answer keeps a bounded number
// of spans waiting, holds up no publisher, and Shutdown no longer than its
// context.
func TestStuckCollector(t *testing.T) {
	for _, patient := range []bool{false, true} {
		c := newCollector(t)
		release, asked := make(chan struct{}), make(chan struct{}, 100)
		c.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body) // else the server does not see that the other side has gone
			r.Body = io.NopCloser(bytes.NewReader(body))
			asked <- struct{}{}
			select {
			case <-release:
				c.ServeHTTP(w, r)
			case <-r.Context().Done():
			}
		})
		traces, p, _, _ := start(t, c.URL)
		publish(t, p, 10*telemetry.Waiting)
		<-asked
		ctx, cancel := context.WithCancel(t.Context())
		if patient {
			close(release)
		} else {
			cancel()
		}
		err := shutdown(t, ctx, traces)
		cancel()
		if (err == nil) != patient {
			t.Errorf("patient %v: Shutdown: %v", patient, err)
		}
		if !patient && len(asked) > 0 {
			t.Errorf("the collector was asked %d times more when there was no time left", len(asked))
		}
		c.Close()
		if n := len(c.spans); n > telemetry.Waiting || n > 0 != patient {
			t.Errorf("patient %v: %d spans have waited, want at most %d", patient, n, telemetry.Waiting)
		}
	}
}

// A collector that is busy is asked again; one that refuses is not. The log
// hears when it begins and when it ends.
func TestCollectorThatRefuses(t *testing.T) {
	c := newCollector(t)
	answers := []int{http.StatusBadRequest, http.StatusForbidden, http.StatusServiceUnavailable, http.StatusOK, http.StatusOK}
	c.refuse = func() int {
		status := answers[0]
		answers = answers[1:]
		return status
	}
	traces, p, _, log := start(t, c.URL)
	flush := func() {
		t.Helper()
		publish(t, p, 1)
		if err := traces.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	flush() // 400: lost
	flush() // 403: lost
	flush() // 503, then 200
	flush() // 200
	if err := shutdown(t, t.Context(), traces); err != nil {
		t.Error(err)
	}
	lines := log.lines()
	if len(lines) != 2 || !strings.Contains(lines[0], "status 400") || !strings.Contains(lines[1], "lost=2") {
		t.Errorf("the log has\n%s", strings.Join(lines, "\n"))
	}
	if len(c.spans) != 2 || c.asked != 5 {
		t.Errorf("%d spans came in %d requests, want 2 in 5", len(c.spans), c.asked)
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		name   string
		config telemetry.Config
		want   string // in the error
	}{
		{"no scheme", telemetry.Config{Endpoint: "localhost:4318"}, "http://"},
		{"no host", telemetry.Config{Endpoint: "http:///v1/traces"}, "a host"},
		{"another scheme", telemetry.Config{Endpoint: "grpc://localhost"}, "http://"},
		{"not a URL", telemetry.Config{Endpoint: "http://secret\x00"}, "http://"},
		{"credentials", telemetry.Config{Endpoint: "https://me:secret@host"}, "credentials"},
		{"a ratio above 1", telemetry.Config{Endpoint: "http://host", SampleRatio: 1.1}, "0 to 1"},
		{"a ratio below 0", telemetry.Config{Endpoint: "http://host", SampleRatio: -1}, "0 to 1"},
		{"no ratio", telemetry.Config{Endpoint: "http://host", SampleRatio: math.NaN()}, "0 to 1"},
	} {
		traces, err := telemetry.Start(c.config)
		if traces != nil || err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.want)
		}
	}
}

// A path of the endpoint's own stays.
func TestEndpointPath(t *testing.T) {
	paths := make(chan string, 10)
	c := newCollector(t)
	c.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { paths <- r.URL.Path })
	for given, want := range map[string]string{"": "/v1/traces", "/": "/v1/traces", "/otlp/v1/traces": "/otlp/v1/traces"} {
		traces, p, _, _ := start(t, c.URL+given)
		publish(t, p, 1)
		if err := shutdown(t, t.Context(), traces); err != nil {
			t.Error(err)
		}
		if got := <-paths; got != want {
			t.Errorf("%q: exported to %s, want %s", given, got, want)
		}
	}
}

// Errors of the handler's panic are not lost on the caller, nor on the trace.
func TestPanic(t *testing.T) {
	c := newCollector(t)
	traces, _, _, _ := start(t, c.URL)
	c.traces = traces
	h := traces.API(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(errors.New("the-words")) }))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic has gone")
			}
		}()
		r, _ := http.NewRequest(http.MethodPost, "/api/publish", nil)
		h.ServeHTTP(nil, r)
	}()
	if got := attribute(c.await(1)[0], "http.response.status_code"); got != "500" || bytes.Contains(c.raw, []byte("the-words")) {
		t.Errorf("the status is %s", got)
	}
	if err := shutdown(t, t.Context(), traces); err != nil {
		t.Error(err)
	}
}
