package server_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/auth"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/server"
)

// A shared is an engine of two processes, with a bus in memory.
type shared struct {
	*memengine.Engine
	mu     sync.Mutex
	ears   []func([]byte)
	broken bool
}

func (s *shared) Broadcast(_ context.Context, b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errors.New("cut off")
	}
	for _, hear := range s.ears {
		go hear([]byte(string(b)))
	}
	return nil
}

func (s *shared) Listen(_ context.Context, f func([]byte)) (func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ears = append(s.ears, f)
	return func() {}, nil
}

// What one process is asked about connections, all processes do.
func TestCallsReachEveryProcess(t *testing.T) {
	engine := &shared{Engine: memengine.New(memengine.Config{})}
	t.Cleanup(func() { engine.Close(context.Background()) })
	config := server.Config{Engine: engine, InsecureAPI: true, Authorizer: byToken}
	config.Revocations = auth.NewRevocations(auth.RevocationsConfig{})
	_, here := open(t, config)
	config.Revocations = auth.NewRevocations(auth.RevocationsConfig{})
	there, web := open(t, config)
	for _, user := range []string{"ada", "bob", "eve"} {
		_, conn := shake(t, web.URL, nil)
		connect(t, conn, user+":id-"+user+":0")
	}
	users := func(n int) func() bool { return func() bool { return there.Hub().Counts().Users == n } }
	eventually(t, "three users", users(3))
	call(t, here.URL, "subscribe", `{"user":"ada","channel":"c"}`)
	eventually(t, "ada's subscription", func() bool { return there.Hub().Channels()["c"] == 1 })
	call(t, here.URL, "unsubscribe", `{"user":"ada","channel":"c"}`)
	eventually(t, "the end of ada's subscription", func() bool { return there.Hub().Channels()["c"] == 0 })
	call(t, here.URL, "disconnect", `{"user":"ada"}`)
	eventually(t, "the end of ada", users(2))
	call(t, here.URL, "batch", `{"commands":[{"revoke_token":{"uid":"id-eve"}}]}`)
	eventually(t, "the end of eve", users(1))
	engine.mu.Lock()
	engine.broken = true
	engine.mu.Unlock()
	if status, got := call(t, here.URL, "disconnect", `{"user":"bob"}`); status != 503 || !strings.Contains(got, "other processes were not told") {
		t.Errorf("without a way to the others: %d %s", status, got)
	}
	if !users(1)() {
		t.Error("bob was ended by a call that did not arrive")
	}
}

var _ surewire.Bus = (*shared)(nil)
