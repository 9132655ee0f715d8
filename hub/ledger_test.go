package hub_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/wire"
)

// A fact is what the publications of a property test say: enough to judge where
// they come.
type fact struct {
	Offset uint64 // of a durable one; of an ephemeral one, the offset it was published after
	Flash  int    // counts the ephemeral ones, from 1; 0 for a durable one
}

func (f fact) publication() surewire.Publication {
	data, _ := json.Marshal(f)
	return surewire.Publication{Data: data, Ephemeral: f.Flash > 0}
}

// A ledger is what one subscriber was told of one channel, and judges it: each
// durable publication after the place where it began, once, in order, unless it
// was told that state is insufficient; each ephemeral one at its place among
// them, at most once, and not missed by who was expected to get it.
type ledger struct {
	mu       sync.Mutex
	at       uint64 // offset of the newest publication it has
	started  bool
	live     bool // it has been told that its subscription began, and not that it ended
	told     int  // how often it was told that state is insufficient
	flash    int  // the newest ephemeral one it has
	expected map[int]bool
	faults   []string
}

// begin takes a subscribe reply: asked is where the subscriber said it stood.
func (l *ledger) begin(asked *surewire.Position, s *wire.Subscribed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case asked == nil:
		if l.started {
			l.fault("began anew without a reason")
		}
	case !s.WasRecovering:
		l.fault("was not asked whether it recovers")
	case s.Recovered:
		if s.Position.Offset != asked.Offset {
			l.fault("recovered after %d, asked for %d", s.Position.Offset, asked.Offset)
		}
	default:
		if len(s.Publications) > 0 {
			l.fault("%d publications came without a recovery", len(s.Publications))
		}
		l.told++
	}
	l.at, l.started, l.live = s.Position.Offset, true, true
	for _, m := range s.Publications {
		l.take(m)
	}
}

func (l *ledger) push(m *surewire.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.live {
		l.fault("%s came without a subscription", m.Data)
	}
	l.take(m)
}

func (l *ledger) take(m *surewire.Message) {
	var f fact
	if err := json.Unmarshal(m.Data, &f); err != nil {
		l.fault("%s is not what was published: %v", m.Data, err)
	}
	o := m.Position.Offset
	switch {
	case (o == 0) != (f.Flash > 0):
		l.fault("%d came with the data of %+v", o, f)
	case o == 0:
		if f.Offset != l.at {
			l.fault("ephemeral %d, published after %d, came after %d", f.Flash, f.Offset, l.at)
		}
		if f.Flash <= l.flash {
			l.fault("ephemeral %d came after %d", f.Flash, l.flash)
		}
		l.flash = f.Flash
		delete(l.expected, f.Flash)
	default:
		if o != l.at+1 {
			l.fault("%d came after %d", o, l.at)
		}
		if f.Offset != o {
			l.fault("%d came with the data of %+v", o, f)
		}
		l.at = o
	}
}

// end notes that the subscription has ended: what was expected is not any more.
func (l *ledger) end(told bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if told {
		l.told++
	}
	l.live, l.expected = false, nil
}

// expect notes that the ephemeral publication n must come, if the subscriber has
// all that is before it.
func (l *ledger) expect(n int, head uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live && l.at == head {
		l.expected = map[int]bool{n: true}
	}
}

// settle judges what was expected.
func (l *ledger) settle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.expected) > 0 {
		l.fault("ephemeral %v did not come, though it did not lag", l.expected)
	}
	l.expected = nil
}

// finish judges the end: nothing may be left out.
func (l *ledger) finish(head uint64) {
	l.settle()
	if l.at != head {
		l.fault("the last was %d, want %d", l.at, head)
	}
}

func (l *ledger) position() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at
}

func (l *ledger) fault(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); len(l.faults) < 5 && !slices.Contains(l.faults, text) {
		l.faults = append(l.faults, text)
	}
}

// The ledger itself must see what it is there to see.
func TestLedgerFindsViolations(t *testing.T) {
	message := func(f fact) *surewire.Message {
		m := &surewire.Message{Publication: f.publication()}
		if f.Flash == 0 {
			m.Position.Offset = f.Offset
		}
		return m
	}
	durable := func(o uint64) *surewire.Message { return message(fact{Offset: o}) }
	flash := func(n int, after uint64) *surewire.Message { return message(fact{after, n}) }
	reply := func(o uint64, recovered bool, ms ...*surewire.Message) *wire.Subscribed {
		return &wire.Subscribed{Position: surewire.Position{Offset: o}, WasRecovering: true, Recovered: recovered, Publications: ms}
	}
	takes := func(ms ...*surewire.Message) func(*ledger) {
		return func(l *ledger) {
			for _, m := range ms {
				l.push(m)
			}
			l.at = 7 // judge what came alone
		}
	}
	again := func(s *wire.Subscribed, ms ...*surewire.Message) func(*ledger) {
		return func(l *ledger) {
			l.end(false)
			l.begin(&surewire.Position{Offset: 5}, s)
			takes(ms...)(l)
		}
	}
	other := durable(6)
	other.Data = durable(9).Data
	for _, c := range []struct {
		name string
		run  func(l *ledger)
		bad  bool
	}{
		{"nothing wrong", takes(durable(6), durable(7)), false},
		{"ephemeral ones at their places", takes(flash(1, 5), durable(6), flash(2, 6), flash(4, 6), durable(7), flash(5, 7)), false},
		{"a gap", takes(durable(6), durable(8)), true},
		{"a gap at the start", takes(durable(7)), true},
		{"a double", takes(durable(6), durable(6), durable(7)), true},
		{"out of order", takes(durable(7), durable(6)), true},
		{"a lost end", func(l *ledger) { l.push(durable(6)) }, true},
		{"data of another", takes(other, durable(7)), true},
		{"data of none", takes(&surewire.Message{Position: surewire.Position{Offset: 6}}, durable(7)), true},
		{"an ephemeral one before what it followed", takes(flash(1, 6), durable(6), durable(7)), true},
		{"an ephemeral one after what followed it", takes(durable(6), flash(1, 5), durable(7)), true},
		{"an ephemeral one twice", takes(flash(1, 5), flash(1, 5), durable(6), durable(7)), true},
		{"ephemeral ones out of order", takes(flash(2, 5), flash(1, 5), durable(6), durable(7)), true},
		{"an ephemeral one that was kept", takes(func() *surewire.Message { m := flash(1, 6); m.Position.Offset = 6; return m }(), durable(7)), true},
		{"an ephemeral one missed", func(l *ledger) { l.expect(1, 5); takes(durable(6), durable(7))(l) }, true},
		{"an ephemeral one not missed", func(l *ledger) { l.expect(1, 5); takes(flash(1, 5), durable(6), durable(7))(l) }, false},
		{"an ephemeral one missed by who lags", func(l *ledger) { l.expect(1, 6); takes(durable(6), durable(7))(l) }, false},
		{"an ephemeral one missed by who left", func(l *ledger) { l.expect(1, 5); again(reply(5, true), durable(6), durable(7))(l) }, false},
		{"an ephemeral one again to who came back", func(l *ledger) { l.push(flash(1, 5)); again(reply(5, true), flash(1, 5))(l) }, true},
		{"pushed after the end", func(l *ledger) { l.end(true); takes(durable(6), durable(7))(l) }, true},
		{"recovered", again(reply(5, true, durable(6)), durable(7)), false},
		{"recovered with a gap", again(reply(5, true, durable(7))), true},
		{"recovered twice over", again(reply(5, true, durable(6)), durable(6), durable(7)), true},
		{"a silent reset", again(reply(7, true)), true},
		{"a reset that is told", again(reply(7, false)), false},
		{"a reset with publications", again(reply(6, false, durable(7))), true},
		{"no answer to recover", again(&wire.Subscribed{Position: surewire.Position{Offset: 5}}, durable(6), durable(7)), true},
		{"begun anew", func(l *ledger) { l.begin(nil, reply(7, false)) }, true},
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
