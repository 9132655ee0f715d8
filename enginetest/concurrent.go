package enginetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire"
)

func testManyChannels(k *kit) {
	const channels, writers, each = 60, 6, 3
	name := func(i int) string { return "many:" + strconv.Itoa(i) }
	var recorders [channels]*recorder
	for i := range recorders {
		var cancel func()
		recorders[i], _, cancel = k.subscribe(name(i))
		defer cancel()
	}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each * channels {
				if _, err := k.Publish(k.ctx, name((i+w*7)%channels), number(i)); err != nil {
					k.Errorf("Publish: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for i, r := range recorders {
		h := k.history(name(i), surewire.Position{}, 1000)
		wantEqual(k, "the head of "+name(i), h.Head.Offset, writers*each)
		live := r.wait(k, writers*each)
		checkRun(k, live, h.Head.Epoch, 1)
		wantEqual(k, "the order of history of "+name(i), datas(h.Messages), datas(live))
	}
}

// testSubscribeStorm has subscriptions come and go while others publish, and
// looks at what each of them got.
func testSubscribeStorm(k *kit) {
	const readers, rounds = 6, 20
	var publishers, subscribers sync.WaitGroup
	stop := make(chan struct{})
	channels := []string{"a", "b"}
	for w := range 3 {
		publishers.Go(func() { publishUntil(k, stop, channels, w) })
	}
	var mu sync.Mutex
	gone := map[*recorder]int{} // and how many messages it had when it went
	for n := range readers {
		subscribers.Go(func() {
			for i := range rounds {
				r, head, cancel := k.subscribe(channels[(n+i)%2])
				r.wait(k, i%5)
				cancel()
				got := r.got(k)
				checkRun(k, stored(got), head.Epoch, head.Offset+1)
				mu.Lock()
				gone[r] = len(got)
				mu.Unlock()
			}
		})
	}
	subscribers.Wait()
	close(stop)
	publishers.Wait()
	for r, n := range gone {
		if more := len(r.got(k)) - n; more > 1 { // one delivery may have begun
			k.Errorf("%d messages were delivered after cancel", more)
		}
	}
}

// publishUntil publishes to the channels in turn, every third time ephemerally,
// in short bursts: subscriptions are to come and go between them too.
func publishUntil(k *kit, stop <-chan struct{}, channels []string, i int) {
	for ; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		if i%16 == 0 {
			time.Sleep(time.Millisecond)
		}
		p := number(i)
		p.Ephemeral = i%3 == 0
		if _, err := k.Publish(k.ctx, channels[i%len(channels)], p); err != nil && !errors.Is(err, surewire.ErrBusy) {
			k.Errorf("Publish: %v", err)
			return
		}
	}
}

// stored leaves out the ephemeral messages.
func stored(messages []*surewire.Message) (out []*surewire.Message) {
	for _, m := range messages {
		if !m.Ephemeral {
			out = append(out, m)
		}
	}
	return out
}

// exclusive is a sink that takes its time, and counts who does not wait for it.
type exclusive struct {
	busy             atomic.Bool
	overlaps, called atomic.Int64
}

func (e *exclusive) Deliver(string, *surewire.Message) {
	if e.busy.Swap(true) {
		e.overlaps.Add(1)
	}
	time.Sleep(100 * time.Microsecond)
	e.busy.Store(false)
	e.called.Add(1)
}

func (e *exclusive) Lost(string) {}

func testOneAtATime(k *kit) {
	e := &exclusive{}
	_, cancel, err := k.Subscribe(k.ctx, "c", e)
	if err != nil {
		k.Fatalf("Subscribe: %v", err)
	}
	defer cancel()
	const writers, each = 8, 12
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := k.Publish(k.ctx, "c", number(i)); err != nil {
					k.Errorf("Publish: %v", err)
				}
			}
		})
	}
	wg.Wait()
	k.eventually("delivery of all messages", func() bool { return e.called.Load() == writers*each })
	wantEqual(k, "the number of deliveries that began before another had ended", e.overlaps.Load(), 0)
}

func testConcurrentDuplicates(k *kit) {
	const writers, ids = 6, 20
	var results [writers][ids]surewire.Published
	start := make(chan struct{})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			<-start
			for i := range ids {
				p := number(w)
				p.ID = fmt.Sprint("id-", i)
				done, err := k.Publish(k.ctx, "c", p)
				if err != nil {
					k.Errorf("Publish: %v", err)
				}
				results[w][i] = done
			}
		})
	}
	close(start)
	wg.Wait()
	for i := range ids {
		first := 0
		for w := range writers {
			if !results[w][i].Duplicate {
				first++
			}
			wantEqual(k, "the position of a duplicate", results[w][i].Position, results[0][i].Position)
		}
		wantEqual(k, "publications of one ID that are no duplicate", first, 1)
	}
	h := k.history("c", surewire.Position{}, 1000)
	wantEqual(k, "the number of messages", len(h.Messages), ids)
	checkOnce(k, h.Messages)
}

// checkOnce fails if two messages have the same ID.
func checkOnce(k *kit, messages []*surewire.Message) {
	k.Helper()
	seen := map[string]bool{}
	for _, m := range messages {
		if seen[m.ID] {
			k.Errorf("ID %q is stored twice", m.ID)
		}
		seen[m.ID] = true
	}
}

func testCloseWhilePublishing(k *kit) {
	r, head, cancel := k.subscribe("c")
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[surewire.Position]bool{}
	for range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				done, err := k.Publish(k.ctx, "c", number(i))
				if errors.Is(err, surewire.ErrBusy) {
					continue
				}
				if err != nil {
					if !errors.Is(err, surewire.ErrClosed) && !errors.Is(err, surewire.ErrUnknown) {
						k.Errorf("Publish, while the engine is closed, returned %v", err)
					}
					return
				}
				mu.Lock()
				if seen[done.Position] {
					k.Errorf("two publications are at %v", done.Position)
				}
				seen[done.Position] = true
				mu.Unlock()
			}
		})
	}
	r.wait(k, 20)
	if err := k.Engine.Close(k.ctx); err != nil {
		k.Errorf("Close: %v", err)
	}
	wg.Wait()
	checkRun(k, r.got(k), head.Epoch, 1)
	cancel()
}
