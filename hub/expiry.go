package hub

import (
	"context"
	"errors"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub/internal/ask"
	"github.com/surewire/surewire/hub/internal/term"
	"github.com/surewire/surewire/wire"
)

// refresh takes a new token of the connection.
func (c *conn) refresh(ctx context.Context, id uint32, token string) error {
	if token == "" {
		return wire.ErrBadRequest.With("refresh without a token")
	}
	t, err := c.extend(ctx, token)
	if err == nil {
		c.link.Queue(wire.AppendRefreshed(nil, id, wire.Refreshed{TTL: t.TTL()}))
		c.schedule()
	}
	return err
}

// extend asks for a new session. No token means that the hub wants it.
func (c *conn) extend(ctx context.Context, token string) (t term.Term, err error) {
	who := c.who()
	session, err := c.hub.ask.Connect(ctx, access.ConnectRequest{Client: who, Refresh: true, Token: token, Peer: c.peer})
	if err != nil {
		return t, err
	}
	if session.User != who.User {
		return t, surewire.DisconnectInvalidToken
	}
	if !session.Expires.IsZero() && !session.Expires.After(time.Now()) {
		return t, wire.ErrExpired
	}
	data, _, err := c.hub.ask.Encode(ctx, "refresh", session.Info, nil)
	if err != nil {
		return t, err
	}
	t = c.hub.terms.New(session.Expires, session.Renews)
	c.mu.Lock()
	c.client.Info, c.client.TokenID, c.client.TokenTime, c.term = data, session.TokenID, session.TokenTime, t
	c.mu.Unlock()
	if c.hub.config.Revoked(c.who()) {
		return t, surewire.DisconnectInvalidToken
	}
	return t, nil
}

// subRefresh takes a new token of a subscription.
func (c *conn) subRefresh(ctx context.Context, id uint32, r *wire.SubRefresh) error {
	s := c.subscription(r.Channel)
	if s == nil || r.Token == "" {
		return wire.ErrBadRequest.With("sub_refresh needs a token, and a channel that is subscribed")
	}
	t, err := s.extend(ctx, r.Token)
	if err == nil {
		c.link.Queue(wire.AppendSubRefreshed(nil, id, wire.Refreshed{TTL: t.TTL()}))
		c.schedule()
	}
	return err
}

// extend asks for a new grant. No token means that the hub wants it.
func (s *subscription) extend(ctx context.Context, token string) (t term.Term, err error) {
	c, channel := s.conn, s.Channel.Name()
	g, err := c.hub.ask.Subscribe(ctx, c.who(), access.SubscribeRequest{Channel: channel, Token: token, Refresh: true})
	if err != nil {
		return t, err
	}
	if !g.Expires.IsZero() && !g.Expires.After(time.Now()) {
		return t, wire.ErrExpired
	}
	chanInfo := s.info.Load().Chan
	if g.Info != nil {
		if chanInfo, _, err = c.hub.ask.Encode(ctx, channel, g.Info, nil); err != nil {
			return t, err
		}
	}
	s.info.Store(ask.Info(c.who(), chanInfo))
	t = c.hub.terms.New(g.Expires, g.Renews)
	c.mu.Lock()
	s.term = t
	c.mu.Unlock()
	return t, nil
}

// setExpiry is a refresh that the application asks for.
func (c *conn) setExpiry(expires time.Time) {
	if !expires.IsZero() && !expires.After(time.Now()) {
		c.link.Close(surewire.DisconnectExpired)
		return
	}
	c.mu.Lock()
	c.term = c.hub.terms.New(expires, c.term.Renews)
	ttl := c.term.TTL()
	c.mu.Unlock()
	c.link.Queue(wire.AppendExpiry(nil, wire.Refreshed{TTL: ttl}))
	c.schedule()
	c.link.Flush()
}

// schedule has checkExpiry called when the next term of c is over.
func (c *conn) schedule() {
	c.mu.Lock()
	next := c.term.Next(time.Time{})
	for s := range c.subs.All() {
		if s != nil {
			next = s.term.Next(next)
		}
	}
	c.mu.Unlock()
	if !next.IsZero() && c.link.IsOpen() {
		c.hub.wheel.Schedule(c, next)
		if !c.link.IsOpen() {
			c.hub.wheel.Remove(c, -1) // serve may have done so before
		}
	}
}

// checkExpiry ends what has expired, or has it renewed.
func (c *conn) checkExpiry() {
	now := time.Now()
	var over, renewed []*subscription
	c.mu.Lock()
	ends, renews := c.term.Due(now), false
	if ends && !c.term.Renews {
		c.mu.Unlock()
		c.link.Close(surewire.DisconnectExpired)
		return
	} else if ends {
		renews = true
		c.term.Begin()
	}
	for s := range c.subs.All() {
		switch {
		case s == nil || !s.term.Due(now):
		case s.term.Renews:
			s.term.Begin()
			renewed = append(renewed, s)
		default:
			over = append(over, s)
		}
	}
	c.mu.Unlock()
	if !renews && len(over)+len(renewed) == 0 {
		c.schedule()
		return
	}
	c.link.Go(func() { // ends with the application's answers, and when others were told, which may take an engine its time
		for _, s := range over {
			s.expire()
		}
		for _, s := range renewed {
			c.renew(&s.term, s.expire, func(ctx context.Context) error { _, err := s.extend(ctx, ""); return err })
		}
		if renews {
			c.renew(&c.term, func() { c.link.Close(surewire.DisconnectExpired) }, func(ctx context.Context) error { _, err := c.extend(ctx, ""); return err })
		}
		c.schedule()
	})
}

// expire ends a subscription. Of one that the client has not asked for, it must
// connect again to get it back.
func (s *subscription) expire() {
	if s.unasked {
		s.conn.link.Close(surewire.DisconnectSubExpired)
		return
	}
	s.conn.end(s, wire.Expired)
}

// renew has t extended by the application. A refusal ends it; a failure is tried
// again within the grace that clients have too.
func (c *conn) renew(t *term.Term, end func(), extend func(context.Context) error) {
	ctx, done := c.link.Work(frameTimeout)
	defer done()
	err := extend(ctx)
	var d surewire.Disconnect
	switch {
	case err == nil:
	case errors.As(err, &d):
		c.link.Close(d)
	case ask.Refused(err):
		end()
	default:
		c.mu.Lock()
		c.hub.terms.Again(t)
		c.mu.Unlock()
	}
}
