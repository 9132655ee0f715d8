package natsengine_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine"
)

// at returns who reads channels, so many in "many" and the rest by name.
func at(name string, many int) func(channel string) map[string]surewire.ClientInfo {
	return func(channel string) map[string]surewire.ClientInfo {
		all := make(map[string]surewire.ClientInfo)
		n := map[string]int{"one": 1, "many": many}[channel]
		for i := range n {
			id := fmt.Sprint(name, i)
			all[id] = surewire.ClientInfo{Client: id, User: "u-" + name, Conn: []byte(`"` + strings.Repeat("c", 300) + `"`), Chan: []byte{0xff, '"'}}
		}
		return all
	}
}

// Each process learns who is at the others, however many are, and at once who
// has left.
func TestPresence(t *testing.T) {
	first := start(t, t.TempDir(), natsengine.Config{})
	open := func(c natsengine.Config) *natsengine.Engine {
		c.InProcess = first.server
		e, err := natsengine.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close(context.Background()) })
		return e
	}
	engines := make(map[string]*natsengine.Engine)
	cancels := make(map[string]func())
	for _, name := range []string{"a", "b", "c"} {
		e := open(natsengine.Config{Shared: true})
		cancel, err := e.KeepPresence(t.Context(), at(name, 5000))
		if err != nil {
			t.Fatal(err)
		}
		engines[name], cancels[name] = e, cancel
	}
	wants := func(at, channel string, want int, of ...string) {
		t.Helper()
		var all map[string]surewire.ClientInfo
		users := func() []string {
			found := make(map[string]struct{})
			for _, info := range all {
				found[strings.TrimPrefix(info.User, "u-")] = struct{}{}
			}
			return slices.Sorted(maps.Keys(found))
		}
		for stop := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			var err error
			if all, err = engines[at].Presence(t.Context(), channel); err != nil {
				t.Fatal(err)
			}
			if len(all) == want && slices.Equal(users(), of) {
				break
			}
			if time.Now().After(stop) {
				t.Fatalf("%s has %d of %v in %s, want %d of %v", at, len(all), users(), channel, want, of)
			}
		}
		for id, info := range all {
			if info.Client != id || len(info.Conn) != 302 || string(info.Chan) != "\xff\"" {
				t.Fatalf("%s is %+v", id, info)
			}
		}
	}
	wants("a", "one", 2, "b", "c")
	wants("c", "many", 10_000, "a", "b")
	wants("b", "none", 0)
	cancels["c"]()
	wants("a", "one", 1, "b")
	began := time.Now()
	for range 100 {
		wants("a", "one", 1, "b")
	}
	t.Logf("one is asked and answers in %v", time.Since(began)/100)
	if alone, err := open(natsengine.Config{}).Presence(t.Context(), "one"); len(alone) != 0 || err != nil {
		t.Errorf("an engine of one process: %v, %v", alone, err)
	}
}
