package hub

import (
	"context"
	"errors"
	"log/slog"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub/internal/pace"
	"github.com/surewire/surewire/hub/internal/roster"
	"github.com/surewire/surewire/wire"
)

// register lets c be found as one of user's, if user may have one more.
func (c *conn) register(user string) error {
	h := c.hub
	switch err := h.roster.Name(&c.member, user, h.config.UserConns); {
	case errors.Is(err, roster.ErrFull):
		h.refusedUsers.Add(1)
		h.config.Logger.LogAttrs(context.Background(), slog.LevelWarn, "connection refused: its user has too many",
			slog.String("client", c.id), slog.String("user", user), slog.Int("limit", h.config.UserConns))
		return surewire.DisconnectConnectionLimit
	case err != nil:
		return surewire.DisconnectShutdown
	case h.config.Revoked(c.who()):
		return surewire.DisconnectInvalidToken
	}
	return nil
}

// paced carries out cmd unless it comes too fast.
func (c *conn) paced(ctx context.Context, cmd wire.Command) error {
	switch c.pacer.Take(&c.hub.pace, func() string { return c.who().User }) {
	case pace.Go:
		return c.do(ctx, cmd)
	case pace.Hangup:
		return surewire.DisconnectTooManyRequests
	case pace.First:
		c.hub.config.Logger.LogAttrs(ctx, slog.LevelInfo, "commands refused: they come too fast",
			slog.String("client", c.id), slog.String("user", c.who().User))
	}
	if cmd.ID != 0 {
		c.link.Queue(wire.AppendError(nil, cmd.ID, wire.ErrTooManyRequests))
	}
	return nil
}
