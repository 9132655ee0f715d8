package hub_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
)

// Each command is told of when it begins and when it has ended, what it does has
// the context in between, and a publication's readers are told of at last.
func TestCommandsAreTold(t *testing.T) {
	type key struct{}
	var mu sync.Mutex // guards said
	var said []string
	say := func(words ...any) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, fmt.Sprint(words...))
	}
	written := make(chan string, 10)
	c := hub.Config{
		PingInterval: time.Hour,
		Command: func(ctx context.Context, name string) (context.Context, func(error)) {
			say("begin ", name)
			return context.WithValue(ctx, key{}, name), func(err error) { say("end ", name, ": ", err) }
		},
		FannedOut: func(channel string, m *surewire.Message, _ time.Time, readers int) {
			written <- fmt.Sprint(channel, " ", string(m.Data), " for ", readers)
		},
		Handlers: hub.Handlers{
			Publish: func(ctx context.Context, _ access.Client, _ string, p *surewire.Publication) error {
				say("inside ", ctx.Value(key{}))
				p.Trace = &surewire.Trace{Parent: "t"}
				return nil
			},
			RPC: func(ctx context.Context, _ access.Client, _ string, _ []byte) (any, error) {
				time.Sleep(time.Second)
				say("inside ", ctx.Value(key{}))
				return nil, surewire.DisconnectForceNoReconnect
			},
		},
	}
	inBubble(t, c, func(t *testing.T, b *bench) {
		p := b.connect()
		p.sends(`{"id":1,"connect":{}}`, `{"id":2,"subscribe":{"channel":"c"}}`, `{"id":3,"publish":{"channel":"c","data":7}}`)
		synctest.Wait()
		p.sends(`{"id":4,"subscribe":{"channel":"a b"}}`, `{"id":5,"rpc":{"method":"m"}}`)
		synctest.Wait()
		p.sends(`{"id":6,"unsubscribe":{"channel":"c"}}`)
		b.wantClosed(p, surewire.DisconnectForceNoReconnect)
		want := []string{
			"begin connect", "end connect: <nil>", "begin subscribe", "end subscribe: <nil>",
			"begin publish", "inside publish", "end publish: <nil>",
			"begin subscribe", "end subscribe: bad request: bad channel name: U+0020 at offset 1 is not allowed",
			"begin rpc", "begin unsubscribe", "end unsubscribe: <nil>", "inside rpc", "end rpc: disconnect 3503: force disconnect",
		}
		if !slices.Equal(said, want) {
			t.Errorf("said %q\nwant %q", said, want)
		}
		if got := <-written; got != "c 7 for 1" || len(written) > 0 {
			t.Errorf("%s was written, and %d more", got, len(written))
		}
	})
}
