package natsengine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine/internal/record"
)

// Headers of what processes ask each other about presence: a question goes to
// all, and its answer to who asked. Who leaves says so, by a question that wants
// no answer.
const (
	fromHeader   = "Surewire-From"   // the life of the engine that speaks
	numberHeader = "Surewire-Number" // of the question
	moreHeader   = "Surewire-More"   // there is more of the answer
)

// presencePatience is how long a process may take to answer, and presencePart
// about how many bytes one message of it has: NATS takes 1 MiB.
const (
	presencePatience = 500 * time.Millisecond
	presencePart     = 256 << 10
)

// KeepPresence implements [surewire.PresenceKeeper].
func (e *Engine) KeepPresence(ctx context.Context, here func(channel string) map[string]surewire.ClientInfo) (cancel func(), err error) {
	switch {
	case e.closed.Load():
		return nil, surewire.ErrClosed
	case !e.config.Shared:
		return func() {}, nil
	}
	stop, err := e.store.Attend(ctx, e.life, func(m *nats.Msg) { e.attend(m, here) })
	if err != nil {
		return nil, fmt.Errorf("presence: %w", e.callError(ctx, err))
	}
	if _, err := e.ask(ctx, ""); err != nil { // so that all know each other
		stop()
		return nil, fmt.Errorf("presence: %w", e.callError(ctx, err))
	}
	return func() {
		e.tell(&nats.Msg{Subject: e.store.All(), Header: nats.Header{fromHeader: {e.life}}})
		stop()
	}, nil
}

// Presence implements [surewire.PresenceKeeper]. A process that has just died is
// waited for once, for half a second.
func (e *Engine) Presence(ctx context.Context, channel string) (map[string]surewire.ClientInfo, error) {
	if err := e.check(ctx, channel); err != nil || !e.config.Shared {
		return nil, err
	}
	answers, err := e.ask(ctx, channel)
	if err != nil {
		return nil, fmt.Errorf("presence of channel %q: %w", channel, e.callError(ctx, err))
	}
	all := make(map[string]surewire.ClientInfo)
	for _, part := range answers {
		for _, m := range part {
			all[m.Client] = m
		}
	}
	return all, nil
}

// ask asks the other processes who reads a channel; nobody reads "".
func (e *Engine) ask(ctx context.Context, channel string) ([][]surewire.ClientInfo, error) {
	return e.roll.Ask(ctx, func(number uint64) error {
		return e.store.Tell(&nats.Msg{
			Subject: e.store.All(), Reply: e.store.One(e.life), Data: []byte(channel),
			Header: nats.Header{fromHeader: {e.life}, numberHeader: {strconv.FormatUint(number, 10)}},
		})
	})
}

// attend takes what another process asks, and answers.
func (e *Engine) attend(m *nats.Msg, here func(channel string) map[string]surewire.ClientInfo) {
	from := m.Header.Get(fromHeader)
	switch {
	case from == "" || from == e.life:
	case m.Subject != e.store.All():
		e.answered(m, from)
	case m.Reply == "":
		e.roll.Gone(from)
	default:
		e.roll.Heard(from)
		e.answer(m, here)
	}
}

// answer tells who asks with m, in as many messages as it takes.
func (e *Engine) answer(m *nats.Msg, here func(channel string) map[string]surewire.ClientInfo) {
	var members map[string]surewire.ClientInfo
	if len(m.Data) > 0 {
		members = here(string(m.Data))
	}
	parts := record.Members(members, presencePart)
	for i, part := range parts {
		answer := &nats.Msg{Subject: m.Reply, Data: part, Header: nats.Header{fromHeader: {e.life}, numberHeader: m.Header[numberHeader]}}
		if i < len(parts)-1 {
			answer.Header[moreHeader] = []string{"1"}
		}
		e.tell(answer)
	}
}

// tell sends m to who has nothing to lose if it does not arrive.
func (e *Engine) tell(m *nats.Msg) {
	if err := e.store.Tell(m); err != nil {
		e.config.Logger.Debug("another process was not told who reads a channel here", "error", err)
	}
}

// answered takes a part of an answer.
func (e *Engine) answered(m *nats.Msg, from string) {
	number, err := strconv.ParseUint(m.Header.Get(numberHeader), 10, 64)
	part, failure := record.ReadMembers(m.Data)
	if err := errors.Join(err, failure); err != nil {
		e.config.Logger.Warn("another process's presence was not understood", "from", from, "error", err)
	}
	e.roll.Answered(number, from, part, m.Header.Get(moreHeader) == "")
}

var _ surewire.PresenceKeeper = (*Engine)(nil)
