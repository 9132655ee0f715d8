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
	"github.com/surewire/surewire/hub/internal/ask"
	"github.com/surewire/surewire/wire"
)

// do carries out one command. An error ends the connection.
func (c *conn) do(ctx context.Context, cmd wire.Command) error {
	first, silent := c.slot < 0, cmd.Send != nil
	if cmd.ID == 0 && !silent || first != (cmd.Connect != nil) {
		return surewire.DisconnectBadRequest
	}
	if cmd.RPC != nil { // which may end later
		return c.refuse(cmd.ID, c.rpc(ctx, cmd.ID, cmd.RPC))
	}
	ctx, ended := c.hub.ask.Begin(ctx, &cmd)
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
		err = c.presence(ctx, channel, func() []byte { return wire.AppendPresence(nil, cmd.ID, c.hub.Presence(ctx, channel)) })
	case cmd.PresenceStats != nil:
		channel := cmd.PresenceStats.Channel
		err = c.presence(ctx, channel, func() []byte { return wire.AppendStats(nil, cmd.ID, c.hub.Stats(ctx, channel)) })
	case cmd.History != nil:
		err = c.history(ctx, cmd.ID, cmd.History)
	case cmd.Send != nil:
		err = c.message(ctx, cmd.Send.Data)
	case cmd.Refresh != nil:
		err = c.refresh(ctx, cmd.ID, cmd.Refresh.Token)
	case cmd.SubRefresh != nil:
		err = c.subRefresh(ctx, cmd.ID, cmd.SubRefresh)
	case cmd.Other != "":
		err = wire.ErrNotAvailable.With(cmd.Other)
	default:
		err = surewire.DisconnectBadRequest
	}
	ended(err)
	return c.refuse(cmd.ID, err)
}

// refuse replies with err where it is one the client can be told of; others,
// which end the connection, it returns.
func (c *conn) refuse(id uint32, err error) error {
	if err == nil {
		return nil
	}
	e, bye, known := ask.Told(err)
	if bye.Code != 0 {
		return bye
	}
	if !known {
		level := slog.LevelWarn
		if !c.link.IsOpen() {
			level = slog.LevelDebug // the client has gone: nobody is left who misses the answer
		}
		c.hub.config.Logger.LogAttrs(context.Background(), level, "command failed", slog.String("client", c.id), slog.String("error", err.Error()))
	}
	c.link.Queue(wire.AppendError(nil, id, e))
	return nil
}

// connect admits the client, and begins what the application has it read.
func (c *conn) connect(ctx context.Context, id uint32, r *wire.Connect) error {
	session, err := c.hub.ask.Connect(ctx, access.ConnectRequest{
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
	if err := c.register(session.User); err != nil {
		return err
	}
	c.connectBy.Stop()
	c.connectBy = nil
	c.slot = c.hub.wheel.Add(c)
	c.mu.Lock()
	c.ready = true
	c.mu.Unlock()
	if told := c.hub.config.Handlers.Connected; told != nil {
		c.hub.ask.Tell(func() { told(c.who()) })
	}
	return nil
}

// admit takes what the application says of the client, and opens the
// subscriptions that it has without asking.
func (c *conn) admit(ctx context.Context, r *wire.Connect, session access.Session) (res wire.Connected, subs []*subscription, err error) {
	info, data, err := c.hub.ask.Encode(ctx, "connect", session.Info, session.Data)
	if err != nil {
		return res, nil, err
	}
	t, ping := c.hub.terms.New(session.Expires, session.Renews), c.hub.config.PingInterval
	res = wire.Connected{
		Client: c.id, Version: c.hub.config.Version, Data: data, TTL: t.TTL(),
		PingInterval: uint32((ping + time.Second - 1) / time.Second),
	}
	c.mu.Lock()
	c.client = access.Client{ID: c.id, User: session.User, Info: info, TokenID: session.TokenID, TokenTime: session.TokenTime}
	c.name, c.version, c.term = clip(r.Name), clip(r.Version), t
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
	who, s := c.who(), c.subscription(r.Channel)
	if err := c.hub.ask.Allow(ctx, who, access.ActionRequest{Action: access.Publish, Channel: r.Channel, Subscribed: s != nil}); err != nil {
		return err
	}
	p := surewire.Publication{Data: r.Data, Info: ask.Info(who, nil)}
	if s != nil {
		p.Info = s.info.Load()
	}
	if handler := c.hub.config.Handlers.Publish; handler != nil {
		if err := c.hub.ask.Decide(ctx, who, func() error { return handler(ctx, who, r.Channel, &p) }); err != nil {
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
	return ask.Untaken(err)
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
	return c.hub.ask.Allow(ctx, c.who(), access.ActionRequest{Action: a, Channel: channel, Subscribed: c.subscription(channel) != nil})
}

// rpc asks the application. The answer may come after those to later commands.
func (c *conn) rpc(ctx context.Context, id uint32, r *wire.RPC) error {
	handler := c.hub.config.Handlers.RPC
	if handler == nil {
		return wire.ErrNotAvailable.With("rpc")
	}
	began := c.link.Call(ctx, frameTimeout, func(ctx context.Context) {
		ctx, ended := c.hub.ask.Begin(ctx, &wire.Command{RPC: r})
		data, err := c.hub.ask.Answer(ctx, c.who(), func(who access.Client) (any, error) { return handler(ctx, who, r.Method, r.Data) })
		ended(err)
		if err == nil {
			c.link.Queue(wire.AppendRPC(nil, id, data))
		} else if d := c.refuse(id, err); d != nil {
			c.link.Close(ask.Disconnect(d))
		}
	})
	if !began {
		return wire.ErrTooManyRequests
	}
	return nil
}

// message hands on what the client says. It has no answer: but for the end of the
// connection, what comes of it is for the log.
func (c *conn) message(ctx context.Context, data []byte) error {
	handler, who := c.hub.config.Handlers.Message, c.who()
	if handler == nil {
		return nil
	}
	err := c.hub.ask.Decide(ctx, who, func() error { return handler(ctx, who, data) })
	var d surewire.Disconnect
	if err == nil || errors.As(err, &d) {
		return err
	}
	c.hub.config.Logger.LogAttrs(ctx, slog.LevelWarn, "message not taken", slog.String("client", c.id), slog.String("error", err.Error()))
	return nil
}
