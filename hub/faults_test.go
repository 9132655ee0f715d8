package hub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/wire"
)

// faulty is an engine whose answers a test can hold up or falsify.
type faulty struct {
	losing
	slow    bool          // Subscribe, but of "c", and History wait for their contexts
	gate    chan struct{} // History waits for it, and then says Complete=false; nil for none
	entered chan struct{} // holds a token once History waits
}

func (f *faulty) Subscribe(ctx context.Context, channel string, s surewire.Sink) (surewire.Position, func(), error) {
	if f.slow && channel != "c" {
		<-ctx.Done()
		return surewire.Position{}, nil, ctx.Err()
	}
	return f.Engine.Subscribe(ctx, channel, s)
}

func (f *faulty) History(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	h, err := f.Engine.History(ctx, channel, after, limit)
	if f.slow {
		<-ctx.Done()
		return h, ctx.Err()
	}
	if f.gate != nil {
		f.entered <- struct{}{}
		<-f.gate
		h.Complete = false
	}
	return h, err
}

// A client that hangs up while history is read for it must not take the
// channel from the others.
func TestHangUpDuringCatchUp(t *testing.T) {
	f := &faulty{}
	inBubble(t, hub.Config{Engine: f, TailLen: 2}, func(t *testing.T, b *bench) {
		f.gate, f.entered = make(chan struct{}), make(chan struct{}, 1)
		slow, other := b.connect(), b.connect()
		slow.hello(t, wire.Subscribe{Channel: "c"})
		other.hello(t, wire.Subscribe{Channel: "c"})
		slow.mu.Lock()
		slow.rng, slow.delay = newRand(1), time.Second
		slow.mu.Unlock()
		for i := range 30 {
			b.publish("c", fmt.Sprint(i))
			other.want(t)
		}
		<-f.entered
		slow.Close(surewire.DisconnectNormal)
		synctest.Wait()
		close(f.gate)
		<-slow.served
		b.publish("c", `"after"`)
		if m := other.want(t).Publication; m == nil || string(m.Data) != `"after"` {
			t.Errorf("the other got %+v", m)
		}
	})
}

func TestHangUpDuringSlowCommands(t *testing.T) {
	many := []wire.Command{{ID: 1, Connect: &wire.Connect{}}}
	for i := range 100 {
		many = append(many, wire.Command{ID: uint32(i + 2), Subscribe: &wire.Subscribe{Channel: fmt.Sprint("x", i)}})
	}
	for name, frame := range map[string][]wire.Command{
		"subscribe": many,
		"history":   {{ID: 1, Connect: &wire.Connect{}}, {ID: 2, Subscribe: &wire.Subscribe{Channel: "c", Recover: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &faulty{slow: true}
			inBubble(t, hub.Config{Engine: f, TailLen: 1}, func(t *testing.T, b *bench) {
				b.publish("c", "1")
				p := b.connect()
				p.send(frame...)
				time.Sleep(time.Second)
				p.Close(surewire.DisconnectNormal)
				start := time.Now()
				<-p.served
				if d := time.Since(start); d > 20*time.Second {
					t.Errorf("what it had asked went on for %v", d)
				}
			})
			inBubble(t, hub.Config{Engine: f, TailLen: 1}, func(t *testing.T, b *bench) {
				b.publish("c", "1")
				p := b.connect()
				p.send(frame...)
				time.Sleep(time.Second)
				start := time.Now()
				if err := b.hub.Shutdown(t.Context()); err != nil || time.Since(start) > 0 {
					t.Errorf("Shutdown took %v: %v", time.Since(start), err)
				}
			})
		})
	}
}

// A client that reads slowly and answers each ping lives, in a long catch-up too.
func TestPingDuringCatchUp(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		for range 800 {
			b.publish("c", `"`+strings.Repeat("x", 8000)+`"`)
		}
		p := connect(t.Context(), b.hub, newRand(1), 1500*time.Millisecond)
		p.send(wire.Command{ID: 1, Connect: &wire.Connect{}}, wire.Command{ID: 2, Subscribe: &wire.Subscribe{Channel: "c", Recover: true}})
		pings, at := 0, uint64(0)
		for at < 800 {
			r := p.want(t)
			switch {
			case r.Ping():
				pings++
				p.send(wire.Command{})
			case r.Subscribed != nil:
				at += uint64(len(r.Subscribed.Publications))
			case r.Publication != nil:
				if at++; r.Publication.Position.Offset != at {
					t.Fatalf("got %d, want %d", r.Publication.Position.Offset, at)
				}
			}
		}
		if pings == 0 {
			t.Error("the catch-up was too short to see a ping")
		}
	})
}

// Once a client has been told that its subscription ended, nothing of it comes:
// what was being read from history for it is given up.
func TestUnsubscribeDuringCatchUp(t *testing.T) {
	inBubble(t, hub.Config{PingInterval: time.Hour}, func(t *testing.T, b *bench) {
		for range 800 {
			b.publish("c", `"`+strings.Repeat("x", 8000)+`"`)
		}
		p := connect(t.Context(), b.hub, newRand(1), time.Second)
		p.send(wire.Command{ID: 1, Connect: &wire.Connect{}}, wire.Command{ID: 2, Subscribe: &wire.Subscribe{Channel: "c", Recover: true}})
		for p.want(t).Publication == nil {
		}
		p.send(wire.Command{ID: 3, Unsubscribe: &wire.Unsubscribe{Channel: "c"}})
		n := 0
		for p.want(t).ID != 3 {
			n++
		}
		if n > 400 {
			t.Errorf("%d came first: there is nothing to give up", n)
		}
		time.Sleep(time.Minute)
		p.wantHeard(t)
	})
}

func TestExpiredIsNotRecoveredFromTheTail(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		keeper := b.connect()
		keeper.hello(t, wire.Subscribe{Channel: "c"})
		if _, err := b.engine.Publish(t.Context(), "c", surewire.Publication{Data: []byte(`"secret"`), TTL: time.Second}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		p := b.connect()
		s := p.hello(t, wire.Subscribe{Channel: "c", Recover: true}).Subscribed
		if s.Recovered || len(s.Publications) > 0 {
			t.Errorf("got %+v", s)
		}
	})
}

// A receipt, or another process, may know of a publication before its delivery.
func TestAClientAheadOfTheTail(t *testing.T) {
	late := make(chan func(), 10)
	f := &lagging{late: late}
	inBubble(t, hub.Config{Engine: f}, func(t *testing.T, b *bench) {
		keeper := b.connect()
		keeper.hello(t, wire.Subscribe{Channel: "c"})
		at := b.publish("c", "1")
		p := b.connect()
		s := p.hello(t, wire.Subscribe{Channel: "c", Recover: true, Since: at}).Subscribed
		if !s.Recovered || s.Position != at {
			t.Fatalf("got %+v", s)
		}
		b.publish("c", "2")
		for range 2 {
			(<-late)()
		}
		if m := p.want(t).Publication; m == nil || m.Position.Offset != 2 {
			t.Errorf("then came %+v, want offset 2", m)
		}
	})
}

// lagging is an engine whose deliveries wait until a test makes them.
type lagging struct {
	surewire.Engine
	late chan func()
}

func (l *lagging) wrap(e surewire.Engine) { l.Engine = e }

type laggingSink struct {
	surewire.Sink
	late chan func()
}

func (s laggingSink) Deliver(channel string, m *surewire.Message) {
	s.late <- func() { s.Sink.Deliver(channel, m) }
}

func (l *lagging) Subscribe(ctx context.Context, channel string, s surewire.Sink) (surewire.Position, func(), error) {
	return l.Engine.Subscribe(ctx, channel, laggingSink{s, l.late})
}

func TestASlowAuthorizerEndsWithItsConnection(t *testing.T) {
	inBubble(t, hub.Config{Authorizer: waiting{}}, func(t *testing.T, b *bench) {
		p := b.connect()
		start := time.Now()
		p.send(wire.Command{ID: 1, Connect: &wire.Connect{}})
		if err := <-p.served; !errors.Is(err, surewire.DisconnectStale) || time.Since(start) != 10*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// waiting is an authorizer that decides nothing before its context ends.
type waiting struct{ access.AllowAll }

func (waiting) Connect(ctx context.Context, _ access.ConnectRequest) (access.Session, error) {
	<-ctx.Done()
	return access.Session{}, ctx.Err()
}
