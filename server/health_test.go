package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/server"
)

// get asks h for path.
func get(h http.Handler, path string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

// ailing is an engine whose health is set.
type ailing struct {
	surewire.Engine
	healthy func(context.Context) error
}

func (a ailing) Healthy(ctx context.Context) error { return a.healthy(ctx) }

// plain is an engine that cannot tell how it is.
type plain struct{ surewire.Engine }

func TestHealth(t *testing.T) {
	engine := memengine.New(memengine.Config{})
	defer engine.Close(context.Background())
	var err error
	s, _ := open(t, server.Config{Engine: ailing{engine, func(context.Context) error { return err }}})
	check := func(path string, status int, body string) {
		t.Helper()
		if gotStatus, got := get(s.Internal(), path); gotStatus != status || got != body {
			t.Errorf("%s: %d %s, want %d %s", path, gotStatus, got, status, body)
		}
	}
	check("/healthz", 200, `{"state":"serving"}`)
	check("/readyz", 200, `{"state":"serving","engine":"healthy"}`)
	err = errors.New("disk is full")
	check("/healthz", 200, `{"state":"serving"}`)
	check("/readyz", 503, `{"state":"serving","engine":"unhealthy","error":"disk is full"}`)
	err = nil
	check("/readyz", 200, `{"state":"serving","engine":"healthy"}`)
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("/healthz", 200, `{"state":"stopped"}`)
	check("/readyz", 503, `{"state":"stopped","engine":"healthy"}`)
	hasLine(t, s, `surewire_server_state{state="stopped"} 1`)
	hasLine(t, s, `surewire_server_state{state="serving"} 0`)

	s, _ = open(t, server.Config{Engine: plain{engine}})
	check("/readyz", 200, `{"state":"serving","engine":"unchecked"}`)
	if server.EngineHealth(9).String() != "EngineHealth(9)" {
		t.Error(server.EngineHealth(9))
	}
}

// From the moment it is told to stop, a server is not ready, though clients are
// still there.
func TestReadyzWhileDraining(t *testing.T) {
	s, web := open(t, server.Config{Authorizer: access.AllowAll{}})
	_, conn := shake(t, web.URL, nil)
	connect(t, conn, "")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(ctx) }() // ends with ctx, at the latest
	eventually(t, "draining", func() bool { return s.State() != server.Serving })
	if status, body := get(s.Internal(), "/readyz"); status != 503 || strings.Contains(body, "serving") {
		t.Errorf("%d %s", status, body)
	}
	cancel()
	<-ended
}

// An engine that hangs is unhealthy.
func TestReadyzDoesNotWaitForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := memengine.New(memengine.Config{})
		defer engine.Close(context.Background())
		s := server.New(server.Config{
			Engine: ailing{engine, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
			Logger: slog.New(slog.DiscardHandler),
		})
		defer s.Shutdown(context.Background())
		if status, body := get(s.Readyz(), "/"); status != 503 || !strings.Contains(body, "deadline exceeded") {
			t.Errorf("%d %s", status, body)
		}
	})
}

// The public handler has nothing of what is for operators.
func TestThePublicPortHasNothingInternal(t *testing.T) {
	s, _ := open(t, server.Config{InsecureAPI: true})
	for _, path := range []string{"/metrics", "/readyz", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/healthz", "/api/../metrics"} {
		if status, body := get(s, path); status == 200 {
			t.Errorf("%s: %d %.100s", path, status, body)
		}
		if status, _ := get(http.DefaultServeMux, path); status == 200 && path != "/debug/vars" { // which client_golang imports
			t.Errorf("%s is in http.DefaultServeMux", path)
		}
	}
	for _, path := range []string{"/metrics", "/readyz", "/debug/pprof/", "/debug/pprof/heap", "/healthz"} {
		if status, body := get(s.Internal(), path); status != 200 {
			t.Errorf("the internal port, %s: %d %.100s", path, status, body)
		}
	}
	for _, path := range []string{"/api/info", "/connection/websocket", "/"} {
		if status, _ := get(s.Internal(), path); status != 404 {
			t.Errorf("the internal port has %s: %d", path, status)
		}
	}
}
