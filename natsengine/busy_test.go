package natsengine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine"
)

// More publishers than may wait are told to come back, and nothing of theirs is stored.
func TestBusy(t *testing.T) {
	e := start(t, t.TempDir(), natsengine.Config{MaxPending: 16})
	var stored, busy atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 20 {
				switch _, err := e.Publish(t.Context(), "c", surewire.Publication{Data: []byte("1")}); {
				case err == nil:
					stored.Add(1)
				case errors.Is(err, surewire.ErrBusy):
					busy.Add(1)
				default:
					t.Errorf("Publish: %v", err)
				}
			}
		})
	}
	wg.Wait()
	h, err := e.History(t.Context(), "c", surewire.Position{}, 0)
	if err != nil || int64(h.Head.Offset) != stored.Load() {
		t.Errorf("the head is %v (%v), and %d were stored", h.Head, err, stored.Load())
	}
	if s := e.Stats(); busy.Load() == 0 || int64(s.Busy) != busy.Load() || s.Pending != 0 || int64(s.Published) != stored.Load() {
		t.Errorf("%d were told that it is busy; %+v", busy.Load(), s)
	}
}

// stuck is a sink that does not return until it is freed.
type stuck struct {
	free chan struct{}
	sink
}

func (s stuck) Deliver(channel string, m *surewire.Message) {
	<-s.free
	s.sink.Deliver(channel, m)
}

// What comes faster than it is taken is dropped on the way, and looked up.
func TestDroppedIsLookedUp(t *testing.T) {
	e := start(t, t.TempDir(), natsengine.Config{MaxDelivery: 100})
	const channels, each = 20, 200
	got := make([]chan *surewire.Message, channels)
	free := make(chan struct{})
	for i := range got {
		got[i] = make(chan *surewire.Message, each+1)
		_, cancel, err := e.Subscribe(t.Context(), fmt.Sprint("c:", i), stuck{free, sink{got[i]}})
		if err != nil {
			t.Fatal(err)
		}
		defer cancel()
	}
	var wg sync.WaitGroup
	for i := range channels {
		wg.Go(func() {
			for range each {
				if _, err := e.Publish(t.Context(), fmt.Sprint("c:", i), surewire.Publication{Data: []byte("1")}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	close(free)
	for i := range got {
		for n := uint64(1); n <= each; n++ {
			select {
			case m := <-got[i]:
				if m == nil || m.Position.Offset != n {
					t.Fatalf("channel %d got %+v, want offset %d", i, m, n)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("channel %d: offset %d has not come", i, n)
			}
		}
	}
	if s := e.Stats(); s.Slow == 0 || s.Gaps == 0 || s.Lost != 0 {
		t.Errorf("nothing was dropped and looked up: %+v", s)
	}
}

// Long history is read by the links and in bulk, short history by the chain: all
// stretches are what they should be.
func TestHistoryStretches(t *testing.T) {
	const size, total = 500, 777
	e := start(t, t.TempDir(), natsengine.Config{Profile: func(string) natsengine.Profile {
		return natsengine.Profile{Retention: surewire.Retention{Size: size}}
	}})
	for i := range total {
		for _, c := range []string{"c", "d"} {
			if _, err := e.Publish(t.Context(), c, surewire.Publication{Data: fmt.Append(nil, i+1)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	oldest := uint64(total - size + 1)
	for after := uint64(0); after <= total; after += 7 {
		for _, limit := range []int{1, 10, 100, 1000} {
			h, err := e.History(context.Background(), "c", surewire.Position{Offset: after}, limit)
			if err != nil {
				t.Fatal(err)
			}
			first := max(after+1, oldest)
			if after+1 < oldest {
				first = oldest
			}
			want := min(limit, int(total-first+1))
			if h.Complete != (after+1 >= oldest) || len(h.Messages) != want {
				t.Fatalf("after %d, limit %d: complete %v, %d messages, want %d", after, limit, h.Complete, len(h.Messages), want)
			}
			for i, m := range h.Messages {
				if m.Position.Offset != first+uint64(i) || string(m.Data) != fmt.Sprint(m.Position.Offset) {
					t.Fatalf("after %d, limit %d: message %d is %v %s", after, limit, i, m.Position, m.Data)
				}
			}
		}
	}
}
