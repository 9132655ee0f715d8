package hub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/limit"
	"github.com/surewire/surewire/wire"
)

// presences are n commands, with IDs from id on.
func presences(id, n int) (commands []string) {
	for i := range n {
		commands = append(commands, fmt.Sprintf(`{"id":%d,"presence":{"channel":"c"}}`, id+i))
	}
	return commands
}

// Commands that come too fast are answered so; who goes on is sent away, and
// others notice nothing.
func TestCommandRate(t *testing.T) {
	inBubble(t, hub.Config{PingInterval: time.Hour, Authorizer: named(nil, nil), Commands: limit.Rate{PerSecond: 10, Burst: 5}}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.sends(`{"id":1,"connect":{"token":"ada"}}`)
		p.sends(presences(2, 6)...)
		p.wantHeard(t, "#1 connected", "#2 present", "#3 present", "#4 present", "#5 present", "#6 error 111", "#7 error 111")
		time.Sleep(time.Second)
		p.sends(`{"id":20,"presence":{"channel":"c"}}`)
		if got := p.heard(); len(got) != 1 || strings.Contains(got[0], "111") {
			t.Errorf("after a pause: %q", got)
		}
		p.sends(presences(100, 300)...)
		b.wantClosed(p, surewire.DisconnectTooManyRequests)
		if n := b.hub.Counts().RefusedCommands; n < 256 {
			t.Errorf("%d refused commands are counted", n)
		}
	})
}

// A user's rate is of all the user's connections.
func TestUserCommandRate(t *testing.T) {
	inBubble(t, hub.Config{Authorizer: named(nil, nil), UserCommands: limit.Rate{PerSecond: 1, Burst: 4}}, func(t *testing.T, b *bench) {
		refused := func(p *peer, user string) (n int) {
			p.sends(fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, user))
			p.sends(presences(2, 3)...)
			for _, s := range p.heard() {
				if strings.Contains(s, "111") {
					n++
				}
			}
			return n
		}
		for _, c := range []struct {
			user string
			want int
		}{{"ada", 0}, {"ada", 2}, {"bob", 0}, {"", 0}, {"", 0}} {
			if n := refused(b.connect(), c.user); n != c.want {
				t.Errorf("%q: %d commands were refused, want %d", c.user, n, c.want)
			}
		}
	})
}

func TestConnectionsOfAUser(t *testing.T) {
	inBubble(t, hub.Config{Authorizer: named(nil, nil), UserConns: 2}, func(t *testing.T, b *bench) {
		enter := func(user string) *peer {
			p := b.connect()
			p.sends(fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, user))
			p.heard()
			return p
		}
		first, _ := enter("ada"), enter("ada")
		b.wantClosed(enter("ada"), surewire.DisconnectConnectionLimit)
		for range 3 {
			enter("") // who has no name is not one user
		}
		enter("bob")
		first.Close(surewire.DisconnectNormal)
		<-first.served
		if p := enter("ada"); p.reason() != (surewire.Disconnect{}) {
			t.Errorf("a place that was given back is not free: %v", p.reason())
		}
		if n := b.hub.Counts(); n.RefusedUsers != 1 || n.Connections != 6 {
			t.Errorf("counts are %+v", n)
		}
	})
}

// Who reads a channel that names its users is one of them, however the
// subscription began.
func TestChannelsOfUsers(t *testing.T) {
	subs := map[string]access.Grant{"box#ada": {}}
	inBubble(t, hub.Config{Authorizer: named(func(s *access.Session) {
		if s.User == "sub" {
			s.Subs = subs
		}
	}, nil)}, func(t *testing.T, b *bench) {
		ada, bob, sub := b.connect(), b.connect(), b.connect()
		ada.sends(`{"id":1,"connect":{"token":"ada"}}`, `{"id":2,"subscribe":{"channel":"box#ada"}}`)
		bob.sends(`{"id":1,"connect":{"token":"bob"}}`, `{"id":2,"subscribe":{"channel":"box#ada"}}`)
		sub.sends(`{"id":1,"connect":{"token":"sub"}}`)
		ada.heard()
		if got := bob.heard(); !strings.Contains(strings.Join(got, " "), "103") {
			t.Errorf("bob asks for ada's channel and hears %q", got)
		}
		if n, err := b.hub.Subscribe(b.Context(), hub.Target{User: "bob"}, "box#ada", access.Grant{}, nil); n != 0 || !errors.Is(err, wire.ErrPermissionDenied) {
			t.Errorf("the server has bob read ada's channel: %d, %v", n, err)
		}
		b.publish("box#ada", `"secret"`)
		if got := ada.heard(); len(got) != 1 {
			t.Errorf("ada hears %q", got)
		}
		for name, p := range map[string]*peer{"bob": bob, "sub": sub} {
			if got := strings.Join(p.heard(), " "); strings.Contains(got, "secret") {
				t.Errorf("%s hears %q", name, got)
			}
		}
	})
}

// A channel has at most as many readers as its grants say, whoever they are, and
// room again when one leaves.
func TestMaxReaders(t *testing.T) {
	inBubble(t, hub.Config{Authorizer: named(nil, func(g *access.Grant) { g.MaxReaders = 2 })}, func(t *testing.T, b *bench) {
		all := []*peer{b.connect(), b.connect(), b.connect()}
		for i, p := range all {
			p.sends(`{"id":1,"connect":{"token":"t"}}`, `{"id":2,"subscribe":{"channel":"c"}}`, `{"id":3,"subscribe":{"channel":"other"}}`)
			if full := strings.Contains(strings.Join(p.heard(), " "), "#2 error 106"); full != (i == 2) {
				t.Errorf("reader %d of 2 is refused: %v", i+1, full)
			}
		}
		all[0].sends(`{"id":4,"unsubscribe":{"channel":"c"}}`)
		all[0].heard()
		all[2].sends(`{"id":4,"subscribe":{"channel":"c"}}`)
		if got := strings.Join(all[2].heard(), " "); strings.Contains(got, "error") {
			t.Errorf("where one has left: %s", got)
		}
	})
}

// Review ends those it is told to; who is connecting at the time of a revocation
// is caught by Revoked.
func TestReviewAndRevoked(t *testing.T) {
	var revoked atomic.Bool
	begin := time.Now()
	config := hub.Config{
		Authorizer: named(func(s *access.Session) { s.TokenID, s.TokenTime = "t-"+s.User, begin }, nil),
		Revoked:    func(c access.Client) bool { return revoked.Load() && c.TokenID == "t-ada" && c.TokenTime.Equal(begin) },
	}
	inBubble(t, config, func(t *testing.T, b *bench) {
		ada, bob := b.connect(), b.connect()
		ada.sends(`{"id":1,"connect":{"token":"ada"}}`)
		bob.sends(`{"id":1,"connect":{"token":"bob"}}`)
		ada.heard()
		bob.heard()
		revoked.Store(true)
		if n := b.hub.Review(config.Revoked, surewire.DisconnectInvalidToken); n != 1 {
			t.Errorf("%d connections were ended", n)
		}
		b.wantClosed(ada, surewire.DisconnectInvalidToken)
		again := b.connect()
		again.sends(`{"id":1,"connect":{"token":"ada"}}`)
		b.wantClosed(again, surewire.DisconnectInvalidToken)
		if bob.reason() != (surewire.Disconnect{}) {
			t.Errorf("bob was ended too: %v", bob.reason())
		}
	})
}

// lives answers pings for so many seconds, and returns what else the client hears.
func (p *peer) lives(seconds int) (heard []string) {
	for range seconds {
		time.Sleep(time.Second)
		for _, what := range p.heard() {
			if what == "ping" {
				p.sends(`{}`)
			} else {
				heard = append(heard, what)
			}
		}
	}
	return heard
}

// A backend is an authorizer that is asked again when what it said expires.
type backend struct {
	access.Funcs
	asked atomic.Int32
}

// A session that renews is extended by the hub, without a word to the client; a
// backend that fails is asked again, and one that says no is heeded.
func TestRenewedSessions(t *testing.T) {
	for name, c := range map[string]struct {
		say         error
		least, most int32 // times that it is asked within two minutes, of a session of 30 s
		end         surewire.Disconnect
	}{
		"it says yes":        {nil, 4, 4, surewire.Disconnect{}},
		"it says no":         {wire.ErrPermissionDenied, 1, 1, surewire.DisconnectExpired},
		"it says how":        {surewire.DisconnectForceNoReconnect, 1, 1, surewire.DisconnectForceNoReconnect},
		"it fails":           {wire.ErrInternal, 5, 9, surewire.DisconnectExpired},
		"it fails otherwise": {context.DeadlineExceeded, 5, 9, surewire.DisconnectExpired},
	} {
		t.Run(name, func(t *testing.T) {
			var a backend
			a.OnConnect = func(_ context.Context, r access.ConnectRequest) (access.Session, error) {
				s := access.Session{User: "ada", Expires: time.Now().Add(30 * time.Second), Renews: true}
				if !r.Refresh {
					return s, nil
				}
				a.asked.Add(1)
				if r.Token != "" || r.Client.User != "ada" {
					t.Errorf("the hub asks for %+v", r)
				}
				return s, c.say
			}
			inBubble(t, hub.Config{Authorizer: &a}, func(t *testing.T, b *bench) {
				p := b.connect()
				p.sends(`{"id":1,"connect":{}}`)
				if got := p.heard(); len(got) != 1 || strings.Contains(got[0], "ttl") {
					t.Errorf("the client hears %q", got)
				}
				p.lives(130)
				if n := a.asked.Load(); n < c.least || n > c.most {
					t.Errorf("the backend was asked %d times, want %d to %d", n, c.least, c.most)
				}
				if p.reason() != c.end {
					t.Errorf("the connection ended with %v, want %v", p.reason(), c.end)
				}
			})
		})
	}
}

// A subscription that renews goes on while the backend says so, and keeps what
// others may see of it.
func TestRenewedSubscriptions(t *testing.T) {
	var says atomic.Value
	says.Store("yes")
	a := named(nil, nil)
	a.OnSubscribe = func(_ context.Context, _ access.Client, r access.SubscribeRequest) (access.Grant, error) {
		g := access.Grant{Presence: true, Expires: time.Now().Add(10 * time.Second), Renews: true}
		if !r.Refresh {
			g.Info = "first"
			return g, nil
		}
		if says.Load() == "no" {
			return g, wire.ErrExpired
		}
		return g, nil
	}
	inBubble(t, hub.Config{Authorizer: a}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.sends(`{"id":1,"connect":{"token":"ada"}}`, `{"id":2,"subscribe":{"channel":"c"}}`)
		p.heard()
		if got := p.lives(22); len(got) > 0 {
			t.Errorf("of renewals the client hears %q", got)
		}
		for _, who := range b.hub.Presence(t.Context(), "c") {
			if string(who.Chan) != `"first"` {
				t.Errorf("after renewals others see %s", who.Chan)
			}
		}
		says.Store("no")
		got := strings.Join(p.lives(15), " ")
		if !strings.Contains(got, "2501") || len(b.hub.Presence(t.Context(), "c")) != 0 {
			t.Errorf("after a refusal the client hears %q, and presence has %v", got, b.hub.Presence(t.Context(), "c"))
		}
	})
}
