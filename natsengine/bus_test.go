package natsengine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine"
)

func TestBroadcast(t *testing.T) {
	one := start(t, t.TempDir(), natsengine.Config{})
	open := func(prefix string) *natsengine.Engine {
		e, err := natsengine.Open(t.Context(), natsengine.Config{InProcess: one.server, Prefix: prefix})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close(context.Background()) })
		return e
	}
	two, stranger := open(""), open("another")
	got := make(chan string, 100)
	listen := func(name string, e *natsengine.Engine) (cancel func()) {
		cancel, err := e.Listen(t.Context(), func(b []byte) { got <- name + " " + string(b) })
		if err != nil {
			t.Fatal(err)
		}
		return cancel
	}
	cancel := listen("one", one.Engine)
	listen("two", two)
	listen("stranger", stranger)
	say := func(text string) {
		if err := two.Broadcast(t.Context(), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(n int) map[string]bool {
		seen := map[string]bool{}
		for range n {
			select {
			case s := <-got:
				seen[s] = true
			case <-time.After(10 * time.Second):
				t.Fatalf("heard %v", seen)
			}
		}
		return seen
	}
	say("a")
	if seen := expect(2); !seen["one a"] || !seen["two a"] {
		t.Errorf("heard %v", seen)
	}
	cancel()
	say("b")
	say("c")
	if seen := fmt.Sprint(expect(2)); seen != "map[two b:true two c:true]" {
		t.Errorf("once one has stopped: heard %v", seen)
	}
	two.Close(t.Context())
	if err := two.Broadcast(t.Context(), nil); !errors.Is(err, surewire.ErrClosed) {
		t.Errorf("Broadcast after Close returned %v", err)
	}
	if _, err := two.Listen(t.Context(), nil); !errors.Is(err, surewire.ErrClosed) {
		t.Errorf("Listen after Close returned %v", err)
	}
}
