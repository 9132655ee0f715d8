package hub

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
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
	h.Messages = fit(h.Messages)
	c.link.Queue(wire.AppendHistory(nil, id, h))
	return nil
}

// History returns at most limit of the messages that are kept of channel. They
// come after since, or, newest first, before since if reverse is set; a nil
// since begins at the oldest, or at the newest. Where since is of another epoch
// the error is [wire.ErrUnrecoverable].
func (h *Hub) History(ctx context.Context, channel string, since *surewire.Position, limit int, reverse bool) (surewire.History, error) {
	var after surewire.Position
	if since != nil {
		after = *since
	}
	if reverse {
		after.Offset = 0
	}
	first := limit
	if reverse {
		first = 0 // where the log ends is to be known first
	}
	got, err := h.history(ctx, channel, after, first)
	if err == nil && after.Epoch != "" && after.Epoch != got.Head.Epoch {
		err = wire.ErrUnrecoverable
	}
	if err != nil || !reverse || limit == 0 {
		return got, err
	}
	// Offsets are contiguous: what is before one is a stretch that can be named.
	before := got.Head.Offset + 1
	if since != nil {
		before = min(before, since.Offset)
	}
	n := min(uint64(limit), before-1)
	got, err = h.history(ctx, channel, surewire.Position{Epoch: got.Head.Epoch, Offset: before - 1 - n}, int(n))
	got.Messages = slices.DeleteFunc(slices.Clone(got.Messages), func(m *surewire.Message) bool { return m.Position.Offset >= before })
	slices.Reverse(got.Messages)
	return got, err
}

// engineTimeout bounds how long an engine may take to read history, or to take a
// join or a leave, whoever waits for it.
const engineTimeout = 10 * time.Second

// history reads for a client. How many do so at once is bounded: the engine is
// everybody's.
func (h *Hub) history(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	select {
	case h.reads <- struct{}{}:
		defer func() { <-h.reads }()
	case <-ctx.Done():
		return surewire.History{}, ctx.Err()
	}
	return h.config.Engine.History(ctx, channel, after, limit)
}

// catchUp reads for a cursor that is older than its tail.
func (h *Hub) catchUp(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	got, err := h.history(ctx, channel, after, limit)
	if err != nil {
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "history could not be read",
			slog.String("channel", channel), slog.String("error", err.Error()))
	}
	return got, err
}
