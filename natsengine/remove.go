package natsengine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine/internal/store"
)

// RemoveHistory implements [surewire.HistoryRemover]. A mark takes the place of
// the messages, so that all know where the log goes on.
func (e *Engine) RemoveHistory(ctx context.Context, channel string) error {
	if err := e.check(ctx, channel); err != nil {
		return err
	}
	place, err := e.lines.Join(channel)
	if err != nil {
		return fmt.Errorf("channel %q: %w", channel, err)
	}
	defer place.Leave()
	if err := place.Wait(ctx); err != nil {
		return fmt.Errorf("channel %q: %w", channel, err)
	}
	ctx, cancel := e.store.Bound(ctx, e.config.PublishTimeout)
	defer cancel()
	if err := e.remove(ctx, channel, e.route(channel)); err != nil {
		return fmt.Errorf("channel %q: %w", channel, e.callError(ctx, err))
	}
	return nil
}

func (e *Engine) remove(ctx context.Context, channel string, r store.Route) error {
	for {
		head, newest, err := e.lookSurely(ctx, channel, r)
		if err != nil || newest == nil || newest.Mark {
			return err
		}
		if _, _, err = e.mark(ctx, channel, r, head); !errors.Is(err, store.ErrConflict) {
			return err
		}
		select { // another publisher was before
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", surewire.ErrBusy, ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
}
