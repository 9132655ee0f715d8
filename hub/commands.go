package hub

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/wire"
)

// do carries out one command. An error ends the connection.
func (c *conn) do(ctx context.Context, cmd wire.Command) error {
	first, silent := c.slot < 0, cmd.Send != nil
	if cmd.ID == 0 && !silent || first != (cmd.Connect != nil) {
		return surewire.DisconnectBadRequest
	}
	var err error
	switch {
	case cmd.Connect != nil:
		err = c.connect(ctx, cmd.ID, cmd.Connect)
	case cmd.Subscribe != nil:
		err = c.subscribe(ctx, cmd.ID, cmd.Subscribe)
	case cmd.Unsubscribe != nil:
		c.unsubscribe(cmd.ID, cmd.Unsubscribe.Channel)
	case cmd.Publish != nil:
		err = c.publish(ctx, cmd.ID, cmd.Publish)
	case cmd.Presence != nil:
		channel := cmd.Presence.Channel
		err = c.presence(ctx, channel, func() []byte { return wire.AppendPresence(nil, cmd.ID, c.hub.Presence(channel)) })
	case cmd.PresenceStats != nil:
		channel := cmd.PresenceStats.Channel
		err = c.presence(ctx, channel, func() []byte { return wire.AppendStats(nil, cmd.ID, c.hub.Stats(channel)) })
	case cmd.History != nil:
		err = c.history(ctx, cmd.ID, cmd.History)
	case cmd.RPC != nil:
		err = c.rpc(ctx, cmd.ID, cmd.RPC)
	case cmd.Send != nil:
		c.message(ctx, cmd.Send.Data)
	case cmd.Refresh != nil:
		err = c.refresh(ctx, cmd.ID, cmd.Refresh.Token)
	case cmd.SubRefresh != nil:
		err = c.subRefresh(ctx, cmd.ID, cmd.SubRefresh)
	case cmd.Other != "":
		err = wire.ErrNotAvailable.With(cmd.Other)
	default:
		return surewire.DisconnectBadRequest
	}
	return c.refuse(cmd.ID, err)
}

// refuse replies with err where it is one the client can be told of; others,
// which end the connection, it returns.
func (c *conn) refuse(id uint32, err error) error {
	if err == nil {
		return nil
	}
	var d surewire.Disconnect
	if errors.As(err, &d) {
		return d
	}
	var e *wire.Error
	if !errors.As(err, &e) {
		level := slog.LevelWarn
		if !c.link.IsOpen() {
			level = slog.LevelDebug // the client has gone: nobody is left who misses the answer
		}
		c.hub.config.Logger.LogAttrs(context.Background(), level, "command failed",
			slog.String("client", c.id), slog.String("error", err.Error()))
		e = wire.ErrInternal
	}
	c.link.Queue(wire.AppendError(nil, id, e))
	return nil
}

// connect admits the client, and begins what the application has it read.
func (c *conn) connect(ctx context.Context, id uint32, r *wire.Connect) error {
	session, err := c.hub.askConnect(ctx, access.ConnectRequest{
		Client: access.Client{ID: c.id}, Token: r.Token, Data: r.Data, Name: r.Name, Version: r.Version, Headers: r.Headers, Peer: c.peer,
	})
	if err == nil && !session.Expires.IsZero() && !session.Expires.After(time.Now()) {
		err = wire.ErrTokenExpired
	}
	if err == error(wire.ErrPermissionDenied) {
		return surewire.DisconnectDenied
	}
	if err != nil {
		return err
	}
	res, subs, err := c.admit(ctx, r, session)
	if err != nil {
		return err
	}
	if !c.begin(ctx, wire.AppendConnected(nil, id, res), subs...) {
		return nil
	}
	if !c.hub.roster.Name(&c.member, session.User) {
		return surewire.DisconnectShutdown
	}
	c.connectBy.Stop()
	c.connectBy = nil
	c.slot = c.hub.wheel.Add(c)
	c.mu.Lock()
	c.ready = true
	c.mu.Unlock()
	if told := c.hub.config.Handlers.Connected; told != nil {
		c.hub.tell(func() { told(c.who()) })
	}
	return nil
}

// admit takes what the application says of the client, and opens the
// subscriptions that it has without asking.
func (c *conn) admit(ctx context.Context, r *wire.Connect, session access.Session) (res wire.Connected, subs []*subscription, err error) {
	info, err := c.hub.encode(ctx, "connect", session.Info)
	if err != nil {
		return res, nil, err
	}
	ping := c.hub.config.PingInterval
	res = wire.Connected{
		Client: c.id, Version: c.hub.config.Version, TTL: ttl(session.Expires),
		PingInterval: uint32((ping + time.Second - 1) / time.Second),
	}
	if res.Data, err = c.hub.encode(ctx, "connect", session.Data); err != nil {
		return res, nil, err
	}
	c.mu.Lock()
	c.client = access.Client{ID: c.id, User: session.User, Info: info}
	c.name, c.version, c.expires = clip(r.Name), clip(r.Version), session.Expires
	c.mu.Unlock()
	for channel, g := range session.Subs {
		ask := &wire.Subscribe{Channel: channel, Joins: true}
		ask.Since, ask.Recover = r.Subs[channel]
		s := &subscription{conn: c, unasked: true, sharing: len(session.Subs)}
		sub, e := s.open(ctx, ask, g)
		if e != nil {
			leave(subs...)
			return res, nil, e
		}
		if res.Subs == nil {
			res.Subs = make(map[string]wire.Subscribed, len(session.Subs))
		}
		res.Subs[channel] = sub
		subs = append(subs, s)
	}
	return res, subs, nil
}

// clip bounds what is kept of a client's own words, and of the memory they are in.
func clip(s string) string { return strings.Clone(strings.ToValidUTF8(s[:min(len(s), 64)], "")) }

func (c *conn) publish(ctx context.Context, id uint32, r *wire.Publish) error {
	if len(r.Data) == 0 {
		return wire.ErrBadRequest.With("publish without data")
	}
	if err := surewire.CheckChannel(r.Channel); err != nil {
		return wire.ErrBadRequest.With(err.Error())
	}
	who := c.who()
	if err := c.hub.ask(ctx, who, access.Publish, r.Channel); err != nil {
		return err
	}
	p := surewire.Publication{Data: r.Data, Info: info(who, nil)}
	if s := c.subscription(r.Channel); s != nil {
		p.Info = s.info.Load()
	}
	if handler := c.hub.config.Handlers.Publish; handler != nil {
		if err := c.hub.decide(ctx, who, func() error { return handler(ctx, who, r.Channel, &p) }); err != nil {
			return err
		}
	}
	_, err := c.hub.config.Publisher.Publish(ctx, r.Channel, json.RawMessage(p.Data), func(to *surewire.Publication) {
		data := to.Data
		*to = p
		to.Data = data
	})
	if err == nil {
		c.link.Queue(wire.AppendPublished(nil, id))
		return nil
	}
	return refusal(err)
}

// refusal is what a client is told where its publication was not taken.
func refusal(err error) error {
	switch {
	case errors.Is(err, surewire.ErrChannel), errors.Is(err, surewire.ErrRepaired):
		return wire.ErrBadRequest.With(err.Error())
	case errors.Is(err, surewire.ErrTooLarge):
		return wire.ErrLimitExceeded.With(err.Error())
	case errors.Is(err, surewire.ErrBusy):
		return wire.ErrTooManyRequests
	}
	return err
}

func (c *conn) presence(ctx context.Context, channel string, reply func() []byte) error {
	err := c.mayAsk(ctx, access.Presence, channel)
	if err == nil {
		c.link.Queue(reply())
	}
	return err
}

func (c *conn) mayAsk(ctx context.Context, a access.Action, channel string) error {
	if err := surewire.CheckChannel(channel); err != nil {
		return wire.ErrBadRequest.With(err.Error())
	}
	return c.hub.ask(ctx, c.who(), a, channel)
}

// maxCalls is how many RPCs of one connection may be at work; the next waits.
const maxCalls = 16

// rpc asks the application. The answer may come after those to later commands.
func (c *conn) rpc(ctx context.Context, id uint32, r *wire.RPC) error {
	handler := c.hub.config.Handlers.RPC
	if handler == nil {
		return wire.ErrNotAvailable.With("rpc")
	}
	if c.calls == nil {
		c.calls = make(chan struct{}, maxCalls)
	}
	select {
	case c.calls <- struct{}{}:
	case <-ctx.Done():
		return wire.ErrTooManyRequests
	}
	c.link.Go(func() { // ends with the handler, or when it heeds frameTimeout or the end of the connection
		defer func() { <-c.calls }()
		ctx, done := c.link.Work(frameTimeout)
		defer done()
		data, err := c.call(ctx, handler, r)
		if err == nil {
			c.link.Queue(wire.AppendRPC(nil, id, data))
		} else if d := c.refuse(id, err); d != nil {
			c.link.Close(disconnectFor(d))
		}
		c.link.Flush()
	})
	return nil
}

// call returns the application's answer as JSON.
func (c *conn) call(ctx context.Context, handler func(context.Context, access.Client, string, []byte) (any, error), r *wire.RPC) (data []byte, err error) {
	var v any
	who := c.who()
	if err = c.hub.decide(ctx, who, func() error { v, err = handler(ctx, who, r.Method, r.Data); return err }); err != nil {
		return nil, err
	}
	data, _, err = c.hub.config.Publisher.Encode(ctx, "rpc", v)
	return data, err
}

// message hands on what the client says.
func (c *conn) message(ctx context.Context, data []byte) {
	if handler := c.hub.config.Handlers.Message; handler != nil {
		c.hub.tell(func() { handler(ctx, c.who(), data) })
	}
}
