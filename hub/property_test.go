package hub_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
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

// A ledger is what one subscriber was told, and judges it: each durable
// publication after the place where it began, once, in order, unless it was
// told that state is insufficient.
type ledger struct {
	at      uint64 // offset of the newest publication it has
	started bool
	resets  int
	faults  []string
}

// begin takes a subscribe reply: asked is where the subscriber said it stood.
func (l *ledger) begin(asked *surewire.Position, s *wire.Subscribed) {
	switch {
	case asked == nil:
		if l.started {
			l.fault("began anew without a reason")
		}
	case s.Recovered:
		if s.Position.Offset != asked.Offset {
			l.fault("recovered after %d, asked for %d", s.Position.Offset, asked.Offset)
		}
	default:
		l.resets++
	}
	l.at, l.started = s.Position.Offset, true
	for _, m := range s.Publications {
		l.take(m)
	}
}

func (l *ledger) take(m *surewire.Message) {
	o := m.Position.Offset
	if o == 0 {
		return
	}
	if o != l.at+1 {
		l.fault("%d came after %d", o, l.at)
	}
	if string(m.Data) != strconv.FormatUint(o, 10) {
		l.fault("%d came with the data of %s", o, m.Data)
	}
	l.at = o
}

// finish judges the end: nothing may be left out.
func (l *ledger) finish(head uint64) {
	if l.at != head {
		l.fault("the last was %d, want %d", l.at, head)
	}
}

func (l *ledger) fault(format string, args ...any) {
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

// The ledger itself must see what it is there to see.
func TestLedgerFindsViolations(t *testing.T) {
	message := func(o uint64) *surewire.Message {
		m := &surewire.Message{Position: surewire.Position{Offset: o}}
		m.Data = strconv.AppendUint(nil, o, 10)
		return m
	}
	reply := func(o uint64, recovered bool) *wire.Subscribed {
		return &wire.Subscribed{Position: surewire.Position{Offset: o}, Recovered: recovered}
	}
	for _, c := range []struct {
		name string
		run  func(l *ledger)
		bad  bool
	}{
		{"nothing wrong", func(l *ledger) { l.take(message(6)); l.take(message(7)) }, false},
		{"a gap", func(l *ledger) { l.take(message(6)); l.take(message(8)); l.at = 7 }, true},
		{"a double", func(l *ledger) { l.take(message(6)); l.take(message(6)); l.take(message(7)) }, true},
		{"out of order", func(l *ledger) { l.take(message(7)); l.take(message(6)); l.at = 7 }, true},
		{"a lost end", func(l *ledger) { l.take(message(6)) }, true},
		{"data of another", func(l *ledger) { m := message(6); m.Data = []byte("9"); l.take(m); l.take(message(7)) }, true},
		{"a silent reset", func(l *ledger) { l.begin(&surewire.Position{Offset: 5}, reply(7, true)) }, true},
		{"a reset that is told", func(l *ledger) { l.begin(&surewire.Position{Offset: 5}, reply(7, false)) }, false},
	} {
		l := &ledger{}
		l.begin(nil, reply(5, false))
		c.run(l)
		l.finish(7)
		if bad := len(l.faults) > 0; bad != c.bad {
			t.Errorf("%s: faults %q", c.name, l.faults)
		}
	}
}

// A schedule is one random run.
type schedule struct {
	seed        uint64
	history     int // messages the engine keeps
	subscribers int
	total       int
}

// TestEveryMessageOnce runs random subscribers (late, slow, leaving, resuming)
// over a tail of 8: with a history that has everything, and with one that is so
// short that some must be told of insufficient state.
func TestEveryMessageOnce(t *testing.T) {
	var resets int
	for seed := range uint64(30) {
		for _, history := range []int{10_000, 24} {
			s := schedule{seed, history, 20, 300}
			t.Run(fmt.Sprintf("history=%d/seed=%d", history, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := s.run(t)
					if history >= s.total && n > 0 {
						t.Errorf("%d resets, though nothing was forgotten", n)
					}
					resets += n
				})
			})
		}
	}
	if resets == 0 {
		t.Error("no schedule led to insufficient state: the test does not reach it")
	}
}

// run returns how often subscribers were told of insufficient state.
func (s schedule) run(t *testing.T) (resets int) {
	engine := memengine.New(memengine.Config{HistorySize: s.history})
	h := hub.New(hub.Config{Engine: engine, Authorizer: access.AllowAll{}, TailLen: 8, CatchUps: 1 << 30})
	rng := rand.New(rand.NewPCG(s.seed, 7))
	published := make(chan struct{})
	ledgers := make([]*ledger, s.subscribers)
	var wg sync.WaitGroup
	for i := range ledgers {
		ledgers[i] = &ledger{}
		one := &subscriber{ledger: ledgers[i], hub: h, rng: rand.New(rand.NewPCG(s.seed, uint64(i)+100)),
			head: uint64(s.total), published: published}
		wg.Go(func() { one.run(t) })
	}
	for i := range s.total {
		if rng.IntN(8) == 0 {
			engine.Publish(t.Context(), "c", surewire.Publication{Data: []byte(`"typing"`), Ephemeral: true})
		}
		if _, err := engine.Publish(t.Context(), "c", surewire.Publication{Data: strconv.AppendInt(nil, int64(i)+1, 10)}); err != nil {
			t.Error(err)
		}
		if rng.IntN(3) == 0 {
			time.Sleep(time.Duration(rng.IntN(5)) * time.Millisecond)
		}
	}
	close(published)
	wg.Wait()
	for i, l := range ledgers {
		l.finish(uint64(s.total))
		resets += l.resets
		if len(l.faults) > 0 {
			t.Errorf("subscriber %d: %s", i, strings.Join(l.faults[:min(len(l.faults), 5)], "; "))
		}
	}
	if err := h.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	engine.Close(context.Background())
	return resets
}

// A subscriber is one client that comes late, reads slowly, leaves and returns.
type subscriber struct {
	*ledger
	hub       *hub.Hub
	rng       *rand.Rand
	head      uint64
	published chan struct{}
	epoch     string
}

// errHangUp ends a connection from the client's side.
var errHangUp = fmt.Errorf("hang up")

func (s *subscriber) run(t *testing.T) {
	time.Sleep(time.Duration(s.rng.IntN(200)) * time.Millisecond)
	slow := time.Duration(s.rng.IntN(3)) * 20 * time.Millisecond
	for !s.complete() {
		var faults *rand.Rand
		if slow > 0 {
			faults = rand.New(rand.NewPCG(s.rng.Uint64(), 1))
		}
		p := connect(t.Context(), s.hub, faults, slow)
		p.send(wire.Command{ID: 1, Connect: &wire.Connect{}})
		s.subscribe(p)
		for {
			r, ok := p.next()
			if !ok {
				break
			}
			if s.handle(p, r) != nil {
				p.Close(surewire.DisconnectNormal)
				break
			}
		}
		<-p.served
		time.Sleep(time.Duration(s.rng.IntN(30)) * time.Millisecond)
	}
}

// complete reports whether there is nothing to wait for.
func (s *subscriber) complete() bool {
	select {
	case <-s.published:
		return s.started && s.at >= s.head
	default:
		return false
	}
}

func (s *subscriber) position() *surewire.Position {
	if !s.started {
		return nil
	}
	return &surewire.Position{Epoch: s.epoch, Offset: s.at}
}

func (s *subscriber) subscribe(p *peer) {
	r := &wire.Subscribe{Channel: "c"}
	if at := s.position(); at != nil {
		r.Recover, r.Since = true, *at
	}
	p.send(wire.Command{ID: 2, Subscribe: r})
}

func (s *subscriber) handle(p *peer, r wire.Reply) error {
	switch {
	case r.Ping():
		p.send(wire.Command{})
	case r.Error != nil:
		s.fault("refused: %v", r.Error)
		return r.Error
	case r.Subscribed != nil:
		s.ledger.begin(s.position(), r.Subscribed)
		s.epoch = r.Subscribed.Position.Epoch
	case r.Publication != nil:
		s.take(r.Publication)
	case r.Ended != nil:
		if r.Ended.Code != wire.InsufficientState.Code {
			s.fault("ended: %v", r.Ended)
		}
		s.subscribe(p)
	}
	if s.complete() {
		return errHangUp
	}
	switch s.rng.IntN(60) {
	case 0:
		return errHangUp
	case 1:
		// What is still on its way from the old subscription comes first.
		p.send(wire.Command{ID: 3, Unsubscribe: &wire.Unsubscribe{Channel: "c"}})
		return s.resubscribe(p)
	}
	return nil
}

// resubscribe goes on after the answer to unsubscribe.
func (s *subscriber) resubscribe(p *peer) error {
	for {
		r, ok := p.next()
		switch {
		case !ok:
			return errHangUp
		case r.ID == 3:
			s.subscribe(p)
			return nil
		case r.Publication != nil:
			s.take(r.Publication)
		case r.Ping():
			p.send(wire.Command{})
		case r.Subscribed != nil:
			s.ledger.begin(s.position(), r.Subscribed)
		}
	}
}
