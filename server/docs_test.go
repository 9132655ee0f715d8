package server

import (
	"bytes"
	"context"
	cmdline "flag"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/server/internal/metrics"
)

var update = cmdline.Bool("update", false, "write the documents that are made of the code")

// isMade demands that a document is what the code makes, or writes it.
func isMade(t *testing.T, name string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, want, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the code makes: run go test ./server -update", name)
	}
}

func TestMetricsAreDocumented(t *testing.T) {
	var doc strings.Builder
	all := slices.Concat(counted, metrics.OfEngine, metrics.OfStore)
	doc.WriteString(`# Metrics

<!-- Made by go test ./server -update. -->

The internal port has them at /metrics, in the Prometheus format, with those that Go (` + "`go_…`" + `) and the process (` + "`process_…`" + `) have of themselves. Those of ` + "`surewire_engine_…`" + ` are there with JetStream, those of ` + "`surewire_store_…`" + ` where it runs inside the process. Labels have few values: none is a channel, a user or an address.

| name | type | labels | meaning |
|---|---|---|---|
`)
	for _, m := range all {
		labels := strings.Join(m.Labels, ", ")
		if labels == "" {
			labels = "–"
		}
		fmt.Fprintf(&doc, "| `%s` | %s | %s | %s |\n", m.Name, kindOf(m), labels, m.Help)
	}
	var refusedFor []string
	for r := foreignOrigin; r < reasons; r++ {
		refusedFor = append(refusedFor, "`"+r.String()+"`")
	}
	fmt.Fprintf(&doc, "\nReasons of `%s`: %s, `command_rate`, `connections_per_user`.\n", refused.Name, strings.Join(refusedFor, ", "))
	fmt.Fprintf(&doc, "\nStates: `%s`.\n", strings.Join(states[:], "`, `"))
	isMade(t, "../docs/metrics.md", []byte(doc.String()))
}

func kindOf(m metrics.Metric) string {
	switch m.Kind {
	case prometheus.GaugeValue:
		return "gauge"
	case prometheus.CounterValue:
		return "counter"
	}
	return "histogram"
}

// What is documented is what a server shows, and the other way round.
func TestMetricsAreThoseDocumented(t *testing.T) {
	engine := memengine.New(memengine.Config{})
	defer engine.Close(context.Background())
	s := New(Config{
		Engine: engine, InsecureAPI: true, Logger: slog.New(slog.DiscardHandler),
		EngineStats: func() (e EngineStats) { return e }, StoreStats: func() (s StoreStats) { return s },
	})
	defer s.Shutdown(context.Background())
	s.Publish(t.Context(), "c", math.NaN())
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/api/publish", strings.NewReader(`{"channel":"c","data":1}`)))
	all, err := s.registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	families := maps.Collect(func(yield func(string, int) bool) {
		for i, f := range all {
			yield(f.GetName(), i)
		}
	})
	for _, m := range slices.Concat(counted, metrics.OfEngine, metrics.OfStore) {
		i, ok := families[m.Name]
		if !ok {
			t.Errorf("%s is documented, and not there", m.Name)
			continue
		}
		f := all[i]
		delete(families, m.Name)
		if got := strings.ToLower(f.GetType().String()); got != kindOf(m) || f.GetHelp() != m.Help {
			t.Errorf("%s is a %s: %q", m.Name, got, f.GetHelp())
		}
		var labels []string
		for _, l := range f.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		if !slices.Equal(labels, slices.Sorted(slices.Values(m.Labels))) {
			t.Errorf("%s has the labels %q, documented are %q", m.Name, labels, m.Labels)
		}
		if strings.HasSuffix(m.Name, "_total") != (kindOf(m) == "counter") {
			t.Errorf("%s is a %s", m.Name, kindOf(m))
		}
	}
	for name := range families {
		if strings.HasPrefix(name, "surewire_") {
			t.Errorf("%s is there, and not documented", name)
		}
	}
}

// No caller can make up values of labels.
func TestLabelsAreBounded(t *testing.T) {
	engine := memengine.New(memengine.Config{})
	defer engine.Close(context.Background())
	s := New(Config{Engine: engine, InsecureAPI: true, Logger: slog.New(slog.DiscardHandler)})
	defer s.Shutdown(context.Background())
	for i := range 100 {
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, fmt.Sprintf("/api/m%d", i), nil))
	}
	for i := range uint32(1000) {
		s.counts.called("publish", s.began, &apiError{Code: i})
	}
	w := httptest.NewRecorder()
	s.Metrics().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if n := strings.Count(w.Body.String(), "\nsurewire_api_calls_total{"); n != 22 {
		t.Errorf("there are %d series of calls, want one of an unknown method, 20 of codes and one of others", n)
	}
}

func TestOpenAPIIsCommitted(t *testing.T) { isMade(t, "../docs/openapi.json", OpenAPI()) }
