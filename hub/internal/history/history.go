// Package history reads what an engine keeps, for clients. How many do so at once
// is bounded: the engine is everybody's.
package history

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub/internal/live"
	"github.com/surewire/surewire/wire"
)

// maxReads bounds how many read at once, and timeout how long one may take,
// whoever waits for it.
const (
	maxReads = 64
	timeout  = 10 * time.Second
)

// A Reader reads an engine. Its methods may be called concurrently.
type Reader struct {
	engine surewire.Engine
	reads  chan struct{} // a token per read
}

// New returns a reader of e.
func New(e surewire.Engine) *Reader { return &Reader{e, make(chan struct{}, maxReads)} }

// After is [surewire.Engine.History], within the reader's bounds.
func (r *Reader) After(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case r.reads <- struct{}{}:
		defer func() { <-r.reads }()
	case <-ctx.Done():
		return surewire.History{}, ctx.Err()
	}
	return r.engine.History(ctx, channel, after, limit)
}

// Page returns at most limit of the messages that are kept of channel. They come
// after since, or, newest first, before since if reverse is set; a nil since
// begins at the oldest, or at the newest. Where since is of another epoch the
// error is [wire.ErrUnrecoverable].
func (r *Reader) Page(ctx context.Context, channel string, since *surewire.Position, limit int, reverse bool) (surewire.History, error) {
	var after surewire.Position
	if since != nil {
		after = *since
	}
	first := limit
	if reverse {
		first, after.Offset = 0, 0 // where the log ends is to be known first
	}
	got, err := r.After(ctx, channel, after, first)
	if err == nil && after.Epoch != "" && after.Epoch != got.Head.Epoch {
		err = wire.ErrUnrecoverable
	}
	if after.Offset > got.Head.Offset {
		got.Messages = nil // an engine begins with the oldest where it does not know the position
	}
	if err != nil || !reverse || limit <= 0 {
		return got, err
	}
	// Offsets are contiguous: what is before one is a stretch that can be named.
	before := got.Head.Offset + 1
	if since != nil {
		before = min(before, max(since.Offset, 1))
	}
	for n := min(uint64(limit), before-1); ; n = min(2*n, before-1) {
		got, err = r.After(ctx, channel, surewire.Position{Epoch: got.Head.Epoch, Offset: before - 1 - n}, int(n))
		got.Messages = slices.DeleteFunc(slices.Clone(got.Messages), func(m *surewire.Message) bool { return m.Position.Offset >= before })
		if err != nil || len(got.Messages) > 0 || n == before-1 || !r.hasOlder(ctx, channel, before) {
			break
		}
	}
	slices.Reverse(got.Messages)
	got.Messages = got.Messages[:min(limit, len(got.Messages))]
	return got, err
}

// hasOlder reports whether anything before offset is kept. Where publications
// expire by themselves, a stretch without any says nothing of those before it.
func (r *Reader) hasOlder(ctx context.Context, channel string, offset uint64) bool {
	oldest, err := r.After(ctx, channel, surewire.Position{}, 1)
	return err == nil && len(oldest.Messages) > 0 && oldest.Messages[0].Position.Offset < offset
}

// maxReply is how many bytes of publications one reply holds, so that it fits
// the message limits of client libraries.
const maxReply = 512 << 10

// Fit cuts messages to what goes into one reply that has share parts like it,
// but not to none.
func Fit(messages []*surewire.Message, share int) []*surewire.Message {
	size := 0
	for i, m := range messages {
		if size += len(m.Data); size > maxReply/share && i > 0 {
			return messages[:i]
		}
	}
	return messages
}

// expired reports whether m's own time is over: whether it is still kept is the
// engine's to say.
func expired(m *surewire.Message) bool { return m.TTL > 0 && time.Since(m.Time) >= m.TTL }

// Missed returns what came after since, or as much of it as goes into one reply
// that has share parts like it: from the tail, or from history where the tail has
// not all of it. It reports false if not all is there. A client may be ahead of
// the tail: what it has may still be on its way to this process.
func (r *Reader) Missed(ctx context.Context, ch *live.Channel, since surewire.Position, limit, share int) ([]*surewire.Message, bool, error) {
	messages, head, covered := ch.Missed(since.Offset, limit)
	switch {
	case since.Epoch != "" && since.Epoch != head.Epoch:
		return nil, false, nil
	case covered && !slices.ContainsFunc(messages, expired):
		return Fit(messages, share), true, nil
	}
	since.Epoch = head.Epoch
	h, err := r.After(ctx, ch.Name(), since, limit)
	if err != nil {
		return nil, false, fmt.Errorf("channel %q: history: %w", ch.Name(), err)
	}
	if !h.Complete {
		return nil, false, nil
	}
	return Fit(h.Messages, share), true, nil
}

// Resume begins the answer to r: with what the client has missed, if it asks to
// recover and everything is there. The cursor is to stand after the publication
// at *after then, and brings the rest; nil is the end.
func (r *Reader) Resume(ctx context.Context, ch *live.Channel, s *wire.Subscribe, limit, share int) (res wire.Subscribed, after *uint64, err error) {
	if res.WasRecovering = s.Recover; !s.Recover {
		return res, nil, nil
	}
	missed, ok, err := r.Missed(ctx, ch, s.Since, limit, share)
	switch {
	case err != nil:
		return res, nil, err
	case !ok && s.Flags&wire.FlagRejectUnrecovered != 0:
		return res, nil, wire.ErrUnrecoverable
	case !ok:
		return res, nil, nil
	}
	at := s.Since.Offset
	if n := len(missed); n > 0 {
		at = missed[n-1].Position.Offset
	}
	res.Publications, res.Recovered = missed, true
	return res, &at, nil
}
