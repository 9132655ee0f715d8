package profile

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHandler(t *testing.T) {
	for _, c := range []struct {
		path   string
		status int
		want   string // in the answer, unpacked where it is packed
	}{
		{"", 200, "goroutine?debug=1"},
		{"heap", 200, "inuse_space"},
		{"heap?debug=1", 200, "heap profile:"},
		{"goroutine?debug=2", 200, "goroutine 1 ["},
		{"profile?seconds=0.05", 200, "nanoseconds"},
		{"trace?seconds=0.05", 200, "go 1."},
		{"profile?seconds=x", 400, "seconds"},
		{"profile?seconds=1e9", 400, "seconds"},
		{"profile?seconds=NaN", 400, "seconds"},
		{"nope", 404, ""},
		{"cmdline", 404, ""},
	} {
		w := httptest.NewRecorder()
		Handler("/debug/pprof/").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/debug/pprof/"+c.path, nil))
		body := w.Body.String()
		if strings.HasPrefix(body, "\x1f\x8b") {
			r, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			body = string(b)
		}
		if w.Code != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %.100q", c.path, w.Code, body)
		}
	}
	// The public port of a program may be served by the default mux.
	_, pattern := http.DefaultServeMux.Handler(httptest.NewRequest(http.MethodGet, "/debug/pprof/heap", nil))
	if pattern != "" {
		t.Errorf("http.DefaultServeMux serves %s", pattern)
	}
}
