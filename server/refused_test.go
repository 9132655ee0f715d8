package server

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire/memengine"
)

func TestRefusalsThatWereNotLoggedAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := memengine.New(memengine.Config{})
		defer engine.Close(context.Background())
		var log bytes.Buffer
		s := New(Config{Engine: engine, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		defer s.Shutdown(context.Background())
		r := httptest.NewRequest(http.MethodPost, "/api/info", nil)
		for range 100 {
			s.refused(r, badKey)
		}
		if n := strings.Count(log.String(), "reason=api_key"); n != 10 {
			t.Errorf("%d lines are logged of 100 at once, want 10", n)
		}
		log.Reset()
		time.Sleep(time.Second)
		s.refused(r, badKey)
		if !strings.Contains(log.String(), "unlogged=90") {
			t.Errorf("a second later the log has %q", log.String())
		}
		log.Reset()
		time.Sleep(time.Second)
		s.refused(r, badKey)
		if strings.Contains(log.String(), "unlogged") {
			t.Errorf("what was told is told again: %q", log.String())
		}
	})
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := range reasons {
		name := r.String()
		if name == "" || seen[name] {
			t.Errorf("reason %d has the name %q", uint8(r), name)
		}
		seen[name] = true
		if r == admitted || r == noHandshake || r == badKey { // answered elsewhere
			continue
		}
		if a := refusals[r]; a.status < 400 || a.text == "" || (a.status == 503 || a.status == 429) != (a.retry > 0) {
			t.Errorf("%v is answered with %+v", r, a)
		}
	}
	if text, _ := Draining.MarshalText(); string(text) != "draining" || State(9).String() != "State(9)" || reason(99).String() != "reason(99)" {
		t.Errorf("%s %v %v", text, State(9), reason(99))
	}
}
