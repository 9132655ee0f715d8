package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// A sender posts spans to the collector. The client that comes with the library
// would add gRPC to the program, without a use for it, and takes its settings
// from environment variables.
type sender struct {
	// Static after construction.
	url       string
	transport *http.Transport
	logger    *slog.Logger
	ctx       context.Context // done when nothing is to be sent any more
	abort     context.CancelFunc

	// mu guards the following.
	mu   sync.Mutex
	last error // of the last attempt
	lost int   // spans, since the last that were taken
}

func newSender(url string, logger *slog.Logger) *sender {
	s := &sender{url: url, logger: logger, transport: &http.Transport{
		DialContext:            (&net.Dialer{Timeout: sendTimeout}).DialContext,
		TLSHandshakeTimeout:    sendTimeout,
		MaxConnsPerHost:        1,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 64 << 10,
	}}
	s.ctx, s.abort = context.WithCancel(context.Background())
	return s
}

// Start implements [otlptrace.Client].
func (s *sender) Start(context.Context) error { return nil }

// Stop implements [otlptrace.Client].
func (s *sender) Stop(context.Context) error {
	s.abort()
	s.transport.CloseIdleConnections()
	return nil
}

// UploadTraces implements [otlptrace.Client]. It returns no error: the log hears
// of it, and the library would write it to standard error.
func (s *sender) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	// TracesData is ExportTraceServiceRequest, byte for byte; the package of the
	// latter has gRPC with it.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	switch {
	case s.ctx.Err() != nil:
		err = s.ctx.Err()
	case err == nil:
		err = s.send(ctx, body)
	}
	n := 0
	for _, resource := range spans {
		for _, scope := range resource.ScopeSpans {
			n += len(scope.Spans)
		}
	}
	s.note(err, n)
	return nil
}

// firstDelay is how long to wait before the second attempt; before each further
// one it is twice as long.
const firstDelay = time.Second

// send posts body until the collector takes it, refuses it for good, or ctx is done.
func (s *sender) send(ctx context.Context, body []byte) error {
	for delay := firstDelay; ; delay *= 2 {
		after, again, err := s.post(ctx, body)
		if err == nil || !again || !pause(ctx, max(after, delay/2+rand.N(delay/2))) {
			return err
		}
	}
}

// pause reports whether there was time to wait for d.
func pause(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// post makes one attempt. If it fails, another may succeed where again is true,
// but not sooner than after.
func (s *sender) post(ctx context.Context, body []byte) (after time.Duration, again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0, false, err
	}
	r.Header["Content-Type"] = []string{"application/x-protobuf"}
	r.Header["User-Agent"] = []string{"surewire"}
	res, err := s.transport.RoundTrip(r) // which follows no redirect
	if err != nil {
		return 0, true, err
	}
	defer res.Body.Close()
	io.CopyN(io.Discard, res.Body, 64<<10) // so that the connection may be used again
	if res.StatusCode/100 == 2 {
		return 0, false, nil
	}
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		again = true
		if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
			after = time.Duration(min(max(seconds, 0), 3600)) * time.Second
		}
	}
	return after, again, fmt.Errorf("the collector answered with status %d", res.StatusCode)
}

// note logs when spans begin to be lost, and when they are taken again.
func (s *sender) note(err error, spans int) {
	s.mu.Lock()
	before, lost := s.last, s.lost
	s.last = err
	if s.lost += spans; err == nil {
		s.lost = 0
	}
	s.mu.Unlock()
	switch {
	case err != nil && before == nil:
		s.logger.Warn("the collector does not take spans: they are lost until it does", slog.String("error", err.Error()))
	case err == nil && before != nil:
		s.logger.Info("the collector takes spans again", slog.Int("lost", lost))
	}
}

// failure returns an error if the last spans were lost.
func (s *sender) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		return nil
	}
	return fmt.Errorf("telemetry: %d spans were lost: %w", s.lost, s.last)
}

var _ otlptrace.Client = (*sender)(nil)
