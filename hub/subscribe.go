package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub/internal/ask"
	"github.com/surewire/surewire/hub/internal/herald"
	"github.com/surewire/surewire/hub/internal/link"
	"github.com/surewire/surewire/hub/internal/live"
	"github.com/surewire/surewire/hub/internal/term"
	"github.com/surewire/surewire/wire"
)

// A subscription is a cursor of one connection over one channel.
type subscription struct {
	link.Cursor

	// Static once begun.
	conn    *conn
	listed  bool // in presence
	joins   bool // its coming and going are told
	unasked bool // the server began it
	sharing int  // how many begin with one reply; 0 means 1

	info atomic.Pointer[surewire.ClientInfo] // what others may see of it
	term term.Term                           // guarded by conn.mu
	told herald.Herald                       // that it has come and gone
}

// subscription returns c's of channel, nil if there is none.
func (c *conn) subscription(channel string) *subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, _ := c.subs.Get(channel)
	return s
}

// reserve keeps a place for a subscription of channel, which settle gives it.
func (c *conn) reserve(channel string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.subs.Get(channel); ok {
		return wire.ErrAlreadySubscribed
	}
	if limit := c.hub.config.MaxChannels; c.subs.Len() >= limit {
		return wire.ErrLimitExceeded.With(fmt.Sprintf("%d channels on one connection", limit))
	}
	if c.ended {
		return surewire.ErrClosed
	}
	c.subs.Set(channel, nil)
	return nil
}

// settle makes s the subscription of channel, or gives the place back if s is
// nil. It reports false if the connection has ended.
func (c *conn) settle(channel string, s *subscription) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s == nil {
		c.subs.Delete(channel)
	} else if !c.ended {
		c.subs.Set(channel, s)
	}
	return !c.ended
}

// subscribe places a cursor and replies where it stands.
func (c *conn) subscribe(ctx context.Context, id uint32, r *wire.Subscribe) error {
	if err := surewire.CheckChannel(r.Channel); err != nil {
		return wire.ErrBadRequest.With(err.Error())
	}
	if err := c.reserve(r.Channel); err != nil {
		return err
	}
	g, err := c.hub.ask.Subscribe(ctx, c.who(), access.SubscribeRequest{Channel: r.Channel, Token: r.Token, Data: r.Data})
	s, res := &subscription{conn: c}, wire.Subscribed{}
	if err == nil {
		res, err = s.open(ctx, r, g)
	}
	if err != nil {
		c.settle(r.Channel, nil)
		return err
	}
	c.begin(ctx, wire.AppendSubscribed(nil, id, res), s)
	return nil
}

// open joins the channel and places a cursor as r asks. Nothing is written for
// it before begin.
func (s *subscription) open(ctx context.Context, r *wire.Subscribe, g access.Grant) (res wire.Subscribed, err error) {
	c, h := s.conn, s.conn.hub
	if !surewire.MayRead(c.who().User, r.Channel) {
		return res, wire.ErrPermissionDenied // whoever wants it to
	}
	if !g.Expires.IsZero() && !g.Expires.After(time.Now()) {
		return res, wire.ErrTokenExpired // the client may bring a new one
	}
	chanInfo, data, err := h.ask.Encode(ctx, r.Channel, g.Info, g.Data)
	if err != nil {
		return res, err
	}
	switch s.Channel, err = h.channels.Join(ctx, r.Channel, g.MaxReaders); {
	case errors.Is(err, live.ErrFull):
		return res, wire.ErrLimitExceeded.With(fmt.Sprintf("%d readers of the channel", g.MaxReaders))
	case err != nil:
		return res, fmt.Errorf("channel %q: %w", r.Channel, err)
	}
	s.listed, s.joins, s.term = g.Presence, g.Joins, h.terms.New(g.Expires, g.Renews)
	s.info.Store(ask.Info(c.who(), chanInfo))
	if res, err = s.start(ctx, r, view{c.format, g.Joins && r.Joins}); err != nil {
		s.Channel.Leave()
		return res, err
	}
	res.TTL, res.Data = s.term.TTL(), data
	return res, nil
}

// begin tells the client, and makes subs live. It reports false if the
// connection is to end.
func (c *conn) begin(ctx context.Context, payload []byte, subs ...*subscription) bool {
	cursors, begun := make([]*link.Cursor, len(subs)), true
	for i, s := range subs {
		begun = c.settle(s.Channel.Name(), s) && begun
		cursors[i] = &s.Cursor
	}
	begun = begun && c.link.Begin(payload, cursors...)
	for _, s := range subs {
		switch {
		case !begun:
			c.settle(s.Channel.Name(), nil)
			leave(s)
		case s.Channel.IsLost(): // before Begin: Lost found nothing to end
			s.Lost()
		case s.joins:
			s.join(ctx)
		}
	}
	if begun {
		c.schedule()
	}
	return begun
}

// join tells the channel's readers that s has begun.
func (s *subscription) join(ctx context.Context) {
	s.told.Join(func() { s.announce(ctx, surewire.KindJoin) }, func() { s.announce(context.WithoutCancel(ctx), surewire.KindLeave) })
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
	s := &subscription{conn: c, unasked: true}
	res, err := s.open(ctx, r, g)
	if err != nil {
		c.settle(channel, nil)
		return false, err
	}
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
	leave(s)
}

// end ends a subscription that the client still believes in. It reports false
// if that has happened already.
func (c *conn) end(s *subscription, why wire.SubscriptionEnded) bool {
	if !c.link.Finish(&s.Cursor, wire.AppendEnded(nil, s.Channel.Name(), why)) {
		return false
	}
	c.settle(s.Channel.Name(), nil)
	c.link.Flush()
	leave(s)
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

// engineTimeout bounds how long an engine may take to tell of the leaves of one
// connection.
const engineTimeout = 10 * time.Second

// leave ends what subs have of their channels.
func leave(subs ...*subscription) {
	end := time.Now().Add(engineTimeout)
	for _, s := range subs {
		news, tell := s.told.Leave()
		if !news {
			continue
		}
		if s.Channel.Remove(&s.Place) && tell {
			ctx, cancel := context.WithDeadline(context.Background(), end)
			s.announce(ctx, surewire.KindLeave)
			cancel()
		}
		s.Channel.Leave()
	}
}

// start places s's cursor and makes s a reader: after what the client has, if it
// asks to recover and everything from there is kept, else at the end.
func (s *subscription) start(ctx context.Context, r *wire.Subscribe, v view) (wire.Subscribed, error) {
	share := max(s.sharing, 1)
	res, after, err := s.conn.hub.past.Resume(ctx, s.Channel, r, max(s.conn.hub.config.RecoveryLimit/share, 1), share)
	if err != nil {
		return res, err
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

var _ live.Reader = (*subscription)(nil)
