package telemetry

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/wire"
)

// Publisher has p make a span of what the engine takes, and sends its trace with
// the publication. It must not be called once p is in use.
func (t *Telemetry) Publisher(p *surewire.Publisher) {
	if t != nil {
		p.Trace = t.publish
	}
}

// Hub has a hub of config c make a span of each command of a client, and one of
// the writes of each publication that is traced. A client cannot name a trace.
func (t *Telemetry) Hub(c *hub.Config) {
	if t != nil {
		c.Command, c.FannedOut = t.command, t.fannedOut
	}
}

func (t *Telemetry) publish(ctx context.Context, channel string, p *surewire.Publication) (context.Context, func(error)) {
	ctx, span := t.tracer.Start(ctx, "publish", trace.WithSpanKind(trace.SpanKindProducer))
	if span.IsRecording() {
		span.SetAttributes(append(about("publish", channel), attribute.Int("messaging.message.body.size", len(p.Data)))...)
		h := propagation.MapCarrier{}
		w3c.Inject(ctx, h)
		p.Trace = &surewire.Trace{Parent: h["traceparent"]}
	}
	return ctx, func(err error) { end(span, err) }
}

func (t *Telemetry) command(ctx context.Context, name string) (context.Context, func(error)) {
	ctx, span := t.tracer.Start(ctx, "client "+cmp.Or(name, "unknown"), trace.WithSpanKind(trace.SpanKindServer))
	return ctx, func(err error) { end(span, err) }
}

// fannedOut makes a span of the time from m's arrival to the last write. What an
// engine brings that is no trace, or one that is not recorded, makes none.
func (t *Telemetry) fannedOut(channel string, m *surewire.Message, began time.Time, readers int) {
	ctx := w3c.Extract(context.Background(), propagation.MapCarrier{"traceparent": m.Trace.Parent})
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return
	}
	_, span := t.tracer.Start(ctx, "deliver", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithTimestamp(began))
	span.SetAttributes(append(about("deliver", channel),
		attribute.Int("surewire.readers", readers), attribute.Int64("surewire.offset", int64(m.Position.Offset)))...)
	span.End()
}

func about(operation, channel string) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("messaging.system", "surewire"),
		attribute.String("messaging.operation.name", operation),
		attribute.String("messaging.destination.name", channel),
	}
}

// end ends a span. Of err it has the kind alone: its text may quote anybody.
func end(span trace.Span, err error) {
	if err != nil {
		span.SetAttributes(attribute.String("error.type", kind(err)))
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// kinds are the errors that have a name; the others are of the kind "other".
var kinds = []struct {
	err  error
	name string
}{
	{surewire.ErrBusy, "busy"},
	{surewire.ErrUnknown, "unknown"},
	{surewire.ErrUnavailable, "unavailable"},
	{surewire.ErrClosed, "closed"},
	{surewire.ErrTooLarge, "too_large"},
	{surewire.ErrChannel, "bad_channel"},
	{surewire.ErrUnknownChannel, "unknown_channel"},
	{surewire.ErrInvalid, "invalid"},
	{surewire.ErrBreach, "breach"},
	{surewire.ErrRepaired, "repaired"},
	{context.DeadlineExceeded, "timeout"},
	{context.Canceled, "canceled"},
}

// kind names err as a client or caller knows it: by a code, if it has one.
func kind(err error) string {
	var e *wire.Error
	var d surewire.Disconnect
	switch {
	case errors.As(err, &d):
		return strconv.Itoa(int(d.Code))
	case errors.As(err, &e):
		return strconv.FormatUint(uint64(e.Code), 10)
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.name
		}
	}
	return "other"
}
