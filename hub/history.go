package hub

import (
	"context"
	"log/slog"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub/internal/history"
	"github.com/surewire/surewire/wire"
)

// history answers with what is kept of a channel, as much of it as goes into
// one reply; the client asks for more from where that ends.
func (c *conn) history(ctx context.Context, id uint32, r *wire.History) error {
	if err := c.mayAsk(ctx, access.History, r.Channel); err != nil {
		return err
	}
	if r.Reverse && r.Since != nil && r.Since.Offset == 0 {
		return wire.ErrBadRequest.With("nothing is before offset 0")
	}
	limit := r.Limit
	if most := c.hub.config.HistoryLimit; limit < 0 || limit > most {
		limit = most
	}
	h, err := c.hub.History(ctx, r.Channel, r.Since, limit, r.Reverse)
	if err != nil {
		return err
	}
	h.Messages = history.Fit(h.Messages, 1)
	c.link.Queue(wire.AppendHistory(nil, id, h))
	return nil
}

// History returns at most limit of the messages that are kept of channel. They
// come after since, or, newest first, before since if reverse is set; a nil
// since begins at the oldest, or at the newest. Where since is of another epoch
// the error is [wire.ErrUnrecoverable].
func (h *Hub) History(ctx context.Context, channel string, since *surewire.Position, limit int, reverse bool) (surewire.History, error) {
	return h.past.Page(ctx, channel, since, limit, reverse)
}

// catchUp reads for a cursor that is older than its tail.
func (h *Hub) catchUp(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	got, err := h.past.After(ctx, channel, after, limit)
	if err != nil {
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "history could not be read",
			slog.String("channel", channel), slog.String("error", err.Error()))
	}
	return got, err
}
