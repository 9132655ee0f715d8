package continuity_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine/internal/continuity"
)

// A log is a channel in memory, whose start and reads can be spoilt.
type log struct {
	mu     sync.Mutex
	epoch  string
	head   uint64
	first  uint64 // oldest offset that is kept
	lag    uint64 // a read does not see so many of the newest
	faults int    // reads that fail first
}

func (l *log) message(offset uint64) *surewire.Message {
	return &surewire.Message{Position: surewire.Position{Epoch: l.epoch, Offset: offset}}
}

func (l *log) publish() *surewire.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.head++
	return l.message(l.head)
}

func (l *log) read(_ context.Context, after surewire.Position, limit int) (surewire.History, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.faults > 0 {
		l.faults--
		return surewire.History{}, errors.New("the log is away")
	}
	head := l.head - min(l.lag, l.head)
	if after.Offset > head {
		head = l.head // who knows more than a replica is answered by the leader
	}
	h := surewire.History{Head: surewire.Position{Epoch: l.epoch, Offset: head}}
	h.Complete = after.Epoch == l.epoch && after.Offset <= head && after.Offset+1 >= l.first
	for n := max(after.Offset+1, l.first); n <= head && len(h.Messages) < limit; n++ {
		h.Messages = append(h.Messages, l.message(n))
	}
	return h, nil
}

// A reader keeps what a feed passes on.
type reader struct {
	slow time.Duration // what a delivery takes
	busy atomic.Bool

	mu   sync.Mutex
	got  []surewire.Position
	lost int
}

func (r *reader) deliver(m *surewire.Message, at surewire.Position) {
	if r.busy.Swap(true) {
		panic("two deliver at once")
	}
	defer r.busy.Store(false)
	if r.slow > 0 {
		time.Sleep(r.slow)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.Ephemeral {
		at.Offset = 0
	}
	r.got = append(r.got, at)
}

func (r *reader) lose() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost++
}

// run returns a feed of an open log, and what arrives at it heals it.
func run(t *testing.T, l *log, r *reader) (f *continuity.Feed, arrive func(continuity.Item)) {
	f = continuity.New(r.deliver, r.lose)
	heal := func(need bool) {
		if need {
			go f.Heal(t.Context(), l.read)
		}
	}
	heal(f.Open(surewire.Position{Epoch: l.epoch, Offset: l.head}))
	return f, func(i continuity.Item) { heal(f.Arrive(i)) }
}

// check wants each offset from first to last once, in order.
func (r *reader) check(t *testing.T, first, last uint64) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	want := first
	for _, p := range r.got {
		if p.Offset == 0 {
			continue
		}
		if p.Offset != want {
			t.Fatalf("offset %d was delivered, want %d", p.Offset, want)
		}
		want++
	}
	if want != last+1 {
		t.Fatalf("the last that was delivered is %d, want %d", want-1, last)
	}
}

// Whatever a feed drops, doubles and reorders, what is passed on is the log.
func TestLossyFeed(t *testing.T) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 7))
				l, r := &log{epoch: "e", head: seed % 3, first: 1}, &reader{}
				begin := l.head + 1
				f, arrive := run(t, l, r)
				var late []*surewire.Message
				bring := func(m *surewire.Message) { arrive(continuity.Item{Message: m}) }
				for range 300 {
					m := l.publish()
					switch rng.IntN(8) {
					case 0: // dropped
					case 1: // doubled
						bring(m)
						bring(m)
					case 2: // late
						late = append(late, m)
					case 3:
						bring(m)
						l.mu.Lock()
						l.faults, l.lag = rng.IntN(3), uint64(rng.IntN(4))
						l.mu.Unlock()
					default:
						bring(m)
					}
					if rng.IntN(5) == 0 {
						for _, m := range late {
							bring(m)
						}
						late = nil
					}
					if rng.IntN(4) == 0 {
						time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
					}
				}
				l.mu.Lock()
				l.lag = 0
				head := surewire.Position{Epoch: l.epoch, Offset: l.head}
				l.mu.Unlock()
				time.Sleep(time.Minute) // what heals has healed
				if f.Suspect(head) {
					go f.Heal(t.Context(), l.read)
				}
				time.Sleep(time.Minute)
				r.check(t, begin, l.head)
				if r.lost != 0 {
					t.Errorf("Lost was called %d times, though all was kept", r.lost)
				}
			})
		})
	}
}

func TestWhatIsNoLongerKeptIsLost(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(l *log)
	}{
		{"expired", func(l *log) { l.head, l.first = 20, 15 }},
		{"another epoch", func(l *log) { l.epoch, l.head = "f", 1 }},
		{"fallen back", func(l *log) { l.epoch, l.head = "f", 9 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, r := &log{epoch: "e", head: 4, first: 1}, &reader{}
				_, arrive := run(t, l, r)
				arrive(continuity.Item{Message: l.publish()})
				c.spoil(l)
				arrive(continuity.Item{Message: l.publish()})
				synctest.Wait()
				arrive(continuity.Item{Message: l.publish()})
				synctest.Wait()
				if r.lost != 1 || len(r.got) != 2 || r.got[1].Offset != l.head || r.got[1].Epoch != l.epoch {
					t.Errorf("lost %d times, got %v, want what came before, one loss, and what came after it", r.lost, r.got)
				}
			})
		})
	}
}

// What comes late from a life of the log that is over is not a loss.
func TestMessageOfAnEpochThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r := &log{epoch: "e", head: 4, first: 1}, &reader{}
		_, arrive := run(t, l, r)
		arrive(continuity.Item{Message: &surewire.Message{Position: surewire.Position{Epoch: "old", Offset: 9}}})
		time.Sleep(time.Minute)
		arrive(continuity.Item{Message: l.publish()})
		synctest.Wait()
		r.check(t, 5, 5)
		if r.lost != 0 {
			t.Errorf("lost %d times", r.lost)
		}
	})
}

// An ephemeral message waits for what was published before it.
func TestEphemeralOvertakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r := &log{epoch: "e", first: 1}, &reader{}
		_, arrive := run(t, l, r)
		l.publish()
		late := l.publish()
		arrive(continuity.Item{
			Message: &surewire.Message{Publication: surewire.Publication{Ephemeral: true}},
			After:   late.Position,
		})
		arrive(continuity.Item{Message: late})
		arrive(continuity.Item{Message: &surewire.Message{Publication: surewire.Publication{Ephemeral: true}}})
		synctest.Wait()
		var got []uint64
		for _, p := range r.got {
			got = append(got, p.Offset)
		}
		if fmt.Sprint(got) != "[1 2 0 0]" {
			t.Errorf("the offsets are %v, want the ephemeral messages last", got)
		}
	})
}

// A channel that is busier than its log can be read is held only so long.
func TestHeldIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r := &log{epoch: "e", first: 1, faults: 5}, &reader{}
		_, arrive := run(t, l, r)
		l.publish() // and dropped
		for range 10_000 {
			arrive(continuity.Item{Message: l.publish()})
		}
		time.Sleep(time.Minute)
		r.check(t, 1, l.head)
	})
}

// Healing that nobody waits for any more ends.
func TestHealEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r := &log{epoch: "e", first: 1, faults: 1 << 30}, &reader{}
		f := continuity.New(r.deliver, r.lose)
		f.Open(surewire.Position{Epoch: "e"})
		l.publish()
		if !f.Arrive(continuity.Item{Message: l.publish()}) {
			t.Fatal("a gap was not seen")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := f.Heal(ctx, l.read); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Heal returned %v", err)
		}
	})
}

// Who suspects a loss while something is delivered does not deliver beside it.
func TestSuspicionDuringDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r := &log{epoch: "e", first: 1}, &reader{slow: time.Second}
		f, arrive := run(t, l, r)
		first := l.publish()
		go arrive(continuity.Item{Message: first})
		synctest.Wait() // it is being delivered
		last := l.publish()
		if f.Suspect(last.Position) {
			t.Error("Heal is to be called beside a delivery")
		}
		time.Sleep(time.Minute)
		r.check(t, 1, 2)
	})
}
