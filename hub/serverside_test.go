package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/surejson"
	"github.com/surewire/surewire/wire"
)

// serverSide has everybody read channels without asking.
func serverSide(channels ...string) access.Authorizer {
	return named(func(s *access.Session) {
		s.Subs = make(map[string]access.Grant)
		for _, channel := range channels {
			s.Subs[channel] = access.Grant{Presence: true, Data: channel}
		}
	}, nil)
}

func TestServersSubscriptions(t *testing.T) {
	inBubble(t, hub.Config{Authorizer: serverSide("a", "b")}, func(t *testing.T, b *bench) {
		var at surewire.Position
		for i := range 5 {
			at = b.publish("a", fmt.Sprint(i+1))
		}
		p := b.connect()
		p.send(wire.Command{ID: 1, Connect: &wire.Connect{Subs: map[string]surewire.Position{
			"a": {Epoch: at.Epoch, Offset: 3}, "b": {Epoch: "another", Offset: 3}, "not mine": {Offset: 1},
		}}})
		p.wantHeard(t, `#1 connected a@3"a"+[4 5] b@0"b"-`)
		b.publish("a", "6")
		p.wantHeard(t, "a:6 6")
		b.publish("b", "1")
		p.wantHeard(t, "b:1 1")
		p.sends(`{"id":2,"subscribe":{"channel":"a"}}`, `{"id":3,"unsubscribe":{"channel":"a"}}`)
		p.wantHeard(t, "#2 error 105", "#3 ok")
		b.publish("a", "7")
		p.wantHeard(t)
		p.Close(surewire.DisconnectNormal)
		<-p.served
		if n := b.hub.Channels(); len(n) > 0 {
			t.Errorf("left are %v", n)
		}
	})
}

// A client whose own subscriptions are lost asks for them again; one that lost a
// server's must connect again, and is told so.
func TestLostServersSubscription(t *testing.T) {
	engine := &losing{}
	inBubble(t, hub.Config{Engine: engine, Authorizer: serverSide("a")}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.sends(`{"id":1,"connect":{}}`)
		p.want(t)
		engine.last().Lost("a")
		b.wantClosed(p, surewire.DisconnectInsufficientState)
	})
}

func TestTheServerSubscribes(t *testing.T) {
	inBubble(t, hub.Config{Authorizer: named(nil, withJoins)}, func(t *testing.T, b *bench) {
		var at surewire.Position
		for i := range 4 {
			at = b.publish("c", fmt.Sprint(i+1))
		}
		one, two, other := b.connect(), b.connect(), b.connect()
		var ids []string
		for i, p := range []*peer{one, two, other} {
			p.send(wire.Command{ID: 1, Connect: &wire.Connect{Token: []string{"u", "u", "v"}[i]}})
			ids = append(ids, p.want(t).Connected.Client)
		}
		u := hub.Target{User: "u"}
		if n, err := b.hub.Subscribe(t.Context(), u, "c", access.Grant{Data: hostile()}, &surewire.Position{Epoch: at.Epoch, Offset: 2}); n != 2 || err != nil {
			t.Errorf("%d began, %v", n, err)
		}
		one.wantHeard(t, "c begun@2"+hostileJSON, "c:3 3", "c:4 4")
		if n, err := b.hub.Subscribe(t.Context(), u, "c", access.Grant{}, nil); n != 0 || err != nil {
			t.Errorf("%d began once more, %v", n, err)
		}
		b.publish("c", "5")
		two.wantHeard(t, "c begun@2"+hostileJSON, "c:3 3", "c:4 4", "c:5 5")
		other.wantHeard(t)
		if n, err := b.hub.Subscribe(t.Context(), hub.Target{Client: ids[2]}, "c", access.Grant{}, &surewire.Position{Epoch: "x"}); n != 1 || err != nil {
			t.Errorf("%d began, %v", n, err)
		}
		other.wantHeard(t, "c begun@5") // not everything from there is kept
		if n := b.hub.Unsubscribe(hub.Target{User: "u", Except: ids[:1]}, "c", wire.Unsubscribed); n != 1 {
			t.Errorf("%d ended", n)
		}
		b.publish("c", "6")
		one.wantHeard(t, "c:5 5", "c:6 6")
		two.wantHeard(t, "c ended 2000")
		if _, err := b.hub.Subscribe(t.Context(), u, "a b", access.Grant{}, nil); !errors.Is(err, surewire.ErrChannel) {
			t.Errorf("a bad channel: %v", err)
		}
		if n, err := b.hub.Subscribe(t.Context(), u, "d", access.Grant{Expires: time.Now()}, nil); n != 0 || !errors.Is(err, wire.ErrTokenExpired) {
			t.Errorf("an expired grant: %d began, %v", n, err)
		}
	})
}

// A client that hangs up while the server begins a subscription leaves nothing.
func TestTheServerSubscribesWhoHangsUp(t *testing.T) {
	for i := range 300 {
		inBubble(t, hub.Config{Authorizer: access.AllowAll{Joins: true}}, func(t *testing.T, b *bench) {
			p := b.connect()
			p.sends(`{"id":1,"connect":{}}`)
			p.want(t)
			go b.hub.Subscribe(t.Context(), hub.Target{}, "c", access.Grant{Presence: true, Joins: true}, nil)
			if i%2 > 0 {
				go b.hub.Unsubscribe(hub.Target{}, "c", wire.Unsubscribed)
			}
			p.Close(surewire.DisconnectNormal)
			<-p.served
			synctest.Wait()
			if n := b.hub.Channels(); len(n) > 0 {
				t.Fatalf("left are %v", n)
			}
		})
	}
}

func TestTargets(t *testing.T) {
	inBubble(t, hub.Config{Authorizer: named(nil, nil)}, func(t *testing.T, b *bench) {
		ids := make(map[string]string)
		peers := make(map[string]*peer)
		for _, name := range []string{"u1", "u2", "v1", ""} {
			p := b.connect()
			p.send(wire.Command{ID: 1, Connect: &wire.Connect{Token: name[:min(1, len(name))]}})
			ids[name], peers[name] = p.want(t).Connected.Client, p
		}
		b.connect() // and one that has not said who it is
		for _, c := range []struct {
			name   string
			target hub.Target
			want   string
		}{
			{"a user", hub.Target{User: "u"}, "u1 u2"},
			{"nobody", hub.Target{User: "x"}, ""},
			{"the anonymous", hub.Target{}, "anon"},
			{"one", hub.Target{Client: ids["v1"]}, "v1"},
			{"one of a user's", hub.Target{User: "v", Client: ids["v1"]}, "v1"},
			{"one, of another's", hub.Target{User: "u", Client: ids["v1"]}, ""},
			{"no one", hub.Target{Client: "x"}, ""},
			{"all but one", hub.Target{User: "u", Except: []string{ids["u1"], ids["v1"]}}, "u2"},
		} {
			n, err := b.hub.Send(t.Context(), c.target, c.name)
			if err != nil {
				t.Error(err)
			}
			var got []string
			for _, name := range []string{"u1", "u2", "v1", ""} {
				switch heard := strings.Join(peers[name].heard(), "|"); heard {
				case "":
				case fmt.Sprintf("message %q", c.name):
					got = append(got, map[bool]string{true: "anon", false: name}[name == ""])
				default:
					t.Errorf("%s: %s heard %s", c.name, name, heard)
				}
			}
			if strings.Join(got, " ") != c.want || n != len(got) {
				t.Errorf("%s: %d, %v; want %s", c.name, n, got, c.want)
			}
		}
		if n := b.hub.Disconnect(hub.Target{User: "u"}, surewire.DisconnectForceReconnect); n != 2 {
			t.Errorf("%d were closed", n)
		}
		b.wantClosed(peers["u1"], surewire.DisconnectForceReconnect)
		b.wantClosed(peers["u2"], surewire.DisconnectForceReconnect)
		if n := b.hub.Refresh(hub.Target{User: "v"}, time.Now().Add(time.Minute)); n != 1 {
			t.Errorf("%d were refreshed", n)
		}
		peers["v1"].wantHeard(t, "expires 1m0s")
		b.hub.Refresh(hub.Target{User: "v"}, time.Time{})
		peers["v1"].wantHeard(t, "expires 0s")
		b.hub.Refresh(hub.Target{User: "v"}, time.Now())
		b.wantClosed(peers["v1"], surewire.DisconnectExpired)
	})
}

// A time that the server sets is kept, and one that it takes back is not.
func TestTheServerRefreshes(t *testing.T) {
	inBubble(t, hub.Config{PingInterval: time.Hour, PongTimeout: time.Hour}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.sends(`{"id":1,"connect":{}}`)
		p.want(t)
		b.hub.Refresh(hub.Target{}, time.Now().Add(time.Minute))
		b.hub.Refresh(hub.Target{}, time.Now().Add(10*time.Minute)) // the later one counts
		p.wantHeard(t, "expires 1m0s", "expires 10m0s")
		start := time.Now()
		b.wantClosed(p, surewire.DisconnectExpired)
		if d := time.Since(start); d < 625*time.Second || d > 627*time.Second {
			t.Errorf("it was closed after %v", d)
		}
	})
}

func TestConns(t *testing.T) {
	var release chan struct{}
	inBubble(t, hub.Config{TailLen: 4, WriteTimeout: time.Hour, Authorizer: named(nil, nil), Handlers: hub.Handlers{
		Message: func(context.Context, access.Client, []byte) error { <-release; return nil },
	}}, func(t *testing.T, b *bench) {
		p, stuck, closing := b.connect(), b.connect(), b.connect()
		var ids []string
		for _, one := range []*peer{p, stuck, closing} {
			one.sends(`{"id":1,"connect":{"name":"js","version":"5","token":"u"}}`, `{"id":2,"subscribe":{"channel":"c"}}`)
			ids = append(ids, one.want(t).Connected.Client)
			one.heard()
		}
		release = make(chan struct{}) // the bubble's own
		closing.sends(`{"id":3,"unsubscribe":{"channel":"c"}}`, `{"send":{"data":1}}`)
		stuck.mu.Lock()
		stuck.stuck = true
		stuck.mu.Unlock()
		b.publish("c", `"in the writer's hands"`)
		synctest.Wait()
		for range 10 {
			b.publish("c", `"x"`)
		}
		p.heard()
		if r := p.want(t); !r.Ping() {
			t.Fatalf("got %+v, want a ping", r)
		}
		time.Sleep(30 * time.Millisecond)
		p.send(wire.Command{})
		synctest.Wait()
		time.Sleep(100 * time.Millisecond)
		b.connect()
		b.hub.Disconnect(hub.Target{User: "u", Client: ids[2]}, surewire.DisconnectForceReconnect)
		synctest.Wait()
		all := make(map[string]hub.ConnInfo)
		for _, i := range b.hub.Conns() {
			all[i.ID] = i
			data, report := surejson.Marshal(i)
			if !report.Clean() || !json.Valid(data) || !strings.Contains(string(data), `"state":"`+i.State.String()+`"`) {
				t.Errorf("as JSON: %s, %v", data, report.Err())
			}
		}
		got := all[ids[0]]
		if got.State != hub.Connected || got.User != "u" || got.Name != "js" || got.Version != "5" || got.Transport != "lines" || got.Channels != 1 || got.Since.IsZero() {
			t.Errorf("got %+v", got)
		}
		if got.RTT != 30*time.Millisecond || got.Idle != 100*time.Millisecond || got.FramesOut != 14 || got.BytesOut == 0 || got.Lag != 0 {
			t.Errorf("got RTT %v, idle %v, %d frames, %d bytes, lag %d", got.RTT, got.Idle, got.FramesOut, got.BytesOut, got.Lag)
		}
		if i := all[ids[1]]; i.Lag != 10 || i.State != hub.Connected {
			t.Errorf("a client that reads nothing is %v and lags by %d", i.State, i.Lag)
		}
		if i := all[ids[2]]; i.State != hub.Draining || i.Channels != 0 {
			t.Errorf("one that is told to go is %v, with %d channels", i.State, i.Channels)
		}
		delete(all, ids[0])
		delete(all, ids[1])
		delete(all, ids[2])
		for _, i := range all {
			if i.State != hub.Connecting || i.User != "" {
				t.Errorf("a new one is %v, %q", i.State, i.User)
			}
		}
		if len(all) != 1 {
			t.Errorf("%d others", len(all))
		}
		close(release)
		stuck.Close(surewire.DisconnectNormal)
	})
}

func TestSendToAClientThatNeverReads(t *testing.T) {
	inBubble(t, hub.Config{PingInterval: time.Hour, WriteTimeout: time.Hour}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.sends(`{"id":1,"connect":{}}`)
		p.want(t)
		p.mu.Lock()
		p.stuck = true
		p.mu.Unlock()
		v := strings.Repeat("x", 900<<10)
		sent := 0
		for ; len(p.served) == 0 && sent < 100; sent++ {
			b.hub.Send(t.Context(), hub.Target{}, v)
			synctest.Wait()
		}
		if sent > 25 {
			t.Errorf("%d MB wait for it", sent)
		}
		b.wantClosed(p, surewire.DisconnectSlow)
	})
}

func TestSendIsBounded(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		if _, err := b.hub.Send(context.Background(), hub.Target{}, strings.Repeat("x", 2<<20)); !errors.Is(err, surewire.ErrTooLarge) {
			t.Errorf("got %v", err)
		}
	})
}
