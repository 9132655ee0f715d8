package hub

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub/internal/tail"
	"github.com/surewire/surewire/wire"
)

// maxRecovered is how many bytes of publications one subscribe reply holds, so
// that it fits the message limits of client libraries. At least one goes in.
const maxRecovered = 512 << 10

// subscribe places a cursor and replies where it stands.
func (c *conn) subscribe(ctx context.Context, id uint32, r *wire.Subscribe) error {
	if err := surewire.CheckChannel(r.Channel); err != nil {
		return wire.ErrBadRequest.With(err.Error())
	}
	if err := c.roomFor(r.Channel); err != nil {
		return err
	}
	if err := c.hub.config.Authorizer.Subscribe(ctx, c.client(), r.Channel, r.Token); err != nil {
		return denied(err)
	}
	ch, err := c.hub.join(ctx, r.Channel)
	if err != nil {
		return fmt.Errorf("channel %q: %w", r.Channel, err)
	}
	s := &subscription{conn: c, channel: ch}
	res, err := s.start(ctx, r)
	if err != nil {
		s.leave()
		return err
	}
	c.begin(s, wire.AppendSubscribed(nil, id, res))
	if ch.isLost() { // between start and begin: end found nothing to end
		c.end(s, wire.InsufficientState)
	}
	return nil
}

// begin makes s live. The reply goes first: nothing is written for s before.
func (c *conn) begin(s *subscription, reply []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = c.format.Frame(c.out, reply)
	c.subs[s.channel.name] = s
	s.live, s.woken = true, true
	c.woken = append(c.woken, s)
}

// roomFor returns nil if c may have one more subscription.
func (c *conn) roomFor(channel string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.subs[channel] != nil {
		return wire.ErrAlreadySubscribed
	}
	if limit := c.hub.config.MaxChannels; len(c.subs) >= limit {
		return wire.ErrLimitExceeded.With(fmt.Sprintf("%d channels on one connection", limit))
	}
	return nil
}

// start places s's cursor and makes s a reader: after what the client has, if it
// asks to recover and everything from there is kept, else at the end.
func (s *subscription) start(ctx context.Context, r *wire.Subscribe) (wire.Subscribed, error) {
	res := wire.Subscribed{WasRecovering: r.Recover}
	if r.Recover {
		messages, err := s.recover(ctx, r.Since)
		if err != nil {
			return res, err
		}
		res.Publications, res.Recovered = messages.kept, messages.ok
		if !messages.ok && r.Flags&wire.FlagRejectUnrecovered != 0 {
			return res, wire.ErrUnrecoverable
		}
	}
	ch := s.channel
	ch.mu.Lock()
	defer ch.mu.Unlock()
	res.Position = ch.tail.Position()
	if res.Recovered {
		res.Position.Offset = r.Since.Offset
	} else {
		s.cursor = ch.tail.End()
	}
	if !ch.add(s) {
		return res, wire.ErrInternal.With("the channel was reset")
	}
	return res, nil
}

// recovered is what a client missed, or as much of it as goes into one reply:
// the cursor, which is behind it, brings the rest.
type recovered struct {
	kept []*surewire.Message
	ok   bool // all that was missed is there
}

// recover places s's cursor after what the client has and after what it returns:
// from the tail, or from history where the tail has not all of it. A client may
// be ahead of the tail: what it has may still be on its way to this process.
func (s *subscription) recover(ctx context.Context, since surewire.Position) (recovered, error) {
	ch, limit := s.channel, s.conn.hub.config.RecoveryLimit
	ch.mu.Lock()
	head := ch.tail.Position()
	var messages []*surewire.Message
	covered := ch.tail.Covers(since.Offset) && since.Offset <= head.Offset
	if covered {
		messages = ch.tail.Messages(since.Offset, limit)
	}
	ch.mu.Unlock()
	switch {
	case since.Epoch != "" && since.Epoch != head.Epoch:
		return recovered{}, nil
	case covered && !slices.ContainsFunc(messages, expired):
		return s.resume(since.Offset, messages), nil
	}
	since.Epoch = head.Epoch
	h, err := s.conn.hub.history(ctx, ch.name, since, limit)
	if err != nil {
		return recovered{}, fmt.Errorf("channel %q: history: %w", ch.name, err)
	}
	if !h.Complete {
		return recovered{}, nil
	}
	return s.resume(since.Offset, h.Messages), nil
}

// expired reports whether m's own time is over: whether it is still kept is the
// engine's to say.
func expired(m *surewire.Message) bool { return m.TTL > 0 && time.Since(m.Time) >= m.TTL }

// resume cuts messages to the size of a reply and places the cursor behind them.
// Where in the tail that is, if it is there, is found by the first read.
func (s *subscription) resume(after uint64, messages []*surewire.Message) recovered {
	size := 0
	for i, m := range messages {
		if size += len(m.Data); size > maxRecovered && i > 0 {
			messages = messages[:i]
			break
		}
		after = m.Position.Offset
	}
	s.cursor = tail.After(after)
	return recovered{messages, true}
}
