package hook

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newClient returns a Client of cfg that is closed with the test. It logs
// nothing unless cfg says where.
func newClient(t testing.TB, cfg Config) *Client {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.URL == "" {
		cfg.URL = "http://backend.test/hook"
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// A backend answers in memory.
type backend func(r *http.Request) (*http.Response, error)

func (b backend) RoundTrip(r *http.Request) (*http.Response, error) { return b(r) }

// says returns a response.
func says(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}
}
