package enginetest_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/surewire/surewire"
)

// An optional is an engine with all that is optional.
type optional interface {
	surewire.Engine
	surewire.HealthChecker
	surewire.HistoryRemover
}

// broken is an engine with one fault, or none.
type broken struct {
	optional
	fault string

	mu       sync.Mutex
	closed   bool
	inFlight map[string]int // publications by ID
	channels []string       // seen
}

func newBroken(e optional) *broken {
	return &broken{optional: e, fault: os.Getenv(faultVariable), inFlight: map[string]int{}}
}

func (b *broken) has(fault string) bool { return b.fault == fault }

// enter spoils what every method takes.
func (b *broken) enter(ctx *context.Context, channel *string) {
	if b.has("ignores contexts") {
		*ctx = context.Background()
	}
	if b.has("takes any channel") && surewire.CheckChannel(*channel) != nil {
		*channel = "x"
	}
	if b.has("mixes channels") && len(*channel) > 6 {
		*channel = (*channel)[:6]
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.has("removes all channels") && !slices.Contains(b.channels, *channel) {
		b.channels = append(b.channels, *channel)
	}
}

func (b *broken) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

// spoil alters what is published.
func (b *broken) spoil(p surewire.Publication) surewire.Publication {
	switch b.fault {
	case "stores doubles":
		p.ID = ""
	case "stores doubles at once":
		if b.begin(p.ID) > 1 {
			p.ID = ""
		}
		time.Sleep(time.Millisecond)
	case "keeps ephemeral":
		p.Ephemeral = false
	case "drops kinds":
		p.Kind = surewire.KindData
	case "drops tags":
		p.Tags = nil
	case "drops who published":
		p.Info = nil
	case "drops traces":
		p.Trace = nil
	case "ignores TTLs":
		p.TTL = 0
	}
	return p
}

func (b *broken) begin(id string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight[id]++
	return b.inFlight[id]
}

func (b *broken) end(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight[id]--
}

func (b *broken) Publish(ctx context.Context, channel string, p surewire.Publication) (surewire.Published, error) {
	b.enter(&ctx, &channel)
	if b.has("stores doubles at once") {
		defer b.end(p.ID)
	}
	done, err := b.optional.Publish(ctx, channel, b.spoil(p))
	switch {
	case b.has("skips an offset") && done.Position.Offset > 1:
		done.Position.Offset++
	case b.has("empty epoch"):
		done.Position.Epoch = ""
	case b.has("vague when closed") && errors.Is(err, surewire.ErrClosed):
		err = errors.New("broken pipe")
	case b.has("lies when closed") && errors.Is(err, surewire.ErrClosed) && b.begin("lie") <= 2:
		err = nil
	}
	return done, err
}

// PublishAsync may call done before it returns.
func (b *broken) PublishAsync(ctx context.Context, channel string, p surewire.Publication, done func(surewire.Published, error)) error {
	if b.has("overtakes itself") && string(p.Data) == "5" {
		go func() {
			time.Sleep(20 * time.Millisecond)
			done(b.Publish(ctx, channel, p))
		}()
		return nil
	}
	published, err := b.Publish(ctx, channel, p)
	if b.has("tells twice") {
		done(published, err)
	}
	if !b.has("tells nobody") || string(p.Data) != "5" {
		done(published, err)
	}
	return nil
}

func (b *broken) Subscribe(ctx context.Context, channel string, s surewire.Sink) (surewire.Position, func(), error) {
	b.enter(&ctx, &channel)
	if b.has("delivers old") {
		if h, err := b.optional.History(ctx, channel, surewire.Position{}, 1); err == nil && len(h.Messages) > 0 {
			s.Deliver(channel, h.Messages[0])
		}
	}
	head, cancel, err := b.optional.Subscribe(ctx, channel, &spoiled{Sink: s, engine: b})
	if b.has("ignores cancel") {
		cancel = func() {}
	}
	return head, cancel, err
}

func (b *broken) History(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	b.enter(&ctx, &channel)
	switch {
	case b.has("ignores the limit"):
		limit = 1000
	case b.has("fears large limits"):
		limit = int(int32(limit))
	}
	h, err := b.optional.History(ctx, channel, after, limit)
	switch {
	case b.has("always complete"):
		h.Complete = true
	case b.has("reverses history"):
		slices.Reverse(h.Messages)
	case b.has("skips between pages") && after.Offset > 0 && len(h.Messages) > 1:
		h.Messages = h.Messages[1:]
	}
	return h, err
}

func (b *broken) Healthy(ctx context.Context) error {
	switch {
	case b.has("ill"):
		return surewire.ErrUnavailable
	case b.has("healthy when closed"):
		return nil
	}
	return b.optional.Healthy(ctx)
}

func (b *broken) RemoveHistory(ctx context.Context, channel string) error {
	b.enter(&ctx, &channel)
	switch {
	case b.has("removes nothing"):
		return nil
	case b.has("removes when closed") && b.isClosed():
		return nil
	case b.has("removes the log"):
		_, err := b.optional.Publish(ctx, channel, surewire.Publication{}) // the head does not stay
		return errors.Join(err, b.optional.RemoveHistory(ctx, channel))
	}
	for _, other := range b.channels {
		b.optional.RemoveHistory(ctx, other)
	}
	return b.optional.RemoveHistory(ctx, channel)
}

func (b *broken) Close(ctx context.Context) error {
	b.mu.Lock()
	again := b.closed
	b.closed = true
	b.mu.Unlock()
	if !b.has("works when closed") {
		return b.optional.Close(ctx)
	}
	if again {
		return surewire.ErrClosed
	}
	return nil
}

// spoiled is a sink behind a faulty delivery.
type spoiled struct {
	surewire.Sink
	engine *broken
	held   *surewire.Message
}

func (s *spoiled) Deliver(channel string, m *surewire.Message) {
	switch {
	case s.engine.has("delivers not") && m.Position.Offset%5 == 0:
	case s.engine.has("delivers astray"):
		s.Sink.Deliver("astray", m)
	case s.engine.has("delivers at once"):
		go s.Sink.Deliver(channel, m)
	case s.engine.has("ephemeral overtakes") && !m.Ephemeral && s.held == nil:
		s.held = m
	default:
		s.Sink.Deliver(channel, m)
	}
	if s.engine.has("delivers twice") {
		s.Sink.Deliver(channel, m)
	}
	if s.held != nil && s.held != m {
		s.Sink.Deliver(channel, s.held)
		s.held = nil
	}
}
