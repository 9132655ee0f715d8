package hub

import (
	"context"
	"log/slog"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub/internal/contain"
)

func (h *Hub) askConnect(ctx context.Context, r access.ConnectRequest) (s access.Session, err error) {
	defer contain.Panic(&err)
	return h.config.Authorizer.Connect(ctx, r)
}

func (h *Hub) askSubscribe(ctx context.Context, c access.Client, r access.SubscribeRequest) (g access.Grant, err error) {
	defer contain.Panic(&err)
	return h.config.Authorizer.Subscribe(ctx, c, r)
}

func (h *Hub) ask(ctx context.Context, c access.Client, a access.Action, channel string) (err error) {
	defer contain.Panic(&err)
	return h.config.Authorizer.Allow(ctx, c, a, channel)
}

// tell calls one of the handlers that have no say.
func (h *Hub) tell(handler func()) {
	var err error
	func() {
		defer contain.Panic(&err)
		handler()
	}()
	if err != nil {
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
