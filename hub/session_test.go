package hub_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/wire"
)

// A logbook is a logger's output that a test can read.
type logbook struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logbook) has(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.buf.String(), s)
}

func (l *logbook) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// named lets everybody in whose token is a name, and do anything.
func named(change func(*access.Session), grant func(*access.Grant)) access.Funcs {
	return access.Funcs{
		OnConnect: func(_ context.Context, r access.ConnectRequest) (access.Session, error) {
			s := access.Session{User: r.Token}
			if change != nil {
				change(&s)
			}
			return s, nil
		},
		OnSubscribe: func(_ context.Context, c access.Client, _ access.SubscribeRequest) (access.Grant, error) {
			g := access.Grant{Presence: true}
			if grant != nil {
				grant(&g)
			}
			return g, nil
		},
		OnAllow: func(context.Context, access.Client, access.ActionRequest) error { return nil },
	}
}

// oddError panics when it is looked at.
type oddError struct{ error }

func (*oddError) Error() string { panic("no text") }

// oddChain panics when its cause is asked for.
type oddChain struct{ error }

func (oddChain) Unwrap() error { panic("no cause") }

// What an application says to connect, to a subscription, to an action and to an
// RPC becomes the same for the client, however odd.
func TestWhatTheApplicationSays(t *testing.T) {
	kick := surewire.Disconnect{Code: 4501, Reason: "banned"}
	for name, c := range map[string]struct {
		says   func() error
		code   uint32              // of the error that the client hears
		closed surewire.Disconnect // or how it is closed
		logged string
	}{
		"nothing":                {says: func() error { return nil }},
		"an error":               {says: func() error { return errors.New("a secret") }, code: 103, logged: "a secret"},
		"an error of the wire":   {says: func() error { return wire.ErrTooManyRequests }, code: 111},
		"one that is wrapped":    {says: func() error { return errors.Join(errors.New("x"), wire.ErrUnknownChannel) }, code: 102},
		"a disconnect":           {says: func() error { return kick }, closed: kick},
		"a disconnect of code 0": {says: func() error { return surewire.Disconnect{} }, code: 103},
		"a nil that is an error": {says: func() error { var e *wire.Error; return e }, code: 103},
		"an error that panics":   {says: func() error { return &oddError{} }, code: 103, logged: "no text"},
		"a chain that panics":    {says: func() error { return oddChain{} }, code: 100, logged: "no cause"},
		"a late error":           {says: func() error { return context.DeadlineExceeded }, code: 100, logged: "deadline"},
		"a panic":                {says: func() error { panic("at the disco") }, code: 100, logged: "at the disco"},
		"a panic of nil":         {says: func() error { panic(nil) }, code: 100, logged: "nil"},
	} {
		for at, command := range map[string]string{
			"connect":   `{"id":1,"connect":{}}`,
			"subscribe": `{"id":2,"subscribe":{"channel":"c"}}`,
			"publish":   `{"id":2,"publish":{"channel":"c","data":1}}`,
			"handler":   `{"id":2,"publish":{"channel":"c","data":1}}`,
			"presence":  `{"id":2,"presence":{"channel":"c"}}`,
			"stats":     `{"id":2,"presence_stats":{"channel":"c"}}`,
			"history":   `{"id":2,"history":{"channel":"c"}}`,
			"rpc":       `{"id":2,"rpc":{"method":"m"}}`,
			"refresh":   `{"id":2,"refresh":{"token":"t"}}`,
		} {
			t.Run(name+"/"+at, func(t *testing.T) {
				var log logbook
				say := func(where string) error {
					if where == at || at == "stats" && where == "presence" {
						return c.says()
					}
					return nil
				}
				inBubble(t, hub.Config{
					Logger: log.logger(),
					Authorizer: access.Funcs{
						OnConnect: func(_ context.Context, r access.ConnectRequest) (access.Session, error) {
							if r.Refresh {
								return access.Session{}, say("refresh")
							}
							return access.Session{}, say("connect")
						},
						OnSubscribe: func(context.Context, access.Client, access.SubscribeRequest) (access.Grant, error) {
							return access.Grant{}, say("subscribe")
						},
						OnAllow: func(_ context.Context, _ access.Client, r access.ActionRequest) error { return say(r.Action.String()) },
					},
					Handlers: hub.Handlers{
						RPC:     func(context.Context, access.Client, string, []byte) (any, error) { return nil, say("rpc") },
						Publish: func(context.Context, access.Client, string, *surewire.Publication) error { return say("handler") },
					},
				}, func(t *testing.T, b *bench) {
					p := b.connect()
					if at != "connect" {
						p.sends(`{"id":1,"connect":{}}`)
						p.want(t)
					}
					p.sends(command)
					if d := c.closed; d.Code != 0 || at == "connect" && c.code == 103 {
						if d.Code == 0 {
							d = surewire.DisconnectDenied
						}
						b.wantClosed(p, d)
					} else if r := p.want(t); r.Error == nil && c.code != 0 || r.Error != nil && r.Error.Code != c.code {
						t.Errorf("got %s, %v; want code %d", said(r), r.Error, c.code)
					} else if r.Error != nil && (strings.Contains(r.Error.Message, "secret") || r.Error.Temporary != (c.code == 100 || c.code == 111)) {
						t.Errorf("got %+v", r.Error)
					}
					if !log.has(c.logged) {
						t.Errorf("the log has no %q:\n%s", c.logged, &log.buf)
					}
				})
			})
		}
	}
}

func TestAClientMayConnectAgainAfterAnError(t *testing.T) {
	tries := 0
	inBubble(t, hub.Config{Authorizer: access.Funcs{OnConnect: func(context.Context, access.ConnectRequest) (access.Session, error) {
		switch tries++; tries {
		case 1:
			return access.Session{User: "u", Expires: time.Now()}, nil
		case 2:
			return access.Session{User: "u", Subs: map[string]access.Grant{"c": {Expires: time.Now()}}}, nil
		}
		return access.Session{User: "u", Expires: time.Now().Add(time.Minute)}, nil
	}}}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.sends(`{"id":1,"connect":{}}`)
		p.wantHeard(t, "#1 error 109")
		p.sends(`{"id":2,"connect":{}}`)
		p.wantHeard(t, "#2 error 109")
		if i := b.hub.Conns()[0]; i.State != hub.Connecting {
			t.Errorf("it is %v", i.State)
		}
		p.sends(`{"id":3,"connect":{}}`)
		if r := p.want(t); r.Connected == nil || r.Connected.TTL != time.Minute {
			t.Errorf("got %+v", r)
		}
		if i := b.hub.Conns()[0]; i.State != hub.Connected || i.User != "u" {
			t.Errorf("then it is %v, as %q", i.State, i.User)
		}
	})
}

// hostile is what no JSON library takes.
func hostile() any {
	type node struct {
		State hub.State
		Load  float64
		Next  any
	}
	n := &node{State: hub.Draining, Load: math.NaN()}
	n.Next = n
	return n
}

const hostileJSON = `{"State":"draining","Load":null,"Next":null}`

func TestAnyValueForAndAboutAClient(t *testing.T) {
	var log logbook
	inBubble(t, hub.Config{
		Logger:     log.logger(),
		Authorizer: named(func(s *access.Session) { s.Info, s.Data = hostile(), hostile() }, func(g *access.Grant) { g.Info, g.Data = hostile(), hostile() }),
		Handlers:   hub.Handlers{RPC: func(context.Context, access.Client, string, []byte) (any, error) { return hostile(), nil }},
	}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.sends(`{"id":1,"connect":{"token":"u\n\u0000\"<"}}`, `{"id":2,"subscribe":{"channel":"c"}}`, `{"id":3,"presence":{"channel":"c"}}`,
			`{"id":4,"publish":{"channel":"c","data":{"a": [1,`+"\t"+` 2]}}}`)
		p.sends(`{"id":5,"rpc":{"method":"m"}}`)
		p.wantHeard(t, "#1 connected"+hostileJSON, "#2 subscribed@0"+hostileJSON, "#3 present u\n\x00\"<"+hostileJSON+hostileJSON,
			"#4 ok", `c:1 {"a":[1,2]}`, "#5 "+hostileJSON)
		if _, err := b.hub.Send(t.Context(), hub.Target{User: "u\n\x00\"<"}, hostile()); err != nil {
			t.Error(err)
		}
		p.wantHeard(t, "message "+hostileJSON)
		if !log.has("value repaired") || !log.has("for=rpc") {
			t.Errorf("the log has no repairs:\n%s", &log.buf)
		}
	})
}

func TestAUserThatIsNotUTF8(t *testing.T) {
	inBubble(t, hub.Config{Authorizer: named(func(s *access.Session) { s.User = "a\xff\n" }, nil)}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.sends(`{"id":1,"connect":{}}`, `{"id":2,"subscribe":{"channel":"c"}}`, `{"id":3,"presence":{"channel":"c"}}`)
		p.wantHeard(t, "#1 connected", "#2 subscribed@0", "#3 present a\ufffd\n")
	})
}

func TestRefresh(t *testing.T) {
	inBubble(t, hub.Config{Authorizer: access.Funcs{OnConnect: func(_ context.Context, r access.ConnectRequest) (access.Session, error) {
		s := access.Session{User: "u", Info: r.Token, Expires: time.Now().Add(time.Minute)}
		switch {
		case r.Refresh && (r.Client.User != "u" || r.Client.ID == ""):
			t.Errorf("the refresh is of %+v", r.Client)
		case r.Token == "other":
			s.User = "o"
		case r.Token == "old":
			s.Expires = time.Now()
		case r.Token == "for ever":
			s.Expires = time.Time{}
		}
		return s, nil
	}}, PingInterval: time.Hour}, func(t *testing.T, b *bench) {
		other, late, kept, always := b.connect(), b.connect(), b.connect(), b.connect()
		for _, p := range []*peer{other, late, kept, always} {
			p.sends(`{"id":1,"connect":{"token":"first"}}`)
			p.want(t)
		}
		always.sends(`{"id":2,"refresh":{"token":"for ever"}}`)
		always.wantHeard(t, "#2 refreshed 0s")
		other.sends(`{"id":2,"refresh":{"token":"other"}}`)
		b.wantClosed(other, surewire.DisconnectInvalidToken)
		late.sends(`{"id":2,"refresh":{"token":"old"}}`)
		late.wantHeard(t, "#2 error 110")
		start := time.Now()
		time.Sleep(70 * time.Second) // within the grace
		kept.sends(`{"id":2,"refresh":{"token":"second"}}`)
		kept.wantHeard(t, "#2 refreshed 1m0s")
		b.wantClosed(late, surewire.DisconnectExpired)
		if d := time.Since(start); d < 85*time.Second || d > 87*time.Second {
			t.Errorf("a client whose token had expired was closed after %v", d)
		}
		b.wantClosed(kept, surewire.DisconnectExpired)
		if d := time.Since(start); d < 155*time.Second || d > 157*time.Second {
			t.Errorf("a client with a new token was closed after %v", d)
		}
		time.Sleep(24 * time.Hour)
		always.wantHeard(t, "ping")
	})
}

func TestSubRefresh(t *testing.T) {
	grants := func(_ context.Context, _ access.Client, r access.SubscribeRequest) (access.Grant, error) {
		if r.Token == "old" {
			return access.Grant{Expires: time.Now()}, nil
		}
		return access.Grant{Presence: true, Info: r.Token, Expires: time.Now().Add(time.Minute)}, nil
	}
	config := hub.Config{PingInterval: time.Hour, Authorizer: access.Funcs{
		OnConnect: func(context.Context, access.ConnectRequest) (access.Session, error) {
			return access.Session{User: "u"}, nil
		},
		OnSubscribe: grants,
	}}
	inBubble(t, config, func(t *testing.T, b *bench) {
		p := b.connect()
		p.sends(`{"id":1,"connect":{}}`, `{"id":2,"subscribe":{"channel":"late"}}`, `{"id":3,"subscribe":{"channel":"kept"}}`,
			`{"id":4,"subscribe":{"channel":"no","token":"old"}}`, `{"id":5,"sub_refresh":{"channel":"kept"}}`)
		if got := p.heard(); len(got) != 5 || got[1] != `#2 subscribed@0` || got[3] != "#4 error 109" || got[4] != "#5 error 107" {
			t.Fatalf("heard %q", got)
		}
		time.Sleep(70 * time.Second)
		p.sends(`{"id":6,"sub_refresh":{"channel":"kept","token":"new"}}`, `{"id":7,"sub_refresh":{"channel":"late","token":"old"}}`)
		p.wantHeard(t, "#6 refreshed 1m0s", "#7 error 110")
		if who := b.hub.Presence(t.Context(), "kept"); len(who) != 1 {
			t.Errorf("present are %v", who)
		} else {
			for _, one := range who {
				if string(one.Chan) != `"new"` {
					t.Errorf("it is seen as %s", one.Chan)
				}
			}
		}
		time.Sleep(20 * time.Second)
		p.wantHeard(t, "late ended 2501")
		time.Sleep(70 * time.Second)
		p.wantHeard(t, "kept ended 2501")
		if n := len(b.hub.Channels()); n > 0 {
			t.Errorf("%d channels are left", n)
		}
	})
}

// The server's own subscriptions end with the connection: the client has no
// other way to bring a new token.
func TestExpiryOfAServersSubscription(t *testing.T) {
	inBubble(t, hub.Config{PingInterval: time.Hour, Authorizer: named(func(s *access.Session) {
		s.Subs = map[string]access.Grant{"c": {Expires: time.Now().Add(time.Minute)}}
	}, nil)}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.sends(`{"id":1,"connect":{}}`)
		p.wantHeard(t, "#1 connected c@0")
		b.wantClosed(p, surewire.DisconnectSubExpired)
	})
}

// What a client says of its software is kept in a bounded piece of memory, as text.
func TestAClientsOwnWordsAreBounded(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.sends(`{"id":1,"connect":{"name":"` + strings.Repeat("ä", 1000) + `","version":"x` + strings.Repeat("ä", 1000) + `"}}`)
		p.want(t)
		i := b.hub.Conns()[0]
		if i.Name != strings.Repeat("ä", 32) || i.Version != "x"+strings.Repeat("ä", 31) {
			t.Errorf("kept %q and %q", i.Name, i.Version)
		}
	})
}
