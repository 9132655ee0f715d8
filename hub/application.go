package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub/internal/contain"
	"github.com/surewire/surewire/wire"
)

func (h *Hub) askConnect(ctx context.Context, r access.ConnectRequest) (s access.Session, err error) {
	err = h.decide(ctx, r.Client, func() error { s, err = h.config.Authorizer.Connect(ctx, r); return err })
	return s, err
}

func (h *Hub) askSubscribe(ctx context.Context, c access.Client, r access.SubscribeRequest) (g access.Grant, err error) {
	err = h.decide(ctx, c, func() error { g, err = h.config.Authorizer.Subscribe(ctx, c, r); return err })
	return g, err
}

func (h *Hub) ask(ctx context.Context, c access.Client, a access.Action, channel string) error {
	return h.decide(ctx, c, func() error { return h.config.Authorizer.Allow(ctx, c, a, channel) })
}

// decide asks the application and returns what its refusal becomes: what it says
// itself, or that permission is denied. The reason is for the log. Its error is
// looked at here, and goes no further: its methods may panic too.
func (h *Hub) decide(ctx context.Context, c access.Client, application func() error) (err error) {
	defer contain.Panic(&err)
	var d surewire.Disconnect
	var e *wire.Error
	switch err := application(); {
	case err == nil:
		return nil
	case errors.As(err, &d) && d.Code != 0:
		return d
	case errors.As(err, &e) && e != nil:
		return e
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fmt.Errorf("the application: %v", err)
	default:
		h.config.Logger.LogAttrs(ctx, slog.LevelDebug, "refused", slog.String("client", c.ID), slog.String("reason", fmt.Sprint(err)))
		return wire.ErrPermissionDenied
	}
}

// tell calls one of the handlers that have no say.
func (h *Hub) tell(handler func()) {
	if err := contain.Call(handler); err != nil {
		h.config.Logger.Error("handler failed", slog.String("error", err.Error()))
	}
}

// encode returns what the application has for a client as one JSON value, nil
// for nil. Repairs are reported as those of publications are.
func (h *Hub) encode(ctx context.Context, what string, v any) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	data, _, err := h.config.Publisher.Encode(ctx, what, v)
	return data, err
}

// info is what others may see of a client in a channel.
func info(c access.Client, chanInfo []byte) *surewire.ClientInfo {
	return &surewire.ClientInfo{Client: c.ID, User: c.User, Conn: c.Info, Chan: chanInfo}
}
