package hub

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub/internal/link"
	"github.com/surewire/surewire/hub/internal/live"
	"github.com/surewire/surewire/wire"
)

// maxRecovered is how many bytes of publications one reply holds, so that it
// fits the message limits of client libraries. At least one goes in.
const maxRecovered = 512 << 10

// A subscription is a cursor of one connection over one channel.
type subscription struct {
	link.Cursor

	// Static once begun.
	conn    *conn
	listed  bool // in presence
	joins   bool // its coming and going are told
	unasked bool // the server began it

	info    atomic.Pointer[surewire.ClientInfo] // what others may see of it
	left    atomic.Bool                         // leave has been called
	expires time.Time                           // zero for never; guarded by conn.mu
}

// subscription returns c's of channel, nil if there is none.
func (c *conn) subscription(channel string) *subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.subs[channel]
}

// reserve keeps a place for a subscription of channel, which settle gives it.
func (c *conn) reserve(channel string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.subs[channel]; ok {
		return wire.ErrAlreadySubscribed
	}
	if limit := c.hub.config.MaxChannels; len(c.subs) >= limit {
		return wire.ErrLimitExceeded.With(fmt.Sprintf("%d channels on one connection", limit))
	}
	if c.subs == nil {
		return surewire.ErrClosed
	}
	c.subs[channel] = nil
	return nil
}

// settle makes s the subscription of channel, or gives the place back if s is nil.
func (c *conn) settle(channel string, s *subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.subs == nil: // the connection has ended
	case s == nil:
		delete(c.subs, channel)
	default:
		c.subs[channel] = s
	}
}

// subscribe places a cursor and replies where it stands.
func (c *conn) subscribe(ctx context.Context, id uint32, r *wire.Subscribe) error {
	if err := surewire.CheckChannel(r.Channel); err != nil {
		return wire.ErrBadRequest.With(err.Error())
	}
	if err := c.reserve(r.Channel); err != nil {
		return err
	}
	g, err := c.hub.askSubscribe(ctx, c.who(), access.SubscribeRequest{Channel: r.Channel, Token: r.Token, Data: r.Data})
	if err != nil {
		c.settle(r.Channel, nil)
		return denied(err)
	}
	s, res, err := c.open(ctx, r, g)
	if err != nil {
		c.settle(r.Channel, nil)
		return err
	}
	c.begin(ctx, wire.AppendSubscribed(nil, id, res), s)
	return nil
}

// open joins the channel and places a cursor as r asks. Nothing is written for
// it before begin.
func (c *conn) open(ctx context.Context, r *wire.Subscribe, g access.Grant) (*subscription, wire.Subscribed, error) {
	if !g.Expires.IsZero() && !g.Expires.After(time.Now()) {
		return nil, wire.Subscribed{}, wire.ErrExpired
	}
	chanInfo, err := c.hub.encode(ctx, r.Channel, g.Info)
	if err != nil {
		return nil, wire.Subscribed{}, err
	}
	data, err := c.hub.encode(ctx, r.Channel, g.Data)
	if err != nil {
		return nil, wire.Subscribed{}, err
	}
	ch, err := c.hub.channels.Join(ctx, r.Channel)
	if err != nil {
		return nil, wire.Subscribed{}, fmt.Errorf("channel %q: %w", r.Channel, err)
	}
	s := &subscription{conn: c, listed: g.Presence, joins: g.Joins, expires: g.Expires}
	s.Channel = ch
	s.info.Store(info(c.who(), chanInfo))
	res, err := s.start(ctx, r, view{c.format, g.Joins && r.Joins})
	if err != nil {
		ch.Leave()
		return nil, res, err
	}
	res.TTL, res.Data = ttl(g.Expires), data
	return s, res, nil
}

// ttl is the time left until expires, at least a second; 0 for the zero time.
func ttl(expires time.Time) time.Duration {
	if expires.IsZero() {
		return 0
	}
	return max(time.Until(expires), time.Second)
}

// begin tells the client, and makes subs live. It reports false if the
// connection is to end.
func (c *conn) begin(ctx context.Context, payload []byte, subs ...*subscription) bool {
	cursors := make([]*link.Cursor, len(subs))
	for i, s := range subs {
		c.settle(s.Channel.Name(), s)
		cursors[i] = &s.Cursor
	}
	begun := c.link.Begin(payload, cursors...)
	for _, s := range subs {
		switch {
		case !begun:
			c.settle(s.Channel.Name(), nil)
			s.leave()
		case s.Channel.IsLost(): // before Begin: Lost found nothing to end
			s.Lost()
		case s.joins:
			s.announce(ctx, surewire.KindJoin)
		}
	}
	if begun {
		c.schedule()
	}
	return begun
}

// announce tells the channel's readers that s has begun or ended.
func (s *subscription) announce(ctx context.Context, k surewire.Kind) {
	h := s.conn.hub
	_, err := h.config.Engine.Publish(ctx, s.Channel.Name(), surewire.Publication{Ephemeral: true, Kind: k, Info: s.info.Load()})
	if err != nil {
		h.config.Logger.LogAttrs(ctx, slog.LevelDebug, "join or leave was not told",
			slog.String("channel", s.Channel.Name()), slog.String("client", s.conn.id), slog.String("error", err.Error()))
	}
}

// beginUnasked begins a subscription that the server wants. It reports whether
// one began.
func (c *conn) beginUnasked(ctx context.Context, channel string, g access.Grant, since *surewire.Position) (bool, error) {
	if c.reserve(channel) != nil {
		return false, nil
	}
	r := &wire.Subscribe{Channel: channel, Joins: true}
	if since != nil {
		r.Recover, r.Since = true, *since
	}
	s, res, err := c.open(ctx, r, g)
	if err != nil {
		c.settle(channel, nil)
		return false, err
	}
	s.unasked = true
	begun := wire.AppendBegun(nil, channel, res)
	for _, m := range res.Publications {
		begun = append(begun, '\n')
		begun = wire.AppendMessage(begun, channel, m)
	}
	ok := c.begin(ctx, begun, s)
	c.link.Flush()
	return ok, nil
}

// unsubscribe ends a subscription that the client no longer wants.
func (c *conn) unsubscribe(id uint32, name string) {
	s, reply := c.subscription(name), wire.AppendUnsubscribed(nil, id)
	if s == nil || !c.link.Finish(&s.Cursor, reply) {
		c.link.Queue(reply)
		return
	}
	c.settle(name, nil)
	s.leave()
}

// end ends a subscription that the client still believes in. It reports false
// if that has happened already.
func (c *conn) end(s *subscription, why wire.SubscriptionEnded) bool {
	if !c.link.Finish(&s.Cursor, wire.AppendEnded(nil, s.Channel.Name(), why)) {
		return false
	}
	c.settle(s.Channel.Name(), nil)
	s.leave()
	c.link.Flush()
	return true
}

// Lost implements [live.Reader]. A client asks for its own subscriptions again;
// for those that the server began, it must connect again.
func (s *subscription) Lost() {
	if s.unasked {
		s.conn.link.Close(surewire.DisconnectInsufficientState)
		return
	}
	s.conn.end(s, wire.InsufficientState)
}

// leaveTimeout bounds how long an engine may take to take a leave.
const leaveTimeout = 5 * time.Second

// leave ends the subscription's part in its channel.
func (s *subscription) leave() {
	if s.left.Swap(true) {
		return
	}
	if s.Channel.Remove(&s.Place) && s.joins {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.conn.link.Context()), leaveTimeout)
		defer cancel()
		s.announce(ctx, surewire.KindLeave)
	}
	s.Channel.Leave()
}

// start places s's cursor and makes s a reader: after what the client has, if it
// asks to recover and everything from there is kept, else at the end.
func (s *subscription) start(ctx context.Context, r *wire.Subscribe, v view) (wire.Subscribed, error) {
	res := wire.Subscribed{WasRecovering: r.Recover}
	var after *uint64
	if r.Recover {
		missed, ok, err := s.missed(ctx, r.Since)
		if err != nil {
			return res, err
		}
		if !ok && r.Flags&wire.FlagRejectUnrecovered != 0 {
			return res, wire.ErrUnrecoverable
		}
		if res.Publications, res.Recovered = missed, ok; ok {
			at := r.Since.Offset
			if n := len(missed); n > 0 {
				at = missed[n-1].Position.Offset
			}
			after = &at // the cursor brings the rest
		}
	}
	head, ok := s.Add(s.conn.link, s, v, after)
	if !ok {
		return res, wire.ErrInternal.With("the channel was reset")
	}
	if res.Position = head; res.Recovered {
		res.Position.Offset = r.Since.Offset
	}
	return res, nil
}

// missed returns what came after since, or as much of it as goes into one reply:
// from the tail, or from history where the tail has not all of it. It reports
// false if not all is there. A client may be ahead of the tail: what it has may
// still be on its way to this process.
func (s *subscription) missed(ctx context.Context, since surewire.Position) ([]*surewire.Message, bool, error) {
	ch, limit := s.Channel, s.conn.hub.config.RecoveryLimit
	messages, head, covered := ch.Missed(since.Offset, limit)
	switch {
	case since.Epoch != "" && since.Epoch != head.Epoch:
		return nil, false, nil
	case covered && !slices.ContainsFunc(messages, expired):
		return fit(messages), true, nil
	}
	since.Epoch = head.Epoch
	h, err := s.conn.hub.history.After(ctx, ch.Name(), since, limit)
	if err != nil {
		return nil, false, fmt.Errorf("channel %q: history: %w", ch.Name(), err)
	}
	if !h.Complete {
		return nil, false, nil
	}
	return fit(h.Messages), true, nil
}

// expired reports whether m's own time is over: whether it is still kept is the
// engine's to say.
func expired(m *surewire.Message) bool { return m.TTL > 0 && time.Since(m.Time) >= m.TTL }

// fit cuts messages to the size of a reply.
func fit(messages []*surewire.Message) []*surewire.Message {
	size := 0
	for i, m := range messages {
		if size += len(m.Data); size > maxRecovered && i > 0 {
			return messages[:i]
		}
	}
	return messages
}

var _ live.Reader = (*subscription)(nil)
