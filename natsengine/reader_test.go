package natsengine_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/surewire/surewire"
)

// A reader reads one channel as clients do that come and go: it subscribes, asks
// for what it has missed, stays a while, and comes back to where it stood.
type reader struct {
	engine  surewire.Engine
	say     *sayer
	name    string // of the node
	channel string
	at      surewire.Position
}

// run reads until ctx is done.
func (r *reader) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := r.stay(ctx); err != nil {
			r.say.line("err reader: %v", err)
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// stay reads for a while.
func (r *reader) stay(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	q := &queue{more: make(chan struct{}, 1)}
	head, leave, err := r.engine.Subscribe(ctx, r.channel, q)
	if err != nil {
		return err
	}
	defer leave()
	for r.at.Offset < head.Offset {
		h, err := r.engine.History(ctx, r.channel, r.at, 500)
		if err != nil {
			return err
		}
		if !h.Complete {
			r.say.line("bad a reader of %s stands at %v and is told to start anew; the head is %v", r.channel, r.at, h.Head)
		}
		for _, m := range h.Messages {
			if m.Position.Offset <= head.Offset { // the rest comes
				r.take(m)
			}
		}
		if len(h.Messages) == 0 {
			time.Sleep(20 * time.Millisecond)
		}
	}
	over := time.After(time.Duration(500+rand.IntN(2500)) * time.Millisecond)
	for {
		all, lost := q.empty()
		for _, m := range all {
			r.take(m)
		}
		if lost {
			return nil
		}
		select {
		case <-over:
			return nil
		case <-ctx.Done():
			return nil
		case <-q.more:
		}
	}
}

func (r *reader) take(m *surewire.Message) {
	r.say.line("got %s %s %s %s %d", r.name, r.channel, m.ID, m.Position.Epoch, m.Position.Offset)
	r.at = m.Position
}

// A queue is a sink that keeps what it gets until it is asked.
type queue struct {
	mu   sync.Mutex
	all  []*surewire.Message
	lost bool
	more chan struct{}
}

func (q *queue) Deliver(_ string, m *surewire.Message) { q.put(m, false) }
func (q *queue) Lost(string)                           { q.put(nil, true) }

func (q *queue) put(m *surewire.Message, lost bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if lost {
		q.lost = true
	} else if !q.lost {
		q.all = append(q.all, m)
	}
	select {
	case q.more <- struct{}{}:
	default:
	}
}

func (q *queue) empty() (all []*surewire.Message, lost bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	all, q.all = q.all, nil
	return all, q.lost
}

// read enters what a reader says it got.
func (b *book) read(line string) {
	name, rest, _ := strings.Cut(line, " ")
	p := parsePlace(rest)
	b.got[name] = append(b.got[name], p)
	if b.reached[name] == nil {
		b.reached[name] = map[string]uint64{}
	}
	b.reached[name][p.channel] = max(b.reached[name][p.channel], p.at.Offset)
}

// recover waits until each writer has had something acknowledged since then, and
// each reader has all that was acknowledged before. It returns how long that took.
func (b *book) recover(t *testing.T, since time.Time) (writers, readers time.Duration) {
	t.Helper()
	b.mu.Lock()
	want := maps.Clone(b.newest)
	b.mu.Unlock()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		missing := b.behind(since, want)
		if missing.writer == "" && writers == 0 {
			writers = time.Since(since)
		}
		if missing.reader == "" && readers == 0 {
			readers = time.Since(since)
		}
		if writers > 0 && readers > 0 {
			return writers, readers
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("after a minute there is behind: %+v; errors: %v", b.behind(since, want), b.takeErrs())
	return
}

// takeErrs returns what publishers and readers were told since the last time.
func (b *book) takeErrs() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	errs := b.errs
	b.errs = map[string]int{}
	return errs
}

// A lag names one who is behind.
type lag struct{ writer, reader string }

func (b *book) behind(since time.Time, want map[string]uint64) (l lag) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for w, at := range b.acked {
		if at.Before(since) {
			l.writer = fmt.Sprintf("%s, last at %v", w, at)
		}
	}
	for name, reached := range b.reached {
		for channel, offset := range want {
			if reached[channel] < offset {
				l.reader = fmt.Sprintf("%s, which has %d of %d in %s", name, reached[channel], offset, channel)
			}
		}
	}
	return l
}

// judgeReaders compares what each reader got with what was acknowledged.
func (b *book) judgeReaders(t *testing.T, want int) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.got) != want {
		t.Errorf("%d readers got something, want %d", len(b.got), want)
	}
	for name, got := range b.got {
		faults := audit(b.told, got)
		for _, f := range faults[:min(len(faults), 10)] {
			t.Errorf("%s: %s", name, f)
		}
		t.Logf("the readers of %s got %d; %d faults", name, len(got), len(faults))
	}
}
