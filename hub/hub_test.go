package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/surejson"
	"github.com/surewire/surewire/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A bench is a hub over an engine in memory, in a bubble of fake time.
type bench struct {
	*testing.T
	hub    *hub.Hub
	engine surewire.Engine
}

// inBubble runs f with a hub of config c. At the end nothing may be left of it.
func inBubble(t *testing.T, c hub.Config, f func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		mem := memengine.New(memengine.Config{})
		if w, ok := c.Engine.(interface{ wrap(surewire.Engine) }); ok {
			w.wrap(mem)
		} else {
			c.Engine = mem
		}
		if c.Authorizer == nil {
			c.Authorizer = access.AllowAll{}
		}
		b := &bench{t, hub.New(c), mem}
		f(t, b)
		if err := b.hub.Shutdown(t.Context()); err != nil && !errors.Is(err, surewire.ErrClosed) {
			t.Errorf("Shutdown: %v", err)
		}
		mem.Close(context.Background())
	})
}

func (b *bench) connect() *peer { return connect(b.Context(), b.hub, nil, 0) }

func (b *bench) publish(channel, data string) surewire.Position {
	b.Helper()
	done, err := b.engine.Publish(b.Context(), channel, surewire.Publication{Data: []byte(data)})
	if err != nil {
		b.Fatal(err)
	}
	return done.Position
}

// wantClosed waits for the hub to end p, and checks what it said.
func (b *bench) wantClosed(p *peer, d surewire.Disconnect) {
	b.Helper()
	err := <-p.served
	if p.reason() != d {
		b.Errorf("closed with %v, want %v", p.reason(), d)
	}
	if !errors.Is(err, d) {
		b.Errorf("Serve returned %v, want %v", err, d)
	}
}

func TestRepliesComeBeforePushes(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		b.publish("c", "1")
		p := b.connect()
		r := p.hello(t, wire.Subscribe{Channel: "c"})
		if r.ID != 2 || r.Subscribed == nil || r.Subscribed.Position.Offset != 1 || r.Subscribed.WasRecovering {
			t.Fatalf("subscribe got %+v", r.Subscribed)
		}
		b.publish("c", "2")
		if r := p.want(t); r.Channel != "c" || string(r.Publication.Data) != "2" || r.Publication.Position.Offset != 2 {
			t.Errorf("the push was %+v", r)
		}
	})
}

func TestRecovery(t *testing.T) {
	inBubble(t, hub.Config{TailLen: 4, RecoveryLimit: 6}, func(t *testing.T, b *bench) {
		keeper := b.connect() // keeps the channel live, so that there is a tail
		keeper.hello(t, wire.Subscribe{Channel: "c"})
		var head surewire.Position
		for i := range 20 {
			head = b.publish("c", fmt.Sprint(i+1))
		}
		for _, c := range []struct {
			name      string
			since     surewire.Position
			flags     uint64
			recovered bool
			position  uint64 // in the reply
			missed    int    // publications in the reply, from the next on
			pushed    int    // that follow
			err       *wire.Error
		}{
			{"nothing missed", head, 0, true, 20, 0, 0, nil},
			{"from the tail", surewire.Position{Epoch: head.Epoch, Offset: 17}, 0, true, 17, 3, 0, nil},
			{"from history", surewire.Position{Epoch: head.Epoch, Offset: 15}, 0, true, 15, 5, 0, nil},
			{"more than a reply holds", surewire.Position{Epoch: head.Epoch, Offset: 3}, 0, true, 3, 6, 11, nil},
			{"all, of whatever epoch", surewire.Position{}, 0, true, 0, 6, 14, nil},
			{"another epoch", surewire.Position{Epoch: "other", Offset: 19}, 0, false, 20, 0, 0, nil},
			{"past the head", surewire.Position{Epoch: head.Epoch, Offset: 21}, 0, false, 20, 0, 0, nil},
			{"another epoch, refused", surewire.Position{Epoch: "other"}, wire.FlagRejectUnrecovered, false, 0, 0, 0, wire.ErrUnrecoverable},
		} {
			p := b.connect()
			r := p.hello(t, wire.Subscribe{Channel: "c", Recover: true, Since: c.since, Flags: c.flags})
			if c.err != nil {
				if r.Error == nil || *r.Error != *c.err {
					t.Errorf("%s: got %+v", c.name, r)
				}
				continue
			}
			s := r.Subscribed
			if !s.WasRecovering || s.Recovered != c.recovered || s.Position.Offset != c.position || len(s.Publications) != c.missed {
				t.Errorf("%s: got %+v", c.name, s)
			}
			for i, m := range s.Publications {
				if m.Position.Offset != c.position+uint64(i)+1 {
					t.Errorf("%s: publication %d is %d", c.name, i, m.Position.Offset)
				}
			}
			for i := range c.pushed {
				if m := p.want(t).Publication; m == nil || m.Position.Offset != c.position+uint64(c.missed+i)+1 {
					t.Fatalf("%s: push %d is %+v", c.name, i, m)
				}
			}
			synctest.Wait()
			if p.mu.Lock(); len(p.buf) > 0 {
				t.Errorf("%s: %s came as well", c.name, p.buf)
			}
			p.mu.Unlock()
		}
	})
}

func TestRecoveryReplyIsBoundedInBytes(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		for range 4 {
			b.publish("c", `"`+strings.Repeat("x", 300<<10)+`"`)
		}
		p := b.connect()
		s := p.hello(t, wire.Subscribe{Channel: "c", Recover: true}).Subscribed
		if !s.Recovered || len(s.Publications) != 1 || s.Position.Offset != 0 {
			t.Fatalf("recovered %v with %d publications up to %d", s.Recovered, len(s.Publications), s.Position.Offset)
		}
		for i := range 3 {
			if o := p.want(t).Publication.Position.Offset; o != uint64(i)+2 {
				t.Errorf("then came %d", o)
			}
		}
	})
}

func TestCommandsThatAreRefused(t *testing.T) {
	big := `"` + strings.Repeat("x", surewire.DefaultMaxSize) + `"`
	inBubble(t, hub.Config{MaxChannels: 2}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.hello(t, wire.Subscribe{Channel: "c"})
		for _, c := range []struct {
			name, frame string
			code        uint32
		}{
			{"subscribed already", `{"id":3,"subscribe":{"channel":"c"}}`, 105},
			{"no channel", `{"id":3,"subscribe":{}}`, 107},
			{"a bad channel", `{"id":3,"subscribe":{"channel":"a b"}}`, 107},
			{"room for one more", `{"id":3,"subscribe":{"channel":"d"}}`, 0},
			{"and no further", `{"id":3,"subscribe":{"channel":"e"}}`, 106},
			{"a map subscription", `{"id":3,"subscribe":{"channel":"f","type":1}}`, 108},
			{"publish", `{"id":3,"publish":{"channel":"x","data":{}}}`, 0},
			{"no data", `{"id":3,"publish":{"channel":"x"}}`, 107},
			{"too much data", `{"id":3,"publish":{"channel":"x","data":` + big + `}}`, 106},
			{"publish to a bad channel", `{"id":3,"publish":{"channel":"","data":1}}`, 107},
			{"presence of a bad channel", `{"id":3,"presence":{"channel":"a b"}}`, 107},
			{"numbers of a bad channel", `{"id":3,"presence_stats":{"channel":""}}`, 107},
			{"history of a bad channel", `{"id":3,"history":{"channel":""}}`, 107},
			{"history before the beginning", `{"id":3,"history":{"channel":"c","reverse":true,"limit":1,"since":{"offset":0}}}`, 107},
			{"history of another epoch", `{"id":3,"history":{"channel":"c","limit":1,"since":{"offset":1,"epoch":"other"}}}`, 112},
			{"rpc that nobody answers", `{"id":3,"rpc":{"method":"m"}}`, 108},
			{"a ping", `{"id":3,"ping":{}}`, 108},
			{"refresh without a token", `{"id":3,"refresh":{}}`, 107},
			{"sub_refresh of what is not", `{"id":3,"sub_refresh":{"channel":"x","token":"t"}}`, 107},
			{"unsubscribe", `{"id":3,"unsubscribe":{"channel":"d"}}`, 0},
			{"unsubscribe from what is not", `{"id":3,"unsubscribe":{"channel":"d"}}`, 0},
		} {
			p.sendRaw([]byte(c.frame))
			r := p.want(t)
			var code uint32
			if r.Error != nil {
				code = r.Error.Code
			}
			if r.ID != 3 || code != c.code {
				t.Errorf("%s: got %+v, %v; want code %d", c.name, r, r.Error, c.code)
			}
		}
	})
}

func TestFramesThatEndTheConnection(t *testing.T) {
	for name, c := range map[string]struct {
		frame string
		want  surewire.Disconnect
	}{
		"not JSON":               {`hello`, surewire.DisconnectBadRequest},
		"cut JSON":               {`{"id":1,`, surewire.DisconnectBadRequest},
		"not UTF-8":              {"{\"id\":1,\"connect\":{\"name\":\"\xff\"}}", surewire.DisconnectBadRequest},
		"not connected":          {`{"id":1,"subscribe":{"channel":"c"}}`, surewire.DisconnectBadRequest},
		"connected twice":        {`{"id":1,"connect":{}}` + "\n" + `{"id":2,"connect":{}}`, surewire.DisconnectBadRequest},
		"no ID":                  {`{"connect":{}}`, surewire.DisconnectBadRequest},
		"no request":             {`{"id":1,"connect":{}}` + "\n" + `{"id":7}`, surewire.DisconnectBadRequest},
		"a pong without a ping":  {`{"id":1,"connect":{}}` + "\n" + `{}`, surewire.DisconnectBadRequest},
		"nothing for 10 seconds": {``, surewire.DisconnectStale},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
				p := b.connect()
				if c.frame != "" {
					p.sendRaw([]byte(c.frame))
				}
				b.wantClosed(p, c.want)
			})
		})
	}
}

func TestAReplyGoesOutBeforeTheEnd(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.sendRaw([]byte(`{"id":1,"connect":{}}` + "\n" + `garbage`))
		if r := p.want(t); r.Connected == nil {
			t.Errorf("got %+v", r)
		}
		b.wantClosed(p, surewire.DisconnectBadRequest)
	})
}

// gate refuses what its fields say.
type gate struct{ connect, subscribe, publish error }

func (g gate) Connect(context.Context, access.ConnectRequest) (access.Session, error) {
	return access.Session{User: "u"}, g.connect
}

func (g gate) Subscribe(context.Context, access.Client, access.SubscribeRequest) (access.Grant, error) {
	return access.Grant{}, g.subscribe
}

func (g gate) Allow(_ context.Context, c access.Client, r access.ActionRequest) error {
	if c.User != "u" || c.ID == "" || r.Action != access.Publish {
		return fmt.Errorf("client is %+v, action %v", c, r)
	}
	return g.publish
}

func TestAuthorizer(t *testing.T) {
	no := errors.New("a secret reason")
	kick := surewire.Disconnect{Code: 4501, Reason: "banned"}
	const subscribe, publish = `{"id":2,"subscribe":{"channel":"c"}}`, `{"id":2,"publish":{"channel":"c","data":1}}`
	for name, c := range map[string]struct {
		gate   access.Authorizer
		frame  string
		code   uint32
		closed surewire.Disconnect
	}{
		"allowed":                {gate{}, publish, 0, surewire.Disconnect{}},
		"connect refused":        {gate{connect: no}, subscribe, 0, surewire.DisconnectDenied},
		"connect kicked":         {gate{connect: kick}, subscribe, 0, kick},
		"subscribe refused":      {gate{subscribe: no}, subscribe, 103, surewire.Disconnect{}},
		"subscribe kicked":       {gate{subscribe: kick}, subscribe, 0, kick},
		"publish refused":        {gate{publish: no}, publish, 103, surewire.Disconnect{}},
		"publish kicked":         {gate{publish: kick}, publish, 0, kick},
		"publish, may subscribe": {gate{publish: no}, subscribe, 0, surewire.Disconnect{}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, hub.Config{Authorizer: c.gate}, func(t *testing.T, b *bench) {
				p := b.connect()
				p.sendRaw([]byte(`{"id":1,"connect":{}}` + "\n" + c.frame))
				if c.closed.Code != 0 {
					b.wantClosed(p, c.closed)
					return
				}
				p.want(t)
				r := p.want(t)
				if c.code == 0 && r.Error != nil || c.code != 0 && (r.Error == nil || r.Error.Code != c.code) {
					t.Errorf("got %+v %v, want code %d", r, r.Error, c.code)
				}
				if r.Error != nil && strings.Contains(r.Error.Message, "secret") {
					t.Errorf("the client was told %q", r.Error.Message)
				}
			})
		})
	}
}

func TestWithoutAnAuthorizerNobodyGetsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := memengine.New(memengine.Config{})
		defer engine.Close(context.Background())
		h := hub.New(hub.Config{Engine: engine})
		p := connect(t.Context(), h, nil, 0)
		p.send(wire.Command{ID: 1, Connect: &wire.Connect{}})
		if err := <-p.served; !errors.Is(err, surewire.DisconnectDenied) {
			t.Errorf("Serve returned %v", err)
		}
		if err := h.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestPing(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		good, silent := b.connect(), b.connect()
		for _, p := range []*peer{good, silent} {
			p.send(wire.Command{ID: 1, Connect: &wire.Connect{}})
			if c := p.want(t).Connected; c == nil || c.PingInterval != 25 {
				t.Fatalf("connect got %+v", c)
			}
		}
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 4 {
				if r := good.want(t); !r.Ping() {
					t.Errorf("got %+v, want a ping", r)
				}
				good.send(wire.Command{})
			}
		})
		b.wantClosed(silent, surewire.DisconnectNoPong)
		if d := time.Since(start); d < 8*time.Second || d > 36*time.Second {
			t.Errorf("the silent client was closed after %v", d)
		}
		wg.Wait()
		if d := time.Since(start); d > 101*time.Second {
			t.Errorf("4 pings took %v", d)
		}
	})
}

func TestAClientThatNeverReads(t *testing.T) {
	inBubble(t, hub.Config{PingInterval: time.Hour}, func(t *testing.T, b *bench) {
		stuck, other := b.connect(), b.connect()
		stuck.hello(t, wire.Subscribe{Channel: "c"})
		other.hello(t, wire.Subscribe{Channel: "c"})
		stuck.mu.Lock()
		stuck.stuck = true
		stuck.mu.Unlock()
		start := time.Now()
		for i := range 1000 {
			b.publish("c", fmt.Sprint(i))
		}
		for i := range 1000 {
			if m := other.want(t).Publication; string(m.Data) != fmt.Sprint(i) {
				t.Fatalf("the other got %s, want %d", m.Data, i)
			}
		}
		if d := time.Since(start); d > 0 {
			t.Errorf("the other waited %v", d)
		}
		b.wantClosed(stuck, surewire.DisconnectSlow)
		if d := time.Since(start); d != 10*time.Second {
			t.Errorf("the stuck client was closed after %v, want the write time-out", d)
		}
	})
}

func TestAClientThatAsksAndNeverReads(t *testing.T) {
	inBubble(t, hub.Config{PingInterval: time.Hour}, func(t *testing.T, b *bench) {
		for range 20 {
			b.publish("c", `"`+strings.Repeat("x", 100<<10)+`"`)
		}
		p := b.connect()
		p.send(wire.Command{ID: 1, Connect: &wire.Connect{}})
		p.want(t)
		p.mu.Lock()
		p.stuck = true
		p.mu.Unlock()
		asked := make(chan int)
		go func() {
			n := 0
			for ; n < 10_000; n++ { // each pair makes a reply of half a megabyte
				select {
				case p.in <- []byte(`{"id":2,"subscribe":{"channel":"c","recover":true}}` + "\n" + `{"id":3,"unsubscribe":{"channel":"c"}}`):
					continue
				case <-p.done:
				}
				break
			}
			asked <- n
		}()
		b.wantClosed(p, surewire.DisconnectSlow)
		if n := <-asked; n > 100 {
			t.Errorf("it was allowed to ask %d times", n)
		}
	})
}

func TestCatchUpsAreBounded(t *testing.T) {
	inBubble(t, hub.Config{TailLen: 2, CatchUps: 5, PingInterval: time.Hour}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.hello(t, wire.Subscribe{Channel: "c"})
		p.mu.Lock()
		p.rng, p.delay = newRand(1), 200*time.Millisecond
		p.mu.Unlock()
		stop := time.Now().Add(50 * time.Second)
		for i := 0; time.Now().Before(stop); i++ {
			b.publish("c", fmt.Sprint(i))
			time.Sleep(10 * time.Millisecond)
		}
		b.wantClosed(p, surewire.DisconnectSlow)
	})
}

func TestManySubscribers(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		var peers []*peer
		for range 200 {
			p := b.connect()
			p.hello(t, wire.Subscribe{Channel: "c"})
			peers = append(peers, p)
		}
		for i := range 50 {
			b.publish("c", fmt.Sprint(i))
		}
		for n, p := range peers {
			for i := range 50 {
				if m := p.want(t).Publication; string(m.Data) != fmt.Sprint(i) {
					t.Fatalf("subscriber %d got %s, want %d", n, m.Data, i)
				}
			}
		}
	})
}

func TestUnsubscribeAndAgain(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.hello(t, wire.Subscribe{Channel: "c"})
		at := b.publish("c", "1")
		p.want(t)
		p.send(wire.Command{ID: 3, Unsubscribe: &wire.Unsubscribe{Channel: "c"}})
		if r := p.want(t); r.ID != 3 || r.Error != nil {
			t.Fatalf("unsubscribe got %+v", r)
		}
		b.publish("c", "2")
		p.send(wire.Command{ID: 4, Subscribe: &wire.Subscribe{Channel: "c", Recover: true, Since: at}})
		if s := p.want(t).Subscribed; !s.Recovered || len(s.Publications) != 1 {
			t.Errorf("the second subscription got %+v", s)
		}
	})
}

// losing is an engine whose deliveries a test can spoil.
type losing struct {
	surewire.Engine
	mu    sync.Mutex
	sinks []surewire.Sink
	fail  error
}

func (l *losing) Subscribe(ctx context.Context, channel string, s surewire.Sink) (surewire.Position, func(), error) {
	l.mu.Lock()
	l.sinks = append(l.sinks, s)
	fail := l.fail
	l.mu.Unlock()
	if fail != nil {
		return surewire.Position{}, nil, fail
	}
	return l.Engine.Subscribe(ctx, channel, s)
}

func (l *losing) wrap(e surewire.Engine) { l.Engine = e }

func (l *losing) last() surewire.Sink {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sinks[len(l.sinks)-1]
}

func TestLostContinuityIsTold(t *testing.T) {
	for name, spoil := range map[string]func(surewire.Sink, surewire.Position){
		"Lost": func(s surewire.Sink, _ surewire.Position) { s.Lost("c") },
		"a gap": func(s surewire.Sink, at surewire.Position) {
			s.Deliver("c", &surewire.Message{Position: surewire.Position{Epoch: at.Epoch, Offset: at.Offset + 2}})
		},
		"another epoch": func(s surewire.Sink, at surewire.Position) {
			s.Deliver("c", &surewire.Message{Position: surewire.Position{Epoch: "other", Offset: at.Offset + 1}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			engine := &losing{}
			inBubble(t, hub.Config{Engine: engine}, func(t *testing.T, b *bench) {
				p := b.connect()
				p.hello(t, wire.Subscribe{Channel: "c"})
				at := b.publish("c", "1")
				p.want(t)
				spoil(engine.last(), at)
				if r := p.want(t); r.Ended == nil || *r.Ended != wire.InsufficientState {
					t.Fatalf("got %+v", r)
				}
				b.publish("c", "2")
				p.send(wire.Command{ID: 4, Subscribe: &wire.Subscribe{Channel: "c", Recover: true, Since: at}})
				if s := p.want(t).Subscribed; s == nil || !s.Recovered || len(s.Publications) != 1 {
					t.Fatalf("the second subscription got %+v", s)
				}
				b.publish("c", "3")
				if m := p.want(t).Publication; m == nil || string(m.Data) != "3" {
					t.Errorf("then came %+v", m)
				}
			})
		})
	}
}

func TestEngineThatCannotSubscribe(t *testing.T) {
	engine := &losing{fail: surewire.ErrUnavailable}
	inBubble(t, hub.Config{Engine: engine}, func(t *testing.T, b *bench) {
		p := b.connect()
		if r := p.hello(t, wire.Subscribe{Channel: "c"}); r.Error == nil || !r.Error.Temporary {
			t.Fatalf("got %+v", r)
		}
		engine.mu.Lock()
		engine.fail = nil
		engine.mu.Unlock()
		p.send(wire.Command{ID: 3, Subscribe: &wire.Subscribe{Channel: "c"}})
		if r := p.want(t); r.Subscribed == nil {
			t.Errorf("then got %+v", r)
		}
	})
}

func TestShutdown(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		p := b.connect()
		p.hello(t, wire.Subscribe{Channel: "c"})
		if err := b.hub.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		b.wantClosed(p, surewire.DisconnectShutdown)
		late := b.connect()
		if err := <-late.served; !errors.Is(err, surewire.DisconnectShutdown) {
			t.Errorf("a late client was served: %v", err)
		}
		if err := b.hub.Shutdown(t.Context()); !errors.Is(err, surewire.ErrClosed) {
			t.Errorf("a second Shutdown returned %v", err)
		}
	})
}

func TestStateTravelsByName(t *testing.T) {
	states := map[hub.State]hub.State{hub.Connecting: hub.Connected, hub.Draining: hub.Closed}
	const want = `{"connecting":"connected","draining":"closed"}`
	if got, report := surejson.Marshal(states); string(got) != want || !report.Clean() {
		t.Errorf("surejson: %s, %v", got, report.Err())
	}
	if got, err := json.Marshal(states); string(got) != want {
		t.Errorf("encoding/json: %s, %v", got, err)
	}
}

// calls are the functions of Surewire on the stack of the caller's caller, the
// innermost first.
func calls() (out []string) {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if _, name, ok := strings.Cut(f.Function, "github.com/surewire/surewire"); ok && !strings.Contains(name, "_test.") {
			out = append(out, strings.TrimLeft(name, "/."))
		}
		if !more {
			return out
		}
	}
}

// probe takes the stack of each write.
type probe struct {
	*peer
	stacks chan []string
}

func (p probe) TryWrite(b []byte) (int, error) {
	p.stacks <- calls()
	return p.peer.TryWrite(b)
}

// deliveries takes the stack of each delivery.
type deliveries chan []string

func (d deliveries) Deliver(string, *surewire.Message) { d <- calls() }
func (d deliveries) Lost(string)                       {}

// From Publisher.Publish to the transport's write there are two walks: the
// publisher's, through the engine to the channel, and the channel's, to the
// connections. These are all the functions on the way: the stations of
// ARCHITECTURE.md.
func TestTheWayOfAMessage(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		p := probe{&peer{in: make(chan []byte, 4), done: make(chan struct{}), wake: make(chan struct{}, 1)}, make(chan []string, 8)}
		go b.hub.Serve(t.Context(), p, lines, access.Peer{})
		p.hello(t, wire.Subscribe{Channel: "c"})
		synctest.Wait()
		for len(p.stacks) > 0 {
			<-p.stacks // of the replies, which leave in one write or two
		}
		d := make(deliveries, 1)
		_, cancel, err := b.engine.Subscribe(t.Context(), "c", d)
		if err != nil {
			t.Fatal(err)
		}
		defer cancel()
		publisher := &surewire.Publisher{Engine: b.engine}
		if _, err := publisher.Publish(t.Context(), "c", hub.Connected); err != nil {
			t.Fatal(err)
		}
		if m := p.want(t).Publication; string(m.Data) != `"connected"` {
			t.Errorf("got %s", m.Data)
		}
		want := []string{"memengine.(*log).deliverSome", "memengine.(*log).deliver", "memengine.(*Engine).Publish", "(*Publisher).Publish"}
		if got := <-d; !slices.Equal(got, want) {
			t.Errorf("the channel was reached through %q, want %q", got, want)
		}
		want = []string{"hub/internal/link.(*Link).write", "hub/internal/link.(*Cursor).Wake", "hub/internal/live.wake", "hub/internal/live.(*Channel).fanOut"}
		if got := <-p.stacks; !slices.Equal(got[:len(want)], want) || len(got) > len(want)+1 {
			t.Errorf("the write was reached through %q, want %q", got, want)
		}
	})
}
