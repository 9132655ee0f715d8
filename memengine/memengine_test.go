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
	if done, _ := e.Publish(t.Context(), "c", surewire.Publication{Data: []byte("0"), ID: "0"}); done.Duplicate {
		t.Error("an ID outlived its message")
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

func TestSubscribedChannelIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := memengine.New(memengine.Config{HistoryTTL: time.Hour})
		defer e.Close(context.Background())
		head, cancel, err := e.Subscribe(t.Context(), "c", discard{})
		if err != nil {
			t.Fatal(err)
		}
		defer cancel()
		time.Sleep(3 * time.Hour)
		if p := publish(t, e, surewire.Publication{Data: []byte("1")}); p.Epoch != head.Epoch {
			t.Errorf("the epoch went from %q to %q under a subscription", head.Epoch, p.Epoch)
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
	var m0, m1 runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m0)
	for i := range 100_000 {
		_, cancel, err := e.Subscribe(t.Context(), fmt.Sprint("c", i), discard{})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	runtime.GC()
	runtime.ReadMemStats(&m1)
	if grown := int64(m1.HeapAlloc) - int64(m0.HeapAlloc); grown > 10<<20 {
		t.Errorf("100,000 channels that nobody published to left %d bytes", grown)
	}
}

// slow is a sink that waits for each token.
type slow struct{ tokens, got chan int }

func (s slow) Deliver(_ string, m *surewire.Message) {
	<-s.tokens
	n, _ := strconv.Atoi(string(m.Data))
	s.got <- n
}
func (s slow) Lost(string) {}

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
