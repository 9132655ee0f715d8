package memengine_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/enginetest"
	"github.com/surewire/surewire/memengine"
)

func TestContract(t *testing.T) {
	enginetest.Run(t, func(*testing.T) surewire.Engine { return memengine.New(memengine.Config{}) })
	t.Run("Bounded", func(t *testing.T) {
		enginetest.RunBounded(t, func(_ *testing.T, b enginetest.Bounds) surewire.Engine {
			return memengine.New(memengine.Config{HistorySize: b.Retention.Size, HistoryTTL: b.Retention.TTL, MaxSize: b.MaxSize})
		})
	})
}

func publish(t testing.TB, e surewire.Engine, p surewire.Publication) surewire.Position {
	t.Helper()
	done, err := e.Publish(t.Context(), "c", p)
	if err != nil {
		t.Fatal(err)
	}
	return done.Position
}

func history(t testing.TB, e surewire.Engine, after surewire.Position) surewire.History {
	t.Helper()
	h, err := e.History(t.Context(), "c", after, 100)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func offsets(h surewire.History) string {
	var out []uint64
	for _, m := range h.Messages {
		out = append(out, m.Position.Offset)
	}
	return fmt.Sprint(out)
}

func TestHistoryIsBounded(t *testing.T) {
	e := memengine.New(memengine.Config{HistorySize: 3})
	defer e.Close(t.Context())
	for i := range 5 {
		publish(t, e, surewire.Publication{Data: []byte("0"), ID: strconv.Itoa(i)})
	}
	for after, want := range []struct {
		complete bool
		offsets  string
	}{{false, "[3 4 5]"}, {false, "[3 4 5]"}, {true, "[3 4 5]"}, {true, "[4 5]"}, {true, "[5]"}, {true, "[]"}} {
		h := history(t, e, surewire.Position{Offset: uint64(after)})
		if h.Complete != want.complete || offsets(h) != want.offsets {
			t.Errorf("after %d: complete %v %s, want %v %s", after, h.Complete, offsets(h), want.complete, want.offsets)
		}
	}
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := memengine.New(memengine.Config{HistoryTTL: time.Hour})
		defer e.Close(context.Background())
		first := publish(t, e, surewire.Publication{Data: []byte("1")})
		publish(t, e, surewire.Publication{Data: []byte("2"), TTL: time.Minute})
		time.Sleep(30 * time.Minute)
		publish(t, e, surewire.Publication{Data: []byte("3")})
		if h := history(t, e, surewire.Position{}); h.Complete || offsets(h) != "[1 3]" {
			t.Errorf("with a hole: complete %v %s", h.Complete, offsets(h))
		}
		if h := history(t, e, surewire.Position{Offset: 2}); !h.Complete || offsets(h) != "[3]" {
			t.Errorf("after the hole: complete %v %s", h.Complete, offsets(h))
		}
		time.Sleep(30 * time.Minute)
		if h := history(t, e, surewire.Position{Epoch: first.Epoch}); h.Complete || offsets(h) != "[3]" {
			t.Errorf("after an hour: complete %v %s", h.Complete, offsets(h))
		}
	})
}

// An ID is known while its message is kept, and for five minutes in any case.
func TestIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := memengine.New(memengine.Config{HistorySize: 100, HistoryTTL: time.Hour})
		defer e.Close(context.Background())
		ask := func(when, id string, want uint64) {
			t.Helper()
			done, err := e.Publish(t.Context(), "c", surewire.Publication{Data: []byte("0"), ID: id, Ephemeral: true})
			if err != nil || done.Duplicate != (want > 0) || done.Position.Offset != want {
				t.Errorf("%s, %q: %+v, %v, want offset %d of the first", when, id, done, err, want)
			}
		}
		publish(t, e, surewire.Publication{ID: "1"})
		publish(t, e, surewire.Publication{ID: "2"})
		ask("at once", "1", 1)
		ask("at once", "new", 0)
		if again, _ := e.Publish(t.Context(), "c", surewire.Publication{ID: "new"}); !again.Duplicate || again.Position.Offset != 0 {
			t.Errorf("what was ephemeral, again: %+v", again)
		}
		if err := e.RemoveHistory(t.Context(), "c"); err != nil {
			t.Fatal(err)
		}
		ask("once removed", "1", 1)
		for i := range 200 { // of which the ring keeps 100
			publish(t, e, surewire.Publication{ID: "x" + strconv.Itoa(i)})
		}
		time.Sleep(4 * time.Minute)
		ask("after 4 minutes", "2", 2)
		ask("after 4 minutes", "x0", 3)
		ask("after 4 minutes", "x199", 202)
		time.Sleep(2 * time.Minute)
		ask("after 6 minutes", "2", 0)
		ask("after 6 minutes", "x0", 0)
		ask("after 6 minutes", "x100", 103)
		ask("after 6 minutes", "x199", 202)
		time.Sleep(time.Hour)
		ask("after an hour", "x199", 0)
	})
}

// An ID outlives the messages, and the use, of its channel.
func TestIDsOutliveTheirChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := memengine.New(memengine.Config{HistoryTTL: 10 * time.Second})
		defer e.Close(context.Background())
		first := publish(t, e, surewire.Publication{ID: "kept"})
		if _, err := e.Publish(t.Context(), "typing", surewire.Publication{ID: "ephemeral", Ephemeral: true}); err != nil {
			t.Fatal(err)
		}
		_, cancel, err := e.Subscribe(t.Context(), "typing", discard{})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		time.Sleep(4 * time.Minute)
		if p := publish(t, e, surewire.Publication{ID: "kept"}); p != first {
			t.Errorf("a retry after %v is at %v", first, p)
		}
		done, err := e.Publish(t.Context(), "typing", surewire.Publication{ID: "ephemeral", Ephemeral: true})
		if err != nil || !done.Duplicate {
			t.Errorf("a retry of what was ephemeral: %+v, %v", done, err)
		}
	})
}

func TestPastIDsAreBounded(t *testing.T) {
	e := memengine.New(memengine.Config{HistorySize: 1})
	defer e.Close(t.Context())
	const n = 10_000
	for i := range n {
		publish(t, e, surewire.Publication{ID: strconv.Itoa(i)})
	}
	known := 0
	for i := range n { // backwards, for what is not known takes the place of what is
		done, err := e.Publish(t.Context(), "c", surewire.Publication{ID: strconv.Itoa(n - 1 - i), Ephemeral: true})
		if err != nil {
			t.Fatal(err)
		}
		if !done.Duplicate {
			break
		}
		known++
	}
	if known != 1+4096 {
		t.Errorf("%d IDs are known, want that of the message and 4,096", known)
	}
}

func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		e := memengine.New(memengine.Config{HistorySize: 3, HistoryTTL: time.Hour, Retention: func(channel string) surewire.Retention {
			asked++
			return map[string]surewire.Retention{
				"small": {Size: 2}, "short": {TTL: time.Minute}, "both": {Size: 5, TTL: 2 * time.Hour}, "odd": {Size: -1, TTL: -1},
			}[channel]
		}})
		defer e.Close(context.Background())
		channels := []string{"small", "short", "both", "odd", "none"}
		for range 9 {
			for _, c := range channels {
				if _, err := e.Publish(t.Context(), c, surewire.Publication{}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if asked != len(channels) {
			t.Errorf("asked %d times for %d channels", asked, len(channels))
		}
		for _, at := range []struct {
			sleep time.Duration
			want  string
		}{
			{0, "[2 3 5 3 3]"}, {time.Minute, "[2 0 5 3 3]"}, {time.Hour, "[0 0 5 0 0]"}, {time.Hour, "[0 0 0 0 0]"},
		} {
			time.Sleep(at.sleep)
			var got []int
			for _, c := range channels {
				h, err := e.History(t.Context(), c, surewire.Position{}, 100)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, len(h.Messages))
			}
			if fmt.Sprint(got) != at.want {
				t.Errorf("%v are kept, want %s", got, at.want)
			}
		}
	})
}

func TestRemoveHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := memengine.New(memengine.Config{HistoryTTL: time.Hour})
		defer e.Close(context.Background())
		var head surewire.Position
		for range 20 {
			head = publish(t, e, surewire.Publication{Data: []byte("1")})
		}
		time.Sleep(50 * time.Minute)
		if err := e.RemoveHistory(t.Context(), "c"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Minute)
		if h := history(t, e, head); h.Head != head || !h.Complete || len(h.Messages) != 0 {
			t.Errorf("from the head: %+v, though the channel was used within the hour", h)
		}
		if p := publish(t, e, surewire.Publication{Data: []byte("2")}); p != (surewire.Position{Epoch: head.Epoch, Offset: 21}) {
			t.Errorf("after %v came %v", head, p)
		}
	})
}

func TestForgottenChannelBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := memengine.New(memengine.Config{HistoryTTL: time.Hour})
		defer e.Close(context.Background())
		first := publish(t, e, surewire.Publication{Data: []byte("1")})
		time.Sleep(3 * time.Hour)
		second := publish(t, e, surewire.Publication{Data: []byte("2")})
		if second.Offset != 1 || second.Epoch == first.Epoch {
			t.Errorf("after %v came %v, want offset 1 of a new epoch", first, second)
		}
	})
}

// A channel is forgotten an hour after its last use, not after its first.
func TestUsedChannelIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := memengine.New(memengine.Config{HistoryTTL: time.Hour})
		defer e.Close(context.Background())
		brief := surewire.Publication{Data: []byte("1"), TTL: time.Minute}
		first := publish(t, e, brief)
		time.Sleep(50 * time.Minute)
		publish(t, e, brief)
		time.Sleep(50 * time.Minute)
		if p := publish(t, e, brief); p != (surewire.Position{Epoch: first.Epoch, Offset: 3}) {
			t.Errorf("after %v, and one more, came %v", first, p)
		}
	})
}

func TestSubscribedChannelIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := memengine.New(memengine.Config{HistoryTTL: time.Hour})
		defer e.Close(context.Background())
		publish(t, e, surewire.Publication{Data: []byte("0")})
		var c counter
		head, cancel, err := e.Subscribe(t.Context(), "c", &c)
		if err != nil {
			t.Fatal(err)
		}
		defer cancel()
		time.Sleep(3 * time.Hour)
		if p := publish(t, e, surewire.Publication{Data: []byte("1")}); p.Epoch != head.Epoch || c.n.Load() != 1 {
			t.Errorf("the epoch went from %q to %q under a subscription, which got %d messages", head.Epoch, p.Epoch, c.n.Load())
		}
	})
}

func TestUnusedChannelsAreNotKept(t *testing.T) {
	e := memengine.New(memengine.Config{})
	defer e.Close(t.Context())
	head, cancel, err := e.Subscribe(t.Context(), "c", discard{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if h := history(t, e, head); !h.Complete || h.Head != head {
		t.Errorf("an empty channel went from %v to %v", head, h.Head)
	}
	before := heap()
	for i := range 100_000 {
		name := fmt.Sprint("c", i)
		_, cancel, err := e.Subscribe(t.Context(), name, discard{})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err := e.History(t.Context(), name, head, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Publish(t.Context(), name, surewire.Publication{Ephemeral: true}); err != nil {
			t.Fatal(err)
		}
	}
	if grown := heap() - before; grown > 10<<20 {
		t.Errorf("100,000 channels without a message left %d bytes", grown)
	}
}

// A million quiet channels are an ordinary number.
func TestQuietChannelsAreThrifty(t *testing.T) {
	e := memengine.New(memengine.Config{})
	const n = 100_000
	names := channels(n)
	before := heap()
	for _, name := range names {
		if _, err := e.Publish(t.Context(), name, surewire.Publication{Data: payload, ID: "7f3a"}); err != nil {
			t.Fatal(err)
		}
		_, cancel, err := e.Subscribe(t.Context(), name, discard{})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	if each := (heap() - before) / n; each > 512 {
		t.Errorf("a channel with one message takes %d bytes besides its data", each)
	}
	e.Close(t.Context())
	if left := heap() - before; left > 1<<20 {
		t.Errorf("a closed engine holds %d bytes", left)
	}
	runtime.KeepAlive(e)
}

// What expired, and what a burst took, is given back.
func TestMemoryIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := memengine.New(memengine.Config{HistorySize: 1 << 16, HistoryTTL: time.Hour})
		defer e.Close(context.Background())
		before := heap()
		for i := range 50_000 {
			publish(t, e, surewire.Publication{ID: strconv.Itoa(i)})
		}
		time.Sleep(59 * time.Minute)
		publish(t, e, surewire.Publication{ID: "last"})
		time.Sleep(30 * time.Minute)
		if grown := heap() - before; grown > 256<<10 {
			t.Errorf("one message of an hour that had 50,000 takes %d bytes", grown)
		}
		if h := history(t, e, surewire.Position{Offset: 50_000}); !h.Complete || offsets(h) != "[50001]" {
			t.Errorf("complete %v %s", h.Complete, offsets(h))
		}
	})
}

// slow is a sink that waits for each token.
type slow struct{ tokens, got chan int }

func (s slow) Deliver(_ string, m *surewire.Message) {
	<-s.tokens
	n, _ := strconv.Atoi(string(m.Data))
	s.got <- n
}
func (s slow) Lost(string) {}

// What is queued goes to those who were there when it was published, and still are.
func TestDeliveryIsForThoseWhoWereThere(t *testing.T) {
	for _, end := range []string{"cancel", "close"} {
		t.Run(end, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := memengine.New(memengine.Config{})
				defer e.Close(context.Background())
				subscribe := func(s surewire.Sink) func() {
					_, cancel, err := e.Subscribe(t.Context(), "c", s)
					if err != nil {
						t.Fatal(err)
					}
					return cancel
				}
				var stays, leaves, comes counter
				first := slow{make(chan int), make(chan int, 10)}
				subscribe(first)
				subscribe(&stays)
				cancel := subscribe(&leaves)
				go e.Publish(t.Context(), "c", surewire.Publication{})
				synctest.Wait() // it waits for a token
				publish(t, e, surewire.Publication{})
				subscribe(&comes)
				want := "[2 0 0]"
				if cancel(); end == "close" {
					e.Close(t.Context())
					want = "[0 0 0]"
				}
				close(first.tokens)
				synctest.Wait()
				if got := fmt.Sprint([]int64{stays.n.Load(), leaves.n.Load(), comes.n.Load()}); got != want {
					t.Errorf("who stayed, left, came got %s messages, want %s", got, want)
				}
			})
		})
	}
}

// One publisher does not deliver for the others for ever, and what waits is bounded.
func TestDeliveryThatLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := memengine.New(memengine.Config{})
		defer e.Close(context.Background())
		s := slow{make(chan int), make(chan int, 1<<17)}
		_, cancel, err := e.Subscribe(t.Context(), "c", s)
		if err != nil {
			t.Fatal(err)
		}
		defer cancel()
		returned := make(chan struct{})
		go func() {
			publish(t, e, surewire.Publication{Data: []byte("0")})
			close(returned)
		}()
		synctest.Wait() // it delivers, and waits for a token
		n := 1
		for ; ; n++ {
			if _, err = e.Publish(t.Context(), "c", surewire.Publication{Data: strconv.AppendInt(nil, int64(n), 10)}); err != nil {
				break
			}
		}
		if !errors.Is(err, surewire.ErrBusy) || n < 1000 {
			t.Fatalf("publication %d: %v, want ErrBusy much later", n, err)
		}
		for range 64 {
			s.tokens <- 0
		}
		<-returned // though the queue is long
		close(s.tokens)
		for i := range n {
			if got := <-s.got; got != i {
				t.Fatalf("%d was delivered, want %d", got, i)
			}
		}
	})
}

type discard struct{}

func (discard) Deliver(string, *surewire.Message) {}
func (discard) Lost(string)                       {}
