// Package telemetry traces publications with OpenTelemetry: from the API's call
// or the client's command, through backends and the engine, to the last write.
// It sends the spans to a collector, in OTLP over HTTP. Spans hold names, sizes
// and codes: never what is published, nor tokens, nor headers.
package telemetry

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Config configures a [Telemetry].
type Config struct {
	// Endpoint is the collector's: http or https, and a host. The path is
	// /v1/traces unless it has one. Empty traces nothing.
	Endpoint string

	Service string // what the spans are of; empty means surewire
	Version string // of the service; may be empty

	// SampleRatio is how many of the traces that begin here are recorded, from 0
	// for none to 1 for all. Of a trace that a caller of the API began, the
	// caller has decided.
	SampleRatio float64

	Logger *slog.Logger // hears when the collector does not take spans, and when it does again; nil means [slog.Default]
}

// A Telemetry makes spans. A nil one traces nothing: its methods change nothing,
// and what they are for costs nothing. They may be called concurrently.
type Telemetry struct {
	// Static after construction.
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	sender   *sender
}

// Bounds of what waits for the collector. What is beyond is dropped.
const (
	queueLen = 2048 // spans
	batchLen = 512  // spans in a request

	sendEvery       = 2 * time.Second
	sendTimeout     = 10 * time.Second // with all attempts
	shutdownTimeout = 5 * time.Second
)

// w3c carries a trace in the headers traceparent and tracestate.
var w3c propagation.TraceContext

// Start returns a Telemetry, or nil where c has no Endpoint. Its Shutdown ends
// the goroutine that it starts, which sends. Start does not wait for the
// collector, and fails only where c makes no sense.
func Start(c Config) (*Telemetry, error) {
	if c.Endpoint == "" {
		return nil, nil
	}
	u, err := url.Parse(c.Endpoint)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, errors.New("telemetry: Endpoint: want http:// or https://, and a host") // it may hold a secret, which err would quote
	case u.User != nil:
		return nil, errors.New("telemetry: Endpoint has credentials, which would be sent with each request")
	case !(c.SampleRatio >= 0 && c.SampleRatio <= 1):
		return nil, errors.New("telemetry: SampleRatio: want 0 to 1")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	s := newSender(u.String(), c.Logger)
	exporter, err := otlptrace.New(context.Background(), s)
	if err != nil {
		return nil, err
	}
	provider := sdk.NewTracerProvider(
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(c.SampleRatio))),
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", cmp.Or(c.Service, "surewire")),
			attribute.String("service.version", c.Version),
			attribute.String("service.instance.id", rand.Text()),
		)),
		sdk.WithRawSpanLimits(sdk.NewSpanLimits()),
		sdk.WithBatcher(exporter, sdk.WithMaxQueueSize(queueLen), sdk.WithMaxExportBatchSize(batchLen),
			sdk.WithBatchTimeout(sendEvery), sdk.WithExportTimeout(sendTimeout)),
	)
	return &Telemetry{provider: provider, tracer: provider.Tracer("github.com/surewire/surewire"), sender: s}, nil
}

// Shutdown sends the spans that wait, and ends. It takes 5 s at most, or as long
// as ctx allows; then what is left is lost. The error says whether spans were.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, t.sender.abort)() // then the rest fails at once, and nothing is left behind
	return errors.Join(t.provider.Shutdown(context.WithoutCancel(ctx)), t.sender.failure())
}
