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
