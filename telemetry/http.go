package telemetry

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// API returns next with a span around each call of the HTTP API. It joins the
// trace that the caller names in the header traceparent. Other requests pass.
func (t *Telemetry) API(next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/api/") {
			next.ServeHTTP(w, r)
			return
		}
		ctx := w3c.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := t.tracer.Start(ctx, "POST "+r.URL.Path, trace.WithSpanKind(trace.SpanKindServer))
		a := &answer{ResponseWriter: w, status: http.StatusInternalServerError} // if the handler panics
		defer func() { a.end(span, r.URL.Path) }()
		next.ServeHTTP(a, r.WithContext(ctx))
		if !a.wrote {
			a.status = http.StatusOK
		}
	})
}

// An answer remembers its status.
type answer struct {
	http.ResponseWriter
	status int
	wrote  bool
}

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	if !a.wrote && status >= 200 {
		a.status, a.wrote = status, true
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (a *answer) Write(b []byte) (int, error) {
	if !a.wrote {
		a.status, a.wrote = http.StatusOK, true
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// end ends the span of a call. Who has no key, or calls what there is not, makes
// no span: it is not ended then. So nobody can fill the collector from outside,
// and the paths, which are names of spans, are those of the API.
func (a *answer) end(span trace.Span, path string) {
	switch a.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMisdirectedRequest:
		return
	}
	span.SetAttributes(attribute.String("http.request.method", http.MethodPost), attribute.String("http.route", path),
		attribute.Int("http.response.status_code", a.status))
	if a.status >= 500 {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// Transport returns next with a span around each request. The span's trace goes
// with the request in the header traceparent. It is for [hook.Config.Wrap].
//
// [hook.Config.Wrap]: https://pkg.go.dev/github.com/surewire/surewire/hook#Config
func (t *Telemetry) Transport(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return &transport{t.tracer, next}
}

type transport struct {
	tracer trace.Tracer
	next   http.RoundTripper
}

// RoundTrip implements [http.RoundTripper]. Of the URL the span has only the
// host: paths and queries may hold keys.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, span := t.tracer.Start(r.Context(), "hook", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("server.address", r.URL.Host)))
	r = r.Clone(ctx)
	r.Header.Del("Tracestate") // a browser's, which may have been passed on
	w3c.Inject(ctx, propagation.HeaderCarrier(r.Header))
	res, err := t.next.RoundTrip(r)
	if err == nil {
		span.SetAttributes(attribute.Int("http.response.status_code", res.StatusCode))
		if res.StatusCode >= 400 {
			span.SetStatus(codes.Error, "")
		}
	}
	end(span, err)
	return res, err
}

var _ http.RoundTripper = (*transport)(nil)
