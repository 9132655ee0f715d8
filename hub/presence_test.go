package hub_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/wire"
)

// A hook is an engine that a test can look into, and stand in the way of.
type hook struct {
	surewire.Engine
	publish func(ctx context.Context, channel string, p surewire.Publication) error // before it is published
}

func (h *hook) wrap(e surewire.Engine) { h.Engine = e }

func (h *hook) Publish(ctx context.Context, channel string, p surewire.Publication) (surewire.Published, error) {
	if h.publish != nil {
		if err := h.publish(ctx, channel, p); err != nil {
			return surewire.Published{}, err
		}
	}
	return h.Engine.Publish(ctx, channel, p)
}

// enter connects as user and subscribes to c.
func (b *bench) enter(user string, joins bool) *peer {
	b.Helper()
	p := b.connect()
	p.send(wire.Command{ID: 1, Connect: &wire.Connect{Token: user}}, wire.Command{ID: 2, Subscribe: &wire.Subscribe{Channel: "c", Joins: joins}})
	return p
}

func withJoins(g *access.Grant) { g.Joins = true }

func TestPresence(t *testing.T) {
	grant := func(g *access.Grant) { g.Info = 7 }
	session := func(s *access.Session) { s.Info = "i" }
	auth := named(session, grant)
	auth.OnSubscribe = func(ctx context.Context, c access.Client, r access.SubscribeRequest) (access.Grant, error) {
		return access.Grant{Presence: c.User != "hidden", Info: 7}, nil
	}
	inBubble(t, hub.Config{Authorizer: auth}, func(t *testing.T, b *bench) {
		one, two, hidden := b.enter("u", false), b.enter("u", false), b.enter("hidden", false)
		third := b.enter("v", false)
		synctest.Wait()
		third.heard()
		ask := func(want ...string) {
			t.Helper()
			third.sends(`{"id":3,"presence":{"channel":"c"}}`, `{"id":4,"presence_stats":{"channel":"c"}}`)
			third.wantHeard(t, want...)
		}
		ask(`#3 present u"i"7 u"i"7 v"i"7`, "#4 3 clients 2 users")
		one.sends(`{"id":3,"unsubscribe":{"channel":"c"}}`)
		synctest.Wait()
		ask(`#3 present u"i"7 v"i"7`, "#4 2 clients 2 users")
		two.Close(surewire.DisconnectNormal)
		hidden.Close(surewire.DisconnectNormal)
		synctest.Wait()
		ask(`#3 present v"i"7`, "#4 1 clients 1 users")
		third.sends(`{"id":3,"presence":{"channel":"nobody"}}`, `{"id":4,"presence_stats":{"channel":"nobody"}}`)
		third.wantHeard(t, "#3 present", "#4 0 clients 0 users")
		if n := b.hub.Channels(); len(n) != 1 || n["c"] != 1 {
			t.Errorf("the channels are %v", n)
		}
	})
}

func TestJoinsAndLeaves(t *testing.T) {
	auth := named(func(s *access.Session) { s.Info = "i" }, nil)
	auth.OnSubscribe = func(ctx context.Context, c access.Client, r access.SubscribeRequest) (access.Grant, error) {
		g := access.Grant{Joins: c.User != "silent", Info: 7}
		if strings.HasPrefix(c.User, "expiring") {
			g.Expires = time.Now().Add(time.Second)
		}
		return g, nil
	}
	inBubble(t, hub.Config{Authorizer: auth, PingInterval: time.Hour}, func(t *testing.T, b *bench) {
		watch := b.enter("watch", true)
		watch.wantHeard(t, "#1 connected", "#2 subscribed@0", `c join watch"i"7`)
		deaf := b.enter("deaf", false)
		watch.wantHeard(t, `c join deaf"i"7`)
		deaf.wantHeard(t, "#1 connected", "#2 subscribed@0")
		silent := b.enter("silent", true)
		silent.wantHeard(t, "#1 connected", "#2 subscribed@0")
		for _, c := range []struct {
			user string
			end  func(p *peer)
		}{
			{"unsubscribes", func(p *peer) { p.sends(`{"id":3,"unsubscribe":{"channel":"c"}}`) }},
			{"hangs up", func(p *peer) { p.Close(surewire.DisconnectNormal) }},
			{"breaks the protocol", func(p *peer) { p.sends(`x`) }},
			{"is unsubscribed", func(*peer) { b.hub.Unsubscribe(hub.Target{User: "is unsubscribed"}, "c", wire.Unsubscribed) }},
			{"is disconnected", func(*peer) {
				b.hub.Disconnect(hub.Target{User: "is disconnected"}, surewire.DisconnectForceNoReconnect)
			}},
			{"expiring", func(*peer) { time.Sleep(30 * time.Second) }},
		} {
			p := b.enter(c.user, true)
			p.heard()
			c.end(p)
			watch.wantHeard(t, "c join "+c.user+`"i"7`, "c leave "+c.user+`"i"7`)
			if n := b.hub.Channels()["c"]; n != 3 {
				t.Errorf("%s: %d are left, want 3", c.user, n)
			}
		}
		deaf.wantHeard(t)
		silent.Close(surewire.DisconnectNormal)
		watch.wantHeard(t)
	})
}

// A leave does not pass the join, however long an engine takes for that.
func TestALeaveComesAfterItsJoin(t *testing.T) {
	var told []string
	gate := make(chan struct{})
	engine := &hook{publish: func(_ context.Context, _ string, p surewire.Publication) error {
		if p.Kind == surewire.KindJoin {
			<-gate
		}
		told = append(told, p.Kind.String())
		return nil
	}}
	for name, end := range map[string]func(b *bench, p *peer){
		"unsubscribed":        func(b *bench, _ *peer) { b.hub.Unsubscribe(hub.Target{}, "c", wire.Unsubscribed) },
		"hangs up":            func(_ *bench, p *peer) { p.Close(surewire.DisconnectNormal) },
		"closed by the other": func(b *bench, _ *peer) { b.hub.Disconnect(hub.Target{}, surewire.DisconnectExpired) },
	} {
		t.Run(name, func(t *testing.T) {
			told = nil
			inBubble(t, hub.Config{Engine: engine, Authorizer: access.AllowAll{Joins: true}}, func(t *testing.T, b *bench) {
				gate = make(chan struct{})
				p := b.connect()
				p.sends(`{"id":1,"connect":{}}`)
				p.want(t)
				go b.hub.Subscribe(t.Context(), hub.Target{}, "c", access.Grant{Joins: true}, nil)
				synctest.Wait()
				end(b, p)
				synctest.Wait()
				close(gate)
				synctest.Wait()
				if !slices.Equal(told, []string{"join", "leave"}) {
					t.Errorf("the others were told %q", told)
				}
				if n := b.hub.Channels(); len(n) > 0 {
					t.Errorf("left are %v", n)
				}
			})
		})
	}
}

// Of a subscription that did not begin, nobody hears.
func TestNoLeaveWithoutAJoin(t *testing.T) {
	inBubble(t, hub.Config{Authorizer: named(func(s *access.Session) {
		if s.User == "refused" {
			s.Subs = map[string]access.Grant{"c": {Joins: true}, "expired": {Expires: time.Now()}}
		}
	}, withJoins)}, func(t *testing.T, b *bench) {
		watch := b.enter("watch", true)
		watch.wantHeard(t, "#1 connected", "#2 subscribed@0", "c join watch")
		for range 20 { // a map has its own order
			p := b.connect()
			p.send(wire.Command{ID: 1, Connect: &wire.Connect{Token: "refused"}})
			p.wantHeard(t, "#1 error 109")
		}
		watch.wantHeard(t)
		if n := b.hub.Channels()["c"]; n != 1 {
			t.Errorf("%d read the channel, want 1", n)
		}
	})
}

// After a loss of continuity every client begins anew, and asks who is there.
func TestNoLeaveAfterLost(t *testing.T) {
	engine := &losing{}
	inBubble(t, hub.Config{Engine: engine, Authorizer: named(nil, withJoins)}, func(t *testing.T, b *bench) {
		p := b.enter("u", true)
		p.wantHeard(t, "#1 connected", "#2 subscribed@0", "c join u")
		engine.last().Lost("c")
		p.wantHeard(t, "c ended 2500")
		p.sends(`{"id":3,"subscribe":{"channel":"c","join_leave":true}}`)
		p.wantHeard(t, "#3 subscribed@0", "c join u")
	})
}

// An engine that does not answer holds up the end of a connection for a bounded
// time, however many channels are to be told.
func TestLeavesAreBoundedInTime(t *testing.T) {
	engine := &hook{publish: func(ctx context.Context, _ string, p surewire.Publication) error {
		if p.Kind == surewire.KindLeave {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}}
	inBubble(t, hub.Config{Engine: engine, Authorizer: access.AllowAll{Joins: true}}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.send(wire.Command{ID: 1, Connect: &wire.Connect{}})
		for i := range 100 {
			p.send(wire.Command{ID: uint32(i + 2), Subscribe: &wire.Subscribe{Channel: "c" + strings.Repeat("x", i)}})
			p.heard()
		}
		start := time.Now()
		p.Close(surewire.DisconnectNormal)
		<-p.served
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("the connection took %v to end", d)
		}
		if n := len(b.hub.Channels()); n > 0 {
			t.Errorf("%d channels are left", n)
		}
		told := b.connect()
		told.sends(`{"id":1,"connect":{}}`, `{"id":2,"subscribe":{"channel":"c"}}`)
		told.wantHeard(t, "#1 connected", "#2 subscribed@0")
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() { b.hub.Unsubscribe(hub.Target{}, "c", wire.Unsubscribed) })
		told.wantHeard(t, "c ended 2000") // at once
	})
}

func TestJoinsOfAnEngineThatFails(t *testing.T) {
	engine := &hook{publish: func(context.Context, string, surewire.Publication) error { return errors.New("no") }}
	inBubble(t, hub.Config{Engine: engine, Authorizer: access.AllowAll{Joins: true}}, func(t *testing.T, b *bench) {
		p := b.enter("", true)
		p.sends(`{"id":3,"unsubscribe":{"channel":"c"}}`)
		p.wantHeard(t, "#1 connected", "#2 subscribed@0", "#3 ok")
	})
}
