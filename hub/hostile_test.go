package hub_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/wire"
)

// heap returns how many bytes are in use.
func heap() uint64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A client that opens channels without end, asks without end and reads nothing
// is closed; until then it costs a bounded piece of memory, and nobody waits for
// it; then nothing is left of it.
func TestAGreedyClient(t *testing.T) {
	var before uint64
	inBubble(t, hub.Config{PingInterval: time.Hour, MaxChannels: 10_000}, func(t *testing.T, b *bench) {
		other := b.connect()
		other.hello(t, wire.Subscribe{Channel: "other"})
		before = heap()
		greedy := b.connect()
		commands := []wire.Command{{ID: 1, Connect: &wire.Connect{}}}
		for i := range 10_001 {
			commands = append(commands, wire.Command{ID: uint32(i + 2), Subscribe: &wire.Subscribe{Channel: fmt.Sprint("c", i)}})
		}
		greedy.send(commands...)
		all := greedy.heard()
		if n := len(b.hub.Channels()); n != 10_001 || len(all) != 10_002 || all[10_001] != "#10002 error 106" {
			t.Errorf("%d channels, %d answers", n, len(all))
		}
		greedy.mu.Lock()
		greedy.stuck = true
		greedy.mu.Unlock()
		var frame strings.Builder
		for i := range 1000 {
			fmt.Fprintf(&frame, `{"id":%d,"history":{"channel":"other","limit":100}}`+"\n", i+1)
		}
		asked := make(chan struct{})
		go func() {
			for range 100 {
				greedy.sendRaw([]byte(frame.String()))
			}
			close(asked)
		}()
		for i := range 500 {
			b.publish("other", fmt.Sprint(i))
			for range 20 {
				b.publish(fmt.Sprint("c", rand.IntN(10_000)), `"to the greedy one too"`)
			}
			if m := other.want(t).Publication; m == nil || string(m.Data) != fmt.Sprint(i) {
				t.Fatalf("the other got %+v, want %d", m, i)
			}
		}
		synctest.Wait()
		if used := int64(heap()) - int64(before); used > 64<<20 {
			t.Errorf("it takes %d MB", used>>20)
		}
		b.wantClosed(greedy, surewire.DisconnectSlow)
		<-asked
		if n := b.hub.Channels(); len(n) != 1 || n["other"] != 1 {
			t.Errorf("left are %d channels", len(n))
		}
		if n := len(b.hub.Conns()); n != 1 {
			t.Errorf("left are %d connections", n)
		}
	})
	if after := heap(); after > before+before/10+1<<20 {
		t.Errorf("%d KB are in use, %d KB were", after>>10, before>>10)
	}
}

// Connections come and go, in every way, while channels are busy: what is left
// is what was there. The clock is the real one, so that all is as parallel as
// can be.
func TestComingAndGoing(t *testing.T) {
	engine := memengine.New(memengine.Config{HistorySize: 50})
	h := hub.New(hub.Config{
		Engine: engine, TailLen: 8, PingInterval: 250 * time.Millisecond, ExpiryGrace: time.Millisecond, Authorizer: access.Funcs{
			OnConnect: func(_ context.Context, r access.ConnectRequest) (access.Session, error) {
				s := access.Session{User: r.Token, Subs: map[string]access.Grant{"all": {Presence: true, Joins: len(r.Token) > 1}}}
				if r.Token == "u7" {
					s.Expires = time.Now().Add(100 * time.Millisecond)
				}
				return s, nil
			},
			OnSubscribe: access.AllowAll{Joins: true}.Subscribe, OnAllow: access.AllowAll{}.Allow,
		},
		Handlers: hub.Handlers{RPC: func(context.Context, access.Client, string, []byte) (any, error) { return nil, nil }},
	})
	round := func(n int) {
		var wg sync.WaitGroup
		stop := make(chan struct{})
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				engine.Publish(t.Context(), []string{"all", "c0", "c1", "c2"}[i%4], surewire.Publication{Data: []byte("1"), Ephemeral: i%3 == 0})
				user := hub.Target{User: fmt.Sprint("u", i%9)}
				switch i % 50 {
				case 10:
					h.Subscribe(t.Context(), user, "c2", access.Grant{Joins: true, Presence: true}, &surewire.Position{})
				case 20:
					h.Unsubscribe(user, "c2", wire.Unsubscribed)
				case 30:
					h.Send(t.Context(), user, i)
					h.Conns()
				case 40:
					h.Disconnect(user, surewire.DisconnectForceReconnect)
					h.Refresh(user, time.Now().Add(time.Minute))
				}
				time.Sleep(100 * time.Microsecond)
			}
		})
		limit := make(chan struct{}, 100)
		var clients sync.WaitGroup
		for i := range n {
			limit <- struct{}{}
			clients.Go(func() {
				defer func() { <-limit }()
				visit(t, h, i)
			})
		}
		clients.Wait()
		close(stop)
		wg.Wait()
	}
	round(100)
	before := heap()
	round(1000)
	if n := h.Channels(); len(n) > 0 || len(h.Conns()) > 0 {
		t.Errorf("left are %v and %d connections", n, len(h.Conns()))
	}
	if after := heap(); after > before+before/10+1<<20 {
		t.Errorf("%d KB are in use, %d KB were", after>>10, before>>10)
	}
	if err := h.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	engine.Close(context.Background())
}

// visit is one client's stay.
func visit(t *testing.T, h *hub.Hub, i int) {
	r := rand.New(rand.NewPCG(uint64(i), 9))
	p := connect(t.Context(), h, rand.New(rand.NewPCG(uint64(i), 10)), time.Duration(r.IntN(3))*time.Millisecond)
	p.send(wire.Command{ID: 1, Connect: &wire.Connect{Token: fmt.Sprint("u", i%9)}})
	for n := range 3 {
		p.sends(fmt.Sprintf(`{"id":2,"subscribe":{"channel":"c%d","join_leave":true,"recover":%v}}`, n, r.IntN(2) == 0),
			`{"id":3,"rpc":{"method":"m"}}`, `{"id":4,"presence":{"channel":"all"}}`)
	}
	p.sends(`{"id":5,"unsubscribe":{"channel":"c1"}}`)
	if r.IntN(10) == 0 {
		p.mu.Lock()
		p.stuck = true
		p.mu.Unlock()
	}
	time.Sleep(time.Duration(r.IntN(50)) * time.Millisecond)
	if r.IntN(10) == 0 {
		p.sends("garbage")
	} else {
		p.Close(surewire.DisconnectNormal)
	}
	<-p.served
}

// More readers than one goroutine wakes: each gets everything, while some come
// and go.
func TestACrowd(t *testing.T) {
	inBubble(t, hub.Config{PingInterval: time.Hour}, func(t *testing.T, b *bench) {
		peers := make([]*peer, 1100)
		for i := range peers {
			peers[i] = b.connect()
			peers[i].hello(t, wire.Subscribe{Channel: "c"})
		}
		for i := range 20 {
			b.publish("c", fmt.Sprint(i))
			if i%5 == 0 {
				synctest.Wait()
			}
			peers[len(peers)-1].Close(surewire.DisconnectNormal)
			peers = peers[:len(peers)-1]
		}
		for n, p := range peers {
			for i := range 20 {
				if m := p.want(t).Publication; m == nil || string(m.Data) != fmt.Sprint(i) {
					t.Fatalf("reader %d of %d got %+v, want %d", n, len(peers), m, i)
				}
			}
		}
	})
}
