package presence_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"testing"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub/internal/presence"
)

// A cluster is an engine with another process, which two clients are at, that
// can fail.
type cluster struct {
	surewire.Engine
	fails error
	here  func(channel string) map[string]surewire.ClientInfo
}

func (c *cluster) KeepPresence(_ context.Context, here func(string) map[string]surewire.ClientInfo) (func(), error) {
	c.here = here
	return func() { c.here = nil }, c.fails
}

func (c *cluster) Presence(_ context.Context, channel string) (map[string]surewire.ClientInfo, error) {
	if c.fails != nil {
		return nil, c.fails
	}
	return map[string]surewire.ClientInfo{channel + "2": {User: "b"}, channel + "3": {User: "c"}}, nil
}

func TestKeeper(t *testing.T) {
	here := func(channel string) map[string]surewire.ClientInfo {
		return map[string]surewire.ClientInfo{channel + "1": {User: "a"}}
	}
	others := &cluster{}
	broken := &cluster{fails: errors.New("away")}
	for _, c := range []struct {
		name   string
		engine surewire.Engine
		want   map[string]surewire.ClientInfo
	}{
		{"one process", nil, map[string]surewire.ClientInfo{"x1": {User: "a"}}},
		{"several", others, map[string]surewire.ClientInfo{"x1": {User: "a"}, "x2": {User: "b"}, "x3": {User: "c"}}},
		{"several that cannot be asked", broken, map[string]surewire.ClientInfo{"x1": {User: "a"}}},
	} {
		k := presence.Start(c.engine, here, slog.New(slog.DiscardHandler))
		if got := k.All(t.Context(), "x"); !maps.EqualFunc(got, c.want, func(a, b surewire.ClientInfo) bool { return a.User == b.User }) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if c.engine == others && len(others.here("y")) != 1 {
			t.Error("the others do not learn who is here")
		}
		k.Stop()
	}
	if others.here != nil {
		t.Error("Stop ended nothing")
	}
}
