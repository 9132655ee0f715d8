package hub_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
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

// chaos is an engine that loses what it delivers, says so or not, delivers twice,
// and fails to read; until it is calm.
type chaos struct {
	surewire.Engine
	mu   sync.Mutex
	rng  *rand.Rand
	calm bool
}

// says reports whether the fault that comes once in n times comes now.
func (c *chaos) says(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.calm && c.rng.IntN(n) == 0
}

func (c *chaos) Subscribe(ctx context.Context, channel string, s surewire.Sink) (surewire.Position, func(), error) {
	if c.says(20) {
		return surewire.Position{}, nil, surewire.ErrUnavailable
	}
	return c.Engine.Subscribe(ctx, channel, &chaosSink{Sink: s, chaos: c})
}

func (c *chaos) History(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	if c.says(20) {
		return surewire.History{}, errors.New("the disk is on fire")
	}
	h, err := c.Engine.History(ctx, channel, after, limit)
	if c.says(10) {
		h.Complete = false
	}
	return h, err
}

type chaosSink struct {
	surewire.Sink
	chaos *chaos
	gap   bool // nothing but the next durable one shows it
}

func (s *chaosSink) Deliver(channel string, m *surewire.Message) {
	s.gap = s.gap && m.Ephemeral || !m.Ephemeral && s.chaos.says(60)
	switch {
	case s.gap:
		return
	case s.chaos.says(60):
		s.Lost(channel)
	case !m.Ephemeral && s.chaos.says(20):
		s.Sink.Deliver(channel, m)
	}
	s.Sink.Deliver(channel, m)
}

// A schedule is one random run.
type schedule struct {
	seed        uint64
	tail        int
	history     int   // messages the engine keeps of a channel
	budget      int   // of all tails, in bytes; 0 for no lack of it
	recovery    int   // publications in a reply
	faults      bool  // the engine is chaotic
	bursts      int   // most publications without a pause
	totals      []int // durable publications, by channel
	subscribers int
}

func newSchedule(seed uint64) schedule {
	r := rand.New(rand.NewPCG(seed, 11))
	s := schedule{
		seed: seed, tail: 4 << r.IntN(7), history: 10_000, recovery: 1 + r.IntN(40), faults: r.IntN(3) == 0,
		bursts: 1 + r.IntN(20), subscribers: 2 + r.IntN(5),
	}
	s.tail += r.IntN(s.tail/2 + 1)
	if s.tail = min(s.tail, 256); r.IntN(2) == 0 {
		s.history = 5 + r.IntN(30)
	}
	if r.IntN(4) == 0 {
		s.budget = 1 + r.IntN(4000)
	}
	for range 1 + r.IntN(4) {
		s.totals = append(s.totals, 20+r.IntN(60))
	}
	return s
}

// whole reports whether nobody has a reason to be told of insufficient state.
func (s schedule) whole() bool { return s.history == 10_000 && !s.faults }

func channel(i int) string { return string(rune('a' + i)) }

// TestEveryMessageOnce runs random subscribers (late, slow, leaving, resuming,
// of several channels, some by the server's will) over random tails, histories
// and engines.
func TestEveryMessageOnce(t *testing.T) {
	var mu sync.Mutex
	kinds := make(map[string]int)
	const groups = 8
	t.Run("schedules", func(t *testing.T) {
		for group := range groups {
			t.Run(fmt.Sprint(group), func(t *testing.T) {
				t.Parallel()
				for n := range schedules / groups {
					s := newSchedule(uint64(n*groups + group))
					synctest.Test(t, func(t *testing.T) {
						told, flashes := s.run(t)
						mu.Lock()
						defer mu.Unlock()
						kinds["told of insufficient state"] += told
						kinds["ephemeral ones awaited"] += flashes
					})
					if t.Failed() {
						t.Fatalf("the schedule is %+v", s)
					}
				}
			})
		}
	})
	for _, kind := range []string{"told of insufficient state", "ephemeral ones awaited"} {
		if kinds[kind] < schedules/4 {
			t.Errorf("only %d were %s: the test does not reach it", kinds[kind], kind)
		}
	}
}

// run returns how often subscribers were told of insufficient state, and how
// many ephemeral publications were awaited of somebody.
func (s schedule) run(t *testing.T) (told, flashes int) {
	mem := memengine.New(memengine.Config{HistorySize: s.history})
	engine := &chaos{Engine: mem, rng: rand.New(rand.NewPCG(s.seed, 5)), calm: !s.faults}
	h := hub.New(hub.Config{
		Engine: engine, Logger: slog.New(slog.DiscardHandler), TailLen: s.tail, TailsMax: s.budget, RecoveryLimit: s.recovery, CatchUps: 1 << 30,
		Authorizer: access.Funcs{
			OnConnect: func(_ context.Context, r access.ConnectRequest) (access.Session, error) {
				subs := make(map[string]access.Grant)
				for _, name := range r.Token {
					subs[string(name)] = access.Grant{}
				}
				return access.Session{Subs: subs}, nil
			},
			OnSubscribe: access.AllowAll{}.Subscribe,
		},
	})
	published := make(chan struct{})
	all := make([]*subscriber, s.subscribers)
	var wg sync.WaitGroup
	for i := range all {
		all[i] = s.subscriber(h, i, published)
		wg.Go(func() { all[i].run(t) })
	}
	flashes = s.publish(t, engine, all)
	close(published)
	wg.Wait()
	for i, one := range all {
		for name, l := range one.ledgers {
			l.finish(one.heads[name])
			if told += l.told; l.told > 0 && s.whole() {
				l.fault("it was told %d times of insufficient state, though nothing was lost", l.told)
			}
			if len(l.faults) > 0 {
				t.Errorf("subscriber %d, %s: %s", i, name, strings.Join(l.faults, "; "))
			}
		}
	}
	if err := h.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if n := h.Channels(); len(n) > 0 || len(h.Conns()) > 0 {
		t.Errorf("left are %v", n)
	}
	mem.Close(context.Background())
	return told, flashes
}

// publish publishes all there is, and has the ledgers expect what they must get.
func (s schedule) publish(t *testing.T, engine *chaos, all []*subscriber) (flashes int) {
	r := rand.New(rand.NewPCG(s.seed, 7))
	heads, flash := make([]uint64, len(s.totals)), 0
	put := func(i int, f fact) {
		if _, err := engine.Publish(t.Context(), channel(i), f.publication()); err != nil {
			t.Error(err)
		}
	}
	for left := len(s.totals); left > 0; {
		i := r.IntN(len(s.totals))
		for range 1 + r.IntN(s.bursts) {
			if r.IntN(8) == 0 {
				flash++
				put(i, fact{heads[i], flash})
			}
			if heads[i] == uint64(s.totals[i]) {
				continue
			}
			heads[i]++
			if heads[i] == uint64(s.totals[i]) {
				left--
				engine.mu.Lock()
				engine.calm = engine.calm || left == 0
				engine.mu.Unlock()
			}
			put(i, fact{heads[i], 0})
		}
		if r.IntN(3) == 0 {
			time.Sleep(time.Duration(r.IntN(8)) * time.Millisecond)
		}
		if s.budget > 0 || s.faults || r.IntN(2) == 0 {
			continue // a tail that must shrink loses what is ephemeral, as a gap does
		}
		synctest.Wait()
		flash++
		for _, one := range all {
			if l := one.ledgers[channel(i)]; l != nil && one.slow == 0 {
				l.expect(flash, heads[i])
				flashes += len(l.expected)
			}
		}
		put(i, fact{heads[i], flash})
		synctest.Wait()
		for _, one := range all {
			if l := one.ledgers[channel(i)]; l != nil {
				l.settle()
			}
		}
	}
	// What was lost last is found with what comes next.
	for i := range heads {
		heads[i]++
		put(i, fact{heads[i], 0})
	}
	return flashes
}

// A subscriber is one client that comes late, reads slowly, leaves and returns.
type subscriber struct {
	hub       *hub.Hub
	rng       *rand.Rand
	slow      time.Duration
	published chan struct{}
	ledgers   map[string]*ledger
	heads     map[string]uint64
	epochs    map[string]string
	asked     string // channels that the server subscribes it to
	answers   map[uint32]func(wire.Reply) error
	id        uint32 // of the last command
}

func (s schedule) subscriber(h *hub.Hub, i int, published chan struct{}) *subscriber {
	r := rand.New(rand.NewPCG(s.seed, uint64(i)+100))
	one := &subscriber{
		hub: h, rng: r, slow: time.Duration(r.IntN(3)) * 10 * time.Millisecond, published: published,
		ledgers: make(map[string]*ledger), heads: make(map[string]uint64), epochs: make(map[string]string),
	}
	for n, total := range s.totals {
		if n > 0 && r.IntN(3) == 0 {
			continue
		}
		name := channel(n)
		one.ledgers[name], one.heads[name] = &ledger{}, uint64(total)+1
		if r.IntN(3) == 0 {
			one.asked += name
		}
	}
	return one
}

// errHangUp ends a connection from the client's side.
var errHangUp = errors.New("hang up")

func (s *subscriber) run(t *testing.T) {
	time.Sleep(time.Duration(s.rng.IntN(40)) * time.Millisecond)
	for !s.complete() {
		var faults *rand.Rand
		if s.slow > 0 {
			faults = rand.New(rand.NewPCG(s.rng.Uint64(), 1))
		}
		p := connect(t.Context(), s.hub, faults, s.slow)
		s.answers = make(map[uint32]func(wire.Reply) error)
		s.begin(p)
		for {
			r, ok := p.next()
			if !ok {
				break
			}
			if s.handle(p, r) != nil || s.complete() {
				p.Close(surewire.DisconnectNormal)
				break
			}
		}
		for _, l := range s.ledgers {
			l.end(false)
		}
		<-p.served
		time.Sleep(time.Duration(s.rng.IntN(20)) * time.Millisecond)
	}
}

// complete reports whether there is nothing to wait for.
func (s *subscriber) complete() bool {
	select {
	case <-s.published:
	default:
		return false
	}
	for name, l := range s.ledgers {
		if l.position() < s.heads[name] {
			return false
		}
	}
	return true
}

func (s *subscriber) position(name string) *surewire.Position {
	if s.epochs[name] == "" {
		return nil
	}
	return &surewire.Position{Epoch: s.epochs[name], Offset: s.ledgers[name].position()}
}

// command sends c, whose answer is for answer.
func (s *subscriber) command(p *peer, c wire.Command, answer func(wire.Reply) error) {
	s.id++
	c.ID, s.answers[s.id] = s.id, answer
	p.send(c)
}

// begin connects, and asks for what the server does not give by itself.
func (s *subscriber) begin(p *peer) {
	r := &wire.Connect{Token: s.asked, Subs: make(map[string]surewire.Position)}
	for _, name := range s.asked {
		if at := s.position(string(name)); at != nil {
			r.Subs[string(name)] = *at
		}
	}
	s.command(p, wire.Command{Connect: r}, func(r wire.Reply) error {
		for name, sub := range r.Connected.Subs {
			s.begun(name, &sub)
		}
		return nil
	})
	for name := range s.ledgers {
		if !strings.Contains(s.asked, name) {
			s.subscribe(p, name)
		}
	}
}

func (s *subscriber) begun(name string, sub *wire.Subscribed) {
	s.ledgers[name].begin(s.position(name), sub)
	s.epochs[name] = sub.Position.Epoch
}

func (s *subscriber) subscribe(p *peer, name string) {
	r := &wire.Subscribe{Channel: name}
	if at := s.position(name); at != nil {
		r.Recover, r.Since = true, *at
	}
	s.command(p, wire.Command{Subscribe: r}, func(r wire.Reply) error {
		s.begun(name, r.Subscribed)
		return nil
	})
}

// handle takes what the server says. An error has the client hang up.
func (s *subscriber) handle(p *peer, r wire.Reply) error {
	switch {
	case r.Ping():
		p.send(wire.Command{})
	case r.Error != nil && r.Error.Temporary:
		return errHangUp // and comes back later
	case r.Error != nil:
		s.ledgers["a"].fault("refused: %v", r.Error)
		return r.Error
	case r.ID > 0:
		if err := s.answers[r.ID](r); err != nil {
			return err
		}
	case r.Publication != nil:
		s.ledgers[r.Channel].push(r.Publication)
	case r.Ended != nil:
		s.ledgers[r.Channel].end(true)
		if r.Ended.Code != wire.InsufficientState.Code {
			s.ledgers[r.Channel].fault("ended: %v", r.Ended)
		}
		s.subscribe(p, r.Channel)
	}
	switch s.rng.IntN(60) {
	case 0:
		return errHangUp
	case 1:
		s.pause(p)
	}
	return nil
}

// pause unsubscribes from one channel, and subscribes again when that is done.
func (s *subscriber) pause(p *peer) {
	for name, l := range s.ledgers {
		l.mu.Lock()
		live := l.live
		l.mu.Unlock()
		if !live || strings.Contains(s.asked, name) {
			continue
		}
		s.command(p, wire.Command{Unsubscribe: &wire.Unsubscribe{Channel: name}}, func(wire.Reply) error {
			l.mu.Lock()
			again := l.live // or it ended meanwhile, and has been asked for again
			l.mu.Unlock()
			if again {
				l.end(false)
				s.subscribe(p, name)
			}
			return nil
		})
		return
	}
}
