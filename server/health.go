package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/server/internal/profile"
)

// An EngineHealth is what is known of an engine. It travels by name.
type EngineHealth uint8

// What can be known of an engine.
const (
	EngineUnchecked EngineHealth = iota // it is no [surewire.HealthChecker]
	EngineHealthy
	EngineUnhealthy
)

var engineHealths = [...]string{"unchecked", "healthy", "unhealthy"}

// String returns the name.
func (h EngineHealth) String() string {
	if int(h) < len(engineHealths) {
		return engineHealths[h]
	}
	return fmt.Sprintf("EngineHealth(%d)", uint8(h))
}

// MarshalText implements [encoding.TextMarshaler].
func (h EngineHealth) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// Healthz answers with status 200 for as long as the process serves requests, and
// with its state: {"state":"serving"}.
func (s *Server) Healthz() http.Handler {
	type health struct {
		State State `json:"state"`
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, health{s.State()})
	})
}

// Readyz answers with status 200 if clients should be sent here, else with 503:
// Shutdown has not begun, and the engine, if it can tell, would take a
// publication. {"state":"serving","engine":"unhealthy","error":"…"} says which.
func (s *Server) Readyz() http.Handler {
	type readiness struct {
		State  State        `json:"state"`
		Engine EngineHealth `json:"engine"`
		Error  string       `json:"error,omitempty"` // of the engine
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := readiness{State: s.State()}
		var err error
		if body.Engine, err = s.engineHealth(r.Context()); err != nil {
			body.Error = err.Error()
			s.config.Logger.LogAttrs(r.Context(), slog.LevelWarn, "not ready: the engine is unhealthy", slog.String("error", body.Error))
		}
		status := http.StatusOK
		if body.State != Serving || body.Engine == EngineUnhealthy {
			status = http.StatusServiceUnavailable
		}
		answer(w, status, body)
	})
}

// healthTimeout is how long an engine may take to say how it is.
const healthTimeout = 5 * time.Second

func (s *Server) engineHealth(ctx context.Context) (EngineHealth, error) {
	checker, ok := s.config.Engine.(surewire.HealthChecker)
	if !ok {
		return EngineUnchecked, nil
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	if err := checker.Healthy(ctx); err != nil {
		return EngineUnhealthy, err
	}
	return EngineHealthy, nil
}

// Internal answers what only operators may ask: /metrics, /healthz, /readyz and
// /debug/pprof/. It needs a port that others do not reach; ServeHTTP answers none
// of it.
func (s *Server) Internal() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.Metrics())
	mux.Handle("GET /healthz", s.Healthz())
	mux.Handle("GET /readyz", s.Readyz())
	mux.Handle("GET /debug/pprof/", profile.Handler("/debug/pprof/"))
	return mux
}
