package hub_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/wire"
)

func TestRPC(t *testing.T) {
	inBubble(t, hub.Config{PingInterval: time.Hour, Handlers: hub.Handlers{RPC: func(ctx context.Context, c access.Client, method string, data []byte) (any, error) {
		switch method {
		case "slow":
			time.Sleep(time.Second)
		case "late":
			<-ctx.Done()
			return nil, fmt.Errorf("the database: %w", ctx.Err())
		case "large":
			return strings.Repeat("x", 2<<20), nil
		case "kick":
			return nil, surewire.DisconnectForceNoReconnect
		}
		return map[string]any{method: string(data), "nothing": nil}, nil
	}}}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.sends(`{"id":1,"connect":{}}`, `{"id":2,"rpc":{"method":"slow","data":[1]}}`, `{"id":3,"rpc":{"method":"late"}}`, `{"id":4,"subscribe":{"channel":"c"}}`)
		p.wantHeard(t, "#1 connected", "#4 subscribed@0") // which did not wait
		time.Sleep(time.Second)
		p.wantHeard(t, `#2 {"nothing":null,"slow":"[1]"}`)
		time.Sleep(19 * time.Second)
		p.wantHeard(t, "#3 error 100")
		p.sends(`{"id":5,"rpc":{"method":"large"}}`)
		p.wantHeard(t, "#5 error 100")
		p.sends(`{"id":6,"rpc":{}}`)
		p.wantHeard(t, `#6 {"":"","nothing":null}`)
		p.sends(`{"id":7,"rpc":{"method":"kick"}}`)
		b.wantClosed(p, surewire.DisconnectForceNoReconnect)
	})
}

func TestRPCsAtWorkAreBounded(t *testing.T) {
	var working, most atomic.Int32
	var gate chan struct{}
	inBubble(t, hub.Config{PingInterval: time.Hour, Handlers: hub.Handlers{RPC: func(ctx context.Context, _ access.Client, _ string, _ []byte) (any, error) {
		most.Store(max(most.Load(), working.Add(1)))
		defer working.Add(-1)
		select {
		case <-gate:
			return 1, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}}, func(t *testing.T, b *bench) {
		gate = make(chan struct{})
		p, other := b.connect(), b.connect()
		commands := []wire.Command{{ID: 1, Connect: &wire.Connect{}}}
		for i := range 40 {
			commands = append(commands, wire.Command{ID: uint32(i + 2), RPC: &wire.RPC{Method: "m"}})
		}
		p.send(commands...)
		synctest.Wait()
		if n := working.Load(); n != 16 {
			t.Errorf("%d are at work, want 16", n)
		}
		other.send(commands[:2]...)
		synctest.Wait()
		if n := working.Load(); n != 17 {
			t.Errorf("with another's, %d are at work, want 17", n)
		}
		go func() {
			for range 41 {
				gate <- struct{}{}
			}
		}()
		got := p.heard()
		var ids []string
		for _, one := range got[1:] {
			ids = append(ids, one)
			if !strings.HasSuffix(one, " 1") {
				t.Errorf("heard %s", one)
			}
		}
		if slices.Sort(ids); len(slices.Compact(ids)) != 40 {
			t.Errorf("heard %d answers: %q", len(ids), got)
		}
		// Who holds all of them up is told to ask less, and hangs up in time.
		p.send(commands[1:]...)
		time.Sleep(20*time.Second + time.Millisecond)
		var refused int
		for _, one := range p.heard() {
			if strings.HasSuffix(one, " error 111") {
				refused++
			}
		}
		if refused == 0 || refused > 24 { // others may have got in at the last moment
			t.Errorf("%d were refused of 24 at most", refused)
		}
		time.Sleep(time.Minute)
		p.heard()
		p.send(commands[1:10]...)
		synctest.Wait()
		start := time.Now()
		p.Close(surewire.DisconnectNormal)
		<-p.served
		if n, d := working.Load(), time.Since(start); n != 0 || d > 0 {
			t.Errorf("after %v %d are at work, without a client", d, n)
		}
		if n := most.Load(); n > 17 {
			t.Errorf("%d were at work at once", n)
		}
	})
}

func TestMessagesAndLife(t *testing.T) {
	var mu sync.Mutex
	var told []string
	tell := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, fmt.Sprintf(format, args...))
	}
	var log logbook
	inBubble(t, hub.Config{Logger: log.logger(), Authorizer: named(func(s *access.Session) { s.Info = 1 }, nil), Handlers: hub.Handlers{
		Connected: func(c access.Client) { tell("%s%s came", c.User, c.Info); panic("connected") },
		Message: func(_ context.Context, c access.Client, data []byte) error {
			tell("%s says %s", c.User, data)
			panic("message")
		},
		Disconnected: func(c access.Client, reason error) { tell("%s left: %v", c.User, reason); panic("disconnected") },
	}}, func(t *testing.T, b *bench) {
		silent := b.connect()
		p := b.connect()
		p.sends(`{"id":1,"connect":{"token":"u"}}`, `{"send":{"data":1}}`, `{"id":7,"send":{"data":{"a":2}}}`, `{"send":{}}`)
		p.wantHeard(t, "#1 connected")
		p.Close(surewire.DisconnectNormal)
		<-p.served
		kicked := b.connect()
		kicked.sends(`{"id":1,"connect":{"token":"v"}}`)
		kicked.heard()
		b.hub.Disconnect(hub.Target{User: "v"}, surewire.DisconnectForceReconnect)
		<-kicked.served
		<-silent.served // it never said anything: nobody hears of it
		want := []string{"u1 came", "u says 1", `u says {"a":2}`, "u says ", "u left: <nil>", "v1 came", "v left: " + surewire.DisconnectForceReconnect.Error()}
		if !slices.Equal(told, want) {
			t.Errorf("told\n %q, want\n %q", told, want)
		}
		for _, s := range []string{"panic: connected", "panic: message", "panic: disconnected"} {
			if !log.has(s) {
				t.Errorf("the log has no %q", s)
			}
		}
	})
}

func TestThePublishHandler(t *testing.T) {
	inBubble(t, hub.Config{Authorizer: named(nil, func(g *access.Grant) { g.Info = 7 }), Handlers: hub.Handlers{
		Publish: func(_ context.Context, c access.Client, channel string, p *surewire.Publication) error {
			p.Tags = map[string]string{"by": c.User + p.Info.User + string(p.Info.Chan)}
			switch string(p.Data) {
			case "1":
				p.Data = []byte(`{not JSON`)
			case "2":
				p.Data, p.Ephemeral, p.Info = nil, true, nil
			case "3":
				p.ID = "once"
			}
			return nil
		},
	}}, func(t *testing.T, b *bench) {
		p := b.enter("u", false)
		p.heard()
		p.sends(`{"id":3,"publish":{"channel":"c","data":1}}`, `{"id":4,"publish":{"channel":"c","data":2}}`,
			`{"id":5,"publish":{"channel":"c","data":3}}`, `{"id":6,"publish":{"channel":"c","data":3}}`)
		var pushes []wire.Reply
		for range 7 {
			if r := p.want(t); r.Push {
				pushes = append(pushes, r)
			} else if r.Error != nil {
				t.Errorf("heard %s", said(r))
			}
		}
		for i, want := range []struct{ said, by, info string }{
			{`c:1 "{not JSON"`, "uu7", "7"}, {"c:~ null", "uu7", ""}, {"c:2 3", "uu7", "7"},
		} {
			r := pushes[i]
			info := ""
			if i := r.Publication.Info; i != nil {
				info = string(i.Chan)
			}
			if said(r) != want.said || r.Publication.Tags["by"] != want.by || info != want.info {
				t.Errorf("heard %s, %v, %s; want %+v", said(r), r.Publication.Tags, info, want)
			}
		}
		p.wantHeard(t)
	})
}

func TestShutdownIsSpreadAndBounded(t *testing.T) {
	for _, c := range []struct {
		clients           int
		timeout, from, to time.Duration
	}{{200, time.Minute, 150 * time.Millisecond, 200 * time.Millisecond}, {200, 100 * time.Millisecond, 30 * time.Millisecond, 50 * time.Millisecond}, {3, 0, 0, 0}} {
		inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
			peers := make([]*peer, c.clients)
			for i := range peers {
				peers[i] = b.connect()
				peers[i].hello(t, wire.Subscribe{Channel: "c"})
			}
			ctx, cancel := context.WithCancel(t.Context())
			if c.timeout > 0 {
				ctx, cancel = context.WithTimeout(t.Context(), c.timeout)
			}
			defer cancel()
			start := time.Now()
			times := make(map[time.Duration]int)
			var mu sync.Mutex
			var wg sync.WaitGroup
			for _, p := range peers {
				wg.Go(func() {
					b.wantClosed(p, surewire.DisconnectShutdown)
					mu.Lock()
					times[time.Since(start)]++
					mu.Unlock()
				})
			}
			if err := b.hub.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			if d := time.Since(start); d < c.from || d > c.to {
				t.Errorf("%d clients took %v, want %v to %v", c.clients, d, c.from, c.to)
			}
			wg.Wait()
			for at, n := range times {
				if n > c.clients/4 && c.clients > 4 {
					t.Errorf("%d were told after %v", n, at)
				}
			}
		})
	}
}

// A client that does not go does not hold Shutdown up for longer than it may take.
func TestShutdownGivesUp(t *testing.T) {
	var gate chan struct{}
	inBubble(t, hub.Config{Handlers: hub.Handlers{Message: func(context.Context, access.Client, []byte) error { <-gate; return nil }}}, func(t *testing.T, b *bench) {
		gate = make(chan struct{})
		p := b.connect()
		p.sends(`{"id":1,"connect":{}}`, `{"send":{"data":1}}`)
		p.heard()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := b.hub.Shutdown(ctx); err == nil || time.Since(start) != time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		close(gate)
		<-p.served
	})
}

// A client that comes when the hub is shut down leaves nothing with the caller's
// context.
func TestAfterShutdownNothingIsLeftOfALateClient(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		b.hub.Shutdown(t.Context())
		ctx := &counting{Context: t.Context(), done: make(chan struct{})}
		p := connect(ctx, b.hub, nil, 0)
		b.wantClosed(p, surewire.DisconnectShutdown)
		synctest.Wait()
		if n := ctx.registered.Load(); n != 0 {
			t.Errorf("%d are registered with the context", n)
		}
	})
}

// counting is a context that knows how many wait for its end.
type counting struct {
	context.Context
	done       chan struct{}
	registered atomic.Int32
}

func (c *counting) Done() <-chan struct{} { return c.done }

// AfterFunc is what package context asks of contexts that are not its own.
func (c *counting) AfterFunc(f func()) func() bool {
	c.registered.Add(1)
	return func() bool { c.registered.Add(-1); return true }
}
