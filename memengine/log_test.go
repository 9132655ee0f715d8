package memengine

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire"
)

// gate is a sink that waits until it is opened.
type gate chan struct{}

func (g gate) Deliver(string, *surewire.Message) { <-g }
func (g gate) Lost(string)                       {}

func (e *Engine) mustPublish(t *testing.T, p surewire.Publication) {
	t.Helper()
	if _, err := e.Publish(t.Context(), "c", p); err != nil {
		t.Fatal(err)
	}
}

// peek calls f on the log of channel c, under its lock.
func (e *Engine) peek(f func(l *log)) {
	s := e.shard("c")
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.logs["c"])
}

// A log takes no more memory than what it keeps needs, once it had the chance.
func TestLogGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(Config{HistoryTTL: time.Hour, HistorySize: 5000})
		defer e.Close(context.Background())
		g := make(gate)
		_, cancel, err := e.Subscribe(t.Context(), "c", g)
		if err != nil {
			t.Fatal(err)
		}
		go e.Publish(t.Context(), "c", surewire.Publication{})
		synctest.Wait() // it waits at the gate
		for i := range 1000 {
			e.mustPublish(t, surewire.Publication{ID: strconv.Itoa(i), TTL: time.Second})
		}
		close(g)
		synctest.Wait()
		e.peek(func(l *log) {
			if n := len(l.live.queue.buf); n > maxBatch {
				t.Errorf("the queue holds room for %d deliveries", n)
			}
		})
		cancel()
		time.Sleep(59 * time.Minute)
		e.mustPublish(t, surewire.Publication{ID: "last"})
		time.Sleep(10 * time.Minute)
		e.peek(func(l *log) {
			if l.messages.n != 1 || len(l.messages.buf) > 4 || l.short != 0 || len(l.known.past.buf) != 0 || l.known.index != nil {
				t.Errorf("one message is kept: %+v, %d short, %+v", l.messages, l.short, l.known)
			}
		})
	})
}

// Where the last subscription ends under a delivery, that delivery tidies up.
func TestLogRestsAfterDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(Config{})
		defer e.Close(context.Background())
		g := make(gate)
		_, cancel, err := e.Subscribe(t.Context(), "c", g)
		if err != nil {
			t.Fatal(err)
		}
		go e.Publish(t.Context(), "c", surewire.Publication{})
		synctest.Wait()
		cancel()
		close(g)
		synctest.Wait()
		e.peek(func(l *log) {
			if l.live != nil {
				t.Errorf("nobody listens: %+v", l.live)
			}
		})
	})
}

// A ring makes room by what has expired before it grows.
func TestLogExpiresRatherThanGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(Config{Retention: func(string) surewire.Retention { return surewire.Retention{TTL: 10 * time.Second} }})
		defer e.Close(context.Background())
		for range 500 { // in less than the minute until it is swept
			time.Sleep(100 * time.Millisecond)
			e.mustPublish(t, surewire.Publication{})
		}
		e.peek(func(l *log) {
			if len(l.messages.buf) > 128 {
				t.Errorf("100 messages are kept in a ring for %d", len(l.messages.buf))
			}
		})
	})
}
