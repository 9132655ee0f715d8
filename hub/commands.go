package hub

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/wire"
)

// do carries out one command. An error ends the connection.
func (c *conn) do(ctx context.Context, cmd wire.Command) error {
	if cmd.Pong() {
		if !c.pong() {
			return surewire.DisconnectBadRequest
		}
		return nil
	}
	first := c.slot < 0
	switch {
	case cmd.ID == 0 && cmd.Other == "send":
		return nil // there is no reply to it, and nobody listens
	case cmd.ID == 0, first != (cmd.Connect != nil):
		return surewire.DisconnectBadRequest
	case cmd.Connect != nil:
		return c.connect(ctx, cmd.ID, cmd.Connect)
	case cmd.Subscribe != nil:
		return c.refuse(cmd.ID, c.subscribe(ctx, cmd.ID, cmd.Subscribe))
	case cmd.Unsubscribe != nil:
		c.unsubscribe(cmd.ID, cmd.Unsubscribe.Channel)
		return nil
	case cmd.Publish != nil:
		return c.refuse(cmd.ID, c.publish(ctx, cmd.ID, cmd.Publish))
	case cmd.Other != "":
		return c.refuse(cmd.ID, wire.ErrNotAvailable.With(cmd.Other))
	}
	return surewire.DisconnectBadRequest
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
		c.hub.config.Logger.LogAttrs(c.ctx, slog.LevelWarn, "command failed",
			slog.String("client", c.id), slog.String("error", err.Error()))
		e = wire.ErrInternal
	}
	c.reply(wire.AppendError(nil, id, e))
	return nil
}

// denied returns what an [Authorizer]'s refusal becomes.
func denied(err error) error {
	var d surewire.Disconnect
	if errors.As(err, &d) {
		return d
	}
	return wire.ErrPermissionDenied
}

func (c *conn) client() Client { return Client{ID: c.id, User: c.user} }

func (c *conn) connect(ctx context.Context, id uint32, r *wire.Connect) error {
	user, err := c.hub.config.Authorizer.Connect(ctx, ConnectRequest{r.Token, r.Data, r.Name, r.Version})
	if err != nil {
		var d surewire.Disconnect
		if errors.As(err, &d) {
			return d
		}
		return surewire.DisconnectDenied
	}
	c.user = user
	c.connectBy.Stop()
	ping := c.hub.config.PingInterval
	c.reply(wire.AppendConnected(nil, id, wire.Connected{
		Client: c.id, Version: c.hub.config.Version, PingInterval: uint32((ping + time.Second - 1) / time.Second),
	}))
	c.mu.Lock()
	if c.state == Connecting {
		c.state = Connected
	}
	c.subs = make(map[string]*subscription)
	c.mu.Unlock()
	c.slot = c.hub.wheel.Add(c)
	return nil
}

func (c *conn) unsubscribe(id uint32, name string) {
	c.mu.Lock()
	s := c.subs[name]
	if s != nil {
		s.live = false
		delete(c.subs, name)
	}
	c.out = c.format.Frame(c.out, wire.AppendUnsubscribed(nil, id))
	c.mu.Unlock()
	if s != nil {
		s.leave()
	}
}

func (c *conn) publish(ctx context.Context, id uint32, r *wire.Publish) error {
	if len(r.Data) == 0 {
		return wire.ErrBadRequest.With("publish without data")
	}
	if err := c.hub.config.Authorizer.Publish(ctx, c.client(), r.Channel); err != nil {
		return denied(err)
	}
	_, err := c.hub.config.Publisher.Publish(ctx, r.Channel, json.RawMessage(r.Data))
	switch {
	case err == nil:
		c.reply(wire.AppendPublished(nil, id))
		return nil
	case errors.Is(err, surewire.ErrChannel), errors.Is(err, surewire.ErrRepaired):
		return wire.ErrBadRequest.With(err.Error())
	case errors.Is(err, surewire.ErrTooLarge):
		return wire.ErrLimitExceeded.With(err.Error())
	case errors.Is(err, surewire.ErrBusy):
		return wire.ErrTooManyRequests
	}
	return err
}
