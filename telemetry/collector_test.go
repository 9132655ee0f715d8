package telemetry_test

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/surewire/surewire/telemetry"
)

// A collector is an OTLP receiver over HTTP.
type collector struct {
	*testing.T
	*httptest.Server
	traces *telemetry.Telemetry // what is flushed before spans are looked for

	// mu guards the following.
	mu     sync.Mutex
	raw    []byte // all bodies
	spans  []*tracepb.Span
	about  []string // the attributes of the resources
	refuse func() int
	asked  int
}

func newCollector(t *testing.T) *collector {
	c := &collector{T: t}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.Errorf("reading what was exported: %v", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if c.refuse != nil {
		if status := c.refuse(); status != http.StatusOK {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(status)
			return
		}
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		c.Errorf("exported to %s %s as %q", r.Method, r.URL, r.Header.Get("Content-Type"))
	}
	var all tracepb.TracesData
	if err := proto.Unmarshal(body, &all); err != nil || len(all.ProtoReflect().GetUnknown()) > 0 {
		c.Errorf("what was exported is not OTLP: %v", err)
	}
	c.raw = append(c.raw, body...)
	for _, resource := range all.ResourceSpans {
		c.about = append(c.about, attributes(resource.Resource.Attributes))
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// await returns the spans that have come, once they are n.
func (c *collector) await(n int) []*tracepb.Span {
	c.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if err := c.traces.Flush(c.Context()); err != nil {
			c.Fatal(err)
		}
		c.mu.Lock()
		spans := slices.Clone(c.spans)
		c.mu.Unlock()
		if len(spans) >= n {
			return spans
		}
		if time.Now().After(deadline) {
			c.Fatalf("%d spans came, want %d:\n%s", len(spans), n, tree(spans))
		}
	}
}

// tree shows spans below their parents, in the order of their beginning. A span
// whose parent is not there begins with the parent's ID, if it names one.
func tree(spans []*tracepb.Span) string {
	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b *tracepb.Span) int { return cmp.Compare(a.StartTimeUnixNano, b.StartTimeUnixNano) })
	known := map[string]bool{}
	children := map[string][]*tracepb.Span{}
	for _, s := range spans {
		known[string(s.SpanId)] = true
	}
	for _, s := range spans {
		parent := string(s.ParentSpanId)
		if !known[parent] {
			parent = ""
		}
		children[parent] = append(children[parent], s)
	}
	var b strings.Builder
	var show func(parent, indent string)
	show = func(parent, indent string) {
		for _, s := range children[parent] {
			b.WriteString(indent)
			if parent == "" && len(s.ParentSpanId) > 0 {
				fmt.Fprintf(&b, "%x > ", s.ParentSpanId)
			}
			b.WriteString(s.Name)
			if channel := attribute(s, "messaging.destination.name"); channel != "" {
				b.WriteString(" " + channel)
			}
			b.WriteByte('\n')
			show(string(s.SpanId), indent+"  ")
		}
	}
	show("", "")
	return b.String()
}

// wantTrace fails unless spans are one trace, of this ID and shape.
func wantTrace(t *testing.T, spans []*tracepb.Span, id, want string) {
	t.Helper()
	for _, s := range spans {
		if got := hex.EncodeToString(s.TraceId); id != "" && got != id {
			t.Errorf("%s is of trace %s, want %s", s.Name, got, id)
		}
		if string(s.TraceId) != string(spans[0].TraceId) {
			t.Errorf("%s and %s are of two traces", s.Name, spans[0].Name)
		}
		if s.EndTimeUnixNano < s.StartTimeUnixNano {
			t.Errorf("%s ends before it begins", s.Name)
		}
	}
	if got := tree(spans); got != want {
		t.Errorf("the trace is\n%s\nwant\n%s", got, want)
	}
}

func attribute(s *tracepb.Span, key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return value(a.Value)
		}
	}
	return ""
}

func value(v *commonpb.AnyValue) string {
	switch v := v.Value.(type) {
	case *commonpb.AnyValue_StringValue:
		return v.StringValue
	case *commonpb.AnyValue_IntValue:
		return fmt.Sprint(v.IntValue)
	}
	return fmt.Sprintf("%T", v.Value)
}

func attributes(all []*commonpb.KeyValue) string {
	var out []string
	for _, a := range all {
		out = append(out, a.Key+"="+value(a.Value))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// named returns the one span of that name.
func named(t *testing.T, spans []*tracepb.Span, name string) *tracepb.Span {
	t.Helper()
	i := slices.IndexFunc(spans, func(s *tracepb.Span) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("there is no span %q:\n%s", name, tree(spans))
	}
	return spans[i]
}
