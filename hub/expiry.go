package hub

import (
	"context"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/wire"
)

// refresh takes a new token of the connection.
func (c *conn) refresh(ctx context.Context, id uint32, token string) error {
	if token == "" {
		return wire.ErrBadRequest.With("refresh without a token")
	}
	who := c.who()
	session, err := c.hub.askConnect(ctx, access.ConnectRequest{Client: who, Refresh: true, Token: token, Peer: c.peer})
	if err != nil {
		return err
	}
	if session.User != who.User {
		return surewire.DisconnectInvalidToken
	}
	if !session.Expires.IsZero() && !session.Expires.After(time.Now()) {
		return wire.ErrExpired
	}
	data, err := c.hub.encode(ctx, "refresh", session.Info)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.client.Info, c.expires = data, session.Expires
	c.mu.Unlock()
	c.link.Queue(wire.AppendRefreshed(nil, id, wire.Refreshed{TTL: ttl(session.Expires)}))
	c.schedule()
	return nil
}

// subRefresh takes a new token of a subscription.
func (c *conn) subRefresh(ctx context.Context, id uint32, r *wire.SubRefresh) error {
	s := c.subscription(r.Channel)
	if s == nil || r.Token == "" {
		return wire.ErrBadRequest.With("sub_refresh needs a token, and a channel that is subscribed")
	}
	g, err := c.hub.askSubscribe(ctx, c.who(), access.SubscribeRequest{Channel: r.Channel, Token: r.Token, Refresh: true})
	if err != nil {
		return err
	}
	if !g.Expires.IsZero() && !g.Expires.After(time.Now()) {
		return wire.ErrExpired
	}
	chanInfo, err := c.hub.encode(ctx, r.Channel, g.Info)
	if err != nil {
		return err
	}
	s.info.Store(info(c.who(), chanInfo))
	c.mu.Lock()
	s.expires = g.Expires
	c.mu.Unlock()
	c.link.Queue(wire.AppendSubRefreshed(nil, id, wire.Refreshed{TTL: ttl(g.Expires)}))
	c.schedule()
	return nil
}

// setExpiry is a refresh that the application asks for.
func (c *conn) setExpiry(expires time.Time) {
	if !expires.IsZero() && !expires.After(time.Now()) {
		c.link.Close(surewire.DisconnectExpired)
		return
	}
	c.mu.Lock()
	c.expires = expires
	c.mu.Unlock()
	c.link.Queue(wire.AppendExpiry(nil, wire.Refreshed{TTL: ttl(expires)}))
	c.schedule()
	c.link.Flush()
}

// schedule has checkExpiry called when the next token of c has expired.
func (c *conn) schedule() {
	c.mu.Lock()
	next := c.expires
	for s := range c.subs.All() {
		if s != nil && !s.expires.IsZero() && (next.IsZero() || s.expires.Before(next)) {
			next = s.expires
		}
	}
	c.mu.Unlock()
	if !next.IsZero() && c.link.IsOpen() {
		c.hub.wheel.Schedule(c, next.Add(c.hub.config.ExpiryGrace))
		if !c.link.IsOpen() {
			c.hub.wheel.Remove(c, -1) // serve may have done so before
		}
	}
}

// checkExpiry ends what has expired, and for which no new token came.
func (c *conn) checkExpiry() {
	end := time.Now().Add(-c.hub.config.ExpiryGrace)
	over := func(t time.Time) bool { return !t.IsZero() && !t.After(end) }
	c.mu.Lock()
	bye, ends := surewire.DisconnectExpired, over(c.expires)
	var subs []*subscription
	for s := range c.subs.All() {
		if s == nil || !over(s.expires) {
			continue
		}
		if subs = append(subs, s); s.unasked && !ends {
			bye, ends = surewire.DisconnectSubExpired, true
		}
	}
	c.mu.Unlock()
	switch {
	case ends:
		c.link.Close(bye)
	case len(subs) == 0:
		c.schedule()
	default:
		c.link.Go(func() { // others are told, which may take an engine its time
			for _, s := range subs {
				c.end(s, wire.Expired)
			}
			c.schedule()
		})
	}
}
