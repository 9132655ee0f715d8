package server_test

import (
	"io"
	"math"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/server"
)

func TestMetrics(t *testing.T) {
	s, _ := open(t, server.Config{Authorizer: access.AllowAll{}})
	if _, err := s.Publish(t.Context(), "c", []float64{math.NaN()}); err != nil {
		t.Fatal(err)
	}
	metrics := httptest.NewServer(s.Metrics())
	defer metrics.Close()
	resp, err := metrics.Client().Get(metrics.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`surewire_connections 0`, `surewire_channels 0`, `surewire_subscriptions 0`,
		`surewire_repaired_values_total{reason="non-finite"} 1`, `# TYPE surewire_repaired_values_total counter`,
	} {
		if !strings.Contains(string(body), line+"\n") {
			t.Errorf("there is no line %q", line)
		}
	}
}

func TestMetricsOfTheAPI(t *testing.T) {
	s, web := open(t, server.Config{InsecureAPI: true})
	for _, c := range [][2]string{
		{"publish", `{"channel":"c","data":1}`}, {"publish", `{"channel":"c d","data":1}`}, {"publish", `{"channel":`},
		{"broadcast", `{"channels":["a","b","c d"],"data":1}`},
		{"batch", `{"commands":[{"publish":{"channel":"c","data":1}},{"info":{}},{"presence":{}}]}`},
		{"nope", `{}`},
	} {
		call(t, web.URL, c[0], c[1])
	}
	for _, line := range []string{
		`surewire_api_calls_total{code="0",method="publish"} 2`, `surewire_api_calls_total{code="107",method="publish"} 2`,
		`surewire_api_calls_total{code="0",method="broadcast"} 1`, `surewire_api_calls_total{code="0",method="batch"} 1`,
		`surewire_api_calls_total{code="0",method="info"} 1`, `surewire_api_calls_total{code="107",method="presence"} 1`,
		`surewire_api_calls_total{code="104",method="unknown"} 1`,
		`surewire_api_publications_total{code="0",method="publish"} 2`, `surewire_api_publications_total{code="107",method="publish"} 1`,
		`surewire_api_publications_total{code="0",method="broadcast"} 2`, `surewire_api_publications_total{code="107",method="broadcast"} 1`,
		`surewire_api_call_duration_seconds_count{method="publish"} 4`,
	} {
		hasLine(t, s, line)
	}
}
