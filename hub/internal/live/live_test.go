package live

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/memengine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type framer struct{}

func (framer) AppendMessage(dst []byte, channel string, m *surewire.Message) []byte {
	return append(append(dst, m.Data...), ' ')
}

// A reader notes what it is told.
type reader struct {
	Cursor
	ch          *Channel
	woken, lost atomic.Int32
}

func (r *reader) Wake() { r.woken.Add(1) }
func (r *reader) Lost() { r.lost.Add(1) }

// read returns all there is for r.
func (r *reader) read() (all string, left Reach) {
	for {
		own, shared, _, left := r.ch.Read(nil, &r.Cursor)
		all += string(own) + string(shared)
		if left != More {
			return all, left
		}
	}
}

// counted is an engine that knows its subscriptions, and fails or waits if it is told.
type counted struct {
	surewire.Engine
	open atomic.Int32
	fail func() error
}

func (c *counted) Subscribe(ctx context.Context, channel string, s surewire.Sink) (surewire.Position, func(), error) {
	if c.fail != nil {
		if err := c.fail(); err != nil {
			return surewire.Position{}, nil, err
		}
	}
	head, cancel, err := c.Engine.Subscribe(ctx, channel, s)
	if err != nil {
		return head, nil, err
	}
	c.open.Add(1)
	return head, sync.OnceFunc(func() { c.open.Add(-1); cancel() }), nil
}

func inBubble(t *testing.T, budget int64, f func(t *testing.T, cs *Channels, e *counted)) {
	synctest.Test(t, func(t *testing.T) {
		e := &counted{Engine: memengine.New(memengine.Config{})}
		cs := New(Config{Engine: e, TailLen: 16, TailSize: 1 << 20, Budget: budget})
		f(t, cs, e)
		time.Sleep(engineTimeout) // what is asked of an engine ends by itself
		synctest.Wait()
		if n, size, open := cs.Len(), cs.Size(), e.open.Load(); n > 0 || size != 0 || open > 0 {
			t.Errorf("left are %d channels, %d bytes, %d subscriptions", n, size, open)
		}
		cs.Close()
		e.Close(context.Background())
	})
}

func join(t *testing.T, cs *Channels, name string, after *uint64) *reader {
	t.Helper()
	ch, err := cs.Join(t.Context(), name, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{ch: ch}
	if _, ok := ch.Add(&r.Cursor, r, framer{}, after); !ok {
		t.Fatal("a channel that is not lost refused a reader")
	}
	return r
}

func (r *reader) leave() { r.ch.Remove(&r.Cursor); r.ch.Leave() }

func publish(t *testing.T, e surewire.Engine, channel, data string, ephemeral bool) {
	t.Helper()
	if _, err := e.Publish(t.Context(), channel, surewire.Publication{Data: []byte(data), Ephemeral: ephemeral}); err != nil {
		t.Fatal(err)
	}
}

func TestWhereAReaderBegins(t *testing.T) {
	inBubble(t, 1<<20, func(t *testing.T, cs *Channels, e *counted) {
		keeper := join(t, cs, "c", nil)
		for _, m := range []string{"1", "~a", "2", "~b"} {
			publish(t, e, "c", m, m[0] == '~')
		}
		at := func(o uint64) *uint64 { return &o }
		for _, c := range []struct {
			name  string
			after *uint64
			want  string
		}{
			{"at the end", nil, "3 "},
			{"it has everything: what was ephemeral was for others", at(2), "3 "},
			{"it lacks one, and what came after that", at(1), "~a 2 ~b 3 "},
			{"it lacks all", at(0), "1 ~a 2 ~b 3 "},
			{"it has what is not here yet", at(3), ""},
		} {
			r := join(t, cs, "c", c.after)
			defer r.leave()
			defer func() {
				if got, _ := r.read(); got != c.want {
					t.Errorf("%s: got %q, want %q", c.name, got, c.want)
				}
			}()
		}
		publish(t, e, "c", "3", false)
		synctest.Wait()
		if keeper.woken.Load() == 0 {
			t.Error("nobody was woken")
		}
		keeper.leave()
	})
}

func TestLost(t *testing.T) {
	inBubble(t, 1<<20, func(t *testing.T, cs *Channels, e *counted) {
		one, two := join(t, cs, "c", nil), join(t, cs, "c", nil)
		one.ch.Lost("c")
		one.ch.Lost("c")
		synctest.Wait()
		if one.lost.Load() != 1 || two.lost.Load() != 1 || !one.ch.IsLost() {
			t.Errorf("told %d and %d times", one.lost.Load(), two.lost.Load())
		}
		late := &reader{ch: one.ch}
		if _, ok := one.ch.Add(&late.Cursor, late, framer{}, nil); ok {
			t.Error("a lost channel took a reader")
		}
		anew := join(t, cs, "c", nil)
		if anew.ch == one.ch {
			t.Error("who joins gets the lost channel")
		}
		publish(t, e, "c", "1", false)
		synctest.Wait()
		if got, _ := anew.read(); got != "1 " || one.woken.Load() > 0 {
			t.Errorf("got %q, and the lost were woken %d times", got, one.woken.Load())
		}
		one.leave() // the channel of the same name stays
		two.leave()
		if cs.Find("c") != anew.ch {
			t.Error("the new channel is gone")
		}
		if anew.ch.Remove(&one.Cursor) {
			t.Error("a cursor of the lost channel was found in the new one")
		}
		anew.leave()
	})
}

// The tails together stay within their budget; who lacks what was given up knows
// it, and nobody else loses anything.
func TestBudget(t *testing.T) {
	const budget = 100 << 10
	inBubble(t, budget, func(t *testing.T, cs *Channels, e *counted) {
		r := rand.New(rand.NewPCG(1, 1))
		var readers []*reader
		for i := range 300 {
			readers = append(readers, join(t, cs, fmt.Sprint(i), nil))
		}
		got := make([]uint64, len(readers))
		shrunk := 0
		for n := range 2000 {
			i := r.IntN(len(readers))
			for range 1 + r.IntN(4) {
				publish(t, e, fmt.Sprint(i), `"`+fmt.Sprintf("%0*d", r.IntN(300)+1, n)+`"`, false)
			}
			if r.IntN(3) > 0 {
				one := readers[i]
				if _, left := one.read(); left == Behind {
					after, covered := one.ch.Covers(&one.Cursor)
					if covered {
						t.Fatal("behind, and covered")
					}
					h, err := e.History(t.Context(), one.ch.Name(), after, 1000)
					if err != nil || !h.Complete || after.Offset < got[i] {
						t.Fatalf("history after %d, %v: %v", after.Offset, h.Complete, err)
					}
					for _, m := range h.Messages {
						one.ch.Frame(&one.Cursor, nil, m)
					}
					shrunk++
				}
				got[i] = one.ch.Position().Offset
				if lag := one.ch.Lag(&one.Cursor); lag != 0 {
					t.Fatalf("it lags by %d after it has read all", lag)
				}
			}
			if synctest.Wait(); cs.Size() > budget {
				t.Fatalf("the tails have %d bytes, at most %d are allowed", cs.Size(), budget)
			}
		}
		if shrunk == 0 {
			t.Error("no tail shrank")
		}
		for _, one := range readers {
			one.leave()
		}
	})
}

// Tails that nobody reads are given up before those that are read.
func TestTheLongestUnreadShrinkFirst(t *testing.T) {
	inBubble(t, 40_000, func(t *testing.T, cs *Channels, e *counted) {
		var readers []*reader
		for i := range 20 {
			readers = append(readers, join(t, cs, fmt.Sprint(i), nil))
			for range 5 {
				publish(t, e, fmt.Sprint(i), "1", false)
			}
			time.Sleep(time.Second)
		}
		for _, one := range readers[:10] {
			one.read() // the older half
			time.Sleep(time.Second)
		}
		for n := 0; cs.Size() > 35_000 || n == 0; n++ {
			publish(t, e, "0", "1", false)
			synctest.Wait()
			readers[0].read()
			if n > 1000 {
				t.Fatalf("%d bytes, and nothing shrinks", cs.Size())
			}
			if cs.Size() < 35_000 {
				for range 16 {
					publish(t, e, fmt.Sprint(19-n%10), "1", false)
				}
				synctest.Wait()
			}
		}
		shrunk := func(all []*reader) (n int) {
			for _, one := range all {
				if _, left := one.read(); left == Behind {
					n++
				}
			}
			return n
		}
		if used, unused := shrunk(readers[:10]), shrunk(readers[10:]); used > 0 || unused == 0 {
			t.Errorf("%d that are read shrank, and %d others", used, unused)
		}
		for _, one := range readers {
			one.leave()
		}
	})
}

// Readers come and go while the engine fails, waits and loses: nothing is left.
func TestJoinAndLeaveRandomly(t *testing.T) {
	for seed := range uint64(50) {
		inBubble(t, 1<<20, func(t *testing.T, cs *Channels, e *counted) {
			var mu sync.Mutex
			rng := rand.New(rand.NewPCG(seed, 3))
			roll := func(n int) int {
				mu.Lock()
				defer mu.Unlock()
				return rng.IntN(n)
			}
			e.fail = func() error {
				time.Sleep(time.Duration(roll(20)) * time.Millisecond)
				if roll(4) == 0 {
					return errors.New("no")
				}
				return nil
			}
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					for range 10 {
						ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+roll(40))*time.Millisecond)
						ch, err := cs.Join(ctx, fmt.Sprint(roll(3)), 0)
						cancel()
						if err != nil {
							continue
						}
						r := &reader{ch: ch}
						_, ok := ch.Add(&r.Cursor, r, framer{}, nil)
						e.Publish(t.Context(), ch.Name(), surewire.Publication{Data: []byte("1")})
						time.Sleep(time.Duration(roll(10)) * time.Millisecond)
						if roll(20) == 0 {
							ch.Lost(ch.Name())
						}
						if removed := ch.Remove(&r.Cursor); removed && !ok || removed && ch.Remove(&r.Cursor) {
							t.Error("removed what was not there")
						}
						ch.Leave()
					}
				})
			}
			wg.Wait()
		})
	}
}

// FannedOut hears of what has a trace, when its readers have been woken, and no
// lock is held.
func TestFannedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := memengine.New(memengine.Config{})
		defer e.Close(context.Background())
		var heard []string
		var cs *Channels
		var r *reader
		cs = New(Config{Engine: e, TailLen: 1000, TailSize: 1 << 20, Budget: 1 << 20,
			FannedOut: func(channel string, m *surewire.Message, began time.Time, readers int) {
				if r.woken.Load() == 0 || len(cs.Find(channel).Readers()) != readers {
					t.Error("it was told before the reader")
				}
				heard = append(heard, fmt.Sprint(channel, " ", string(m.Data), " ", time.Since(began), " ", readers))
			}})
		defer cs.Close()
		send := func(data string, trace *surewire.Trace) {
			t.Helper()
			if _, err := e.Publish(t.Context(), "c", surewire.Publication{Data: []byte(data), Trace: trace}); err != nil {
				t.Fatal(err)
			}
		}
		traced := &surewire.Trace{Parent: "t"}
		send("0", traced) // nobody reads
		r = join(t, cs, "c", nil)
		other := join(t, cs, "c", nil)
		send("1", traced)
		synctest.Wait()
		send("2", nil)
		synctest.Wait()
		r.ch.Remove(&r.Cursor)
		other.ch.Remove(&other.Cursor)
		send("3", traced) // nobody reads now
		r.ch.Add(&r.Cursor, r, framer{}, nil)
		send("4", nil)
		synctest.Wait()
		r.ch.Remove(&r.Cursor)
		if want := []string{"c 1 0s 2"}; !slices.Equal(heard, want) {
			t.Errorf("heard %q, want %q", heard, want)
		}
		r.ch.Leave()
		other.ch.Leave()
	})
}

// However much comes in one round, what is to be told of it afterwards is bounded.
func TestFannedOutIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := memengine.New(memengine.Config{})
		defer e.Close(context.Background())
		heard := 0
		cs := New(Config{Engine: e, TailLen: 1000, TailSize: 1 << 20, Budget: 1 << 20, FannedOut: func(string, *surewire.Message, time.Time, int) { heard++ }})
		defer cs.Close()
		ch, err := cs.Join(t.Context(), "c", 0)
		if err != nil {
			t.Fatal(err)
		}
		s := &slow{begun: make(chan struct{}, 10), leave: make(chan struct{})}
		ch.Add(&s.Cursor, s, framer{}, nil)
		for i := range 3 * maxTraced {
			if _, err := e.Publish(t.Context(), "c", surewire.Publication{Data: []byte("1"), Trace: &surewire.Trace{}}); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				<-s.begun // the first round is at it
			}
		}
		close(s.leave)
		synctest.Wait()
		if want := 1 + maxTraced; heard != want {
			t.Errorf("heard of %d, want %d", heard, want)
		}
		ch.Remove(&s.Cursor)
		ch.Leave()
	})
}

// A slow reader holds up the round until it may go.
type slow struct {
	Cursor
	begun, leave chan struct{}
}

func (s *slow) Wake() { s.begun <- struct{}{}; <-s.leave }
func (s *slow) Lost() {}
