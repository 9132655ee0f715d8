package enginetest_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/enginetest"
	"github.com/surewire/surewire/memengine"
)

// faultVariable tells a child of this test which fault its engine has.
const faultVariable = "ENGINETEST_FAULT"

// Each fault breaks one promise; the cases that must see it.
var faults = map[string]string{
	"none":              ".*",
	"skips an offset":   "Offsets",
	"empty epoch":       "Offsets",
	"delivers twice":    "Subscribe",
	"delivers not":      "Subscribe",
	"delivers old":      "Subscribe",
	"ignores cancel":    "Cancel",
	"ignores the limit": "History",
	"always complete":   "HistoryEpoch",
	"reverses history":  "History",
	"stores doubles":    "Duplicate",
	"keeps ephemeral":   "Ephemeral",
	"drops tags":        "Content",
	"takes any channel": "BadChannel",
	"ignores contexts":  "Canceled",
	"works when closed": "Close",
}

// A kit is worth what it finds. Its failures are those of a test, so that each
// broken engine is tested in a process of its own.
func TestKitFindsFaults(t *testing.T) {
	for fault, want := range faults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestBroken$/^"+want+"$", "-test.v")
			cmd.Env = append(os.Environ(), faultVariable+"="+fault)
			out, err := cmd.CombinedOutput()
			if fault == "none" && err != nil {
				t.Fatalf("an engine without a fault fails:\n%s", out)
			}
			if fault != "none" && !strings.Contains(string(out), "--- FAIL: TestBroken/"+want+" ") {
				t.Errorf("%s did not fail:\n%s", want, out)
			}
		})
	}
}

func TestBroken(t *testing.T) {
	fault := os.Getenv(faultVariable)
	if fault == "" {
		fault = "none"
	}
	enginetest.Run(t, func(*testing.T) surewire.Engine {
		return &broken{Engine: memengine.New(memengine.Config{}), fault: fault, live: context.Background()}
	})
}

// broken is an engine with one fault.
type broken struct {
	surewire.Engine
	fault string
	live  context.Context

	mu     sync.Mutex
	closed bool
}

func (b *broken) has(fault string) bool { return b.fault == fault }

// enter spoils what every method takes.
func (b *broken) enter(ctx *context.Context, channel *string) {
	if b.has("ignores contexts") {
		*ctx = b.live
	}
	if b.has("takes any channel") && surewire.CheckChannel(*channel) != nil {
		*channel = "x"
	}
}

func (b *broken) Publish(ctx context.Context, channel string, p surewire.Publication) (surewire.Published, error) {
	b.enter(&ctx, &channel)
	switch {
	case b.has("stores doubles"):
		p.ID = ""
	case b.has("keeps ephemeral"):
		p.Ephemeral = false
	case b.has("drops tags"):
		p.Tags = nil
	}
	done, err := b.Engine.Publish(ctx, channel, p)
	switch {
	case b.has("skips an offset") && done.Position.Offset > 1:
		done.Position.Offset++
	case b.has("empty epoch"):
		done.Position.Epoch = ""
	}
	return done, err
}

func (b *broken) Subscribe(ctx context.Context, channel string, s surewire.Sink) (surewire.Position, func(), error) {
	b.enter(&ctx, &channel)
	if b.has("delivers old") {
		if h, err := b.Engine.History(ctx, channel, surewire.Position{}, 1); err == nil && len(h.Messages) > 0 {
			s.Deliver(channel, h.Messages[0])
		}
	}
	head, cancel, err := b.Engine.Subscribe(ctx, channel, spoiled{s, b})
	if b.has("ignores cancel") {
		cancel = func() {}
	}
	return head, cancel, err
}

func (b *broken) History(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	b.enter(&ctx, &channel)
	if b.has("ignores the limit") {
		limit = 1000
	}
	h, err := b.Engine.History(ctx, channel, after, limit)
	switch {
	case b.has("always complete"):
		h.Complete = true
	case b.has("reverses history"):
		slices.Reverse(h.Messages)
	}
	return h, err
}

func (b *broken) Close(ctx context.Context) error {
	if !b.has("works when closed") {
		return b.Engine.Close(ctx)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return surewire.ErrClosed
	}
	b.closed = true
	return nil
}

// spoiled is a sink behind a faulty delivery.
type spoiled struct {
	surewire.Sink
	engine *broken
}

func (s spoiled) Deliver(channel string, m *surewire.Message) {
	if s.engine.has("delivers not") && m.Position.Offset%5 == 0 {
		return
	}
	s.Sink.Deliver(channel, m)
	if s.engine.has("delivers twice") {
		s.Sink.Deliver(channel, m)
	}
}
