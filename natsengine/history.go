package natsengine

import (
	"context"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine/internal/record"
	"github.com/surewire/surewire/natsengine/internal/walk"
)

// History implements [surewire.Engine]. What another process has published is
// seen once the replica that answers has it; what this one has, at once.
func (e *Engine) History(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	if err := e.check(ctx, channel); err != nil {
		return surewire.History{}, err
	}
	h, err := e.history(ctx, channel, after, limit)
	if err != nil {
		return surewire.History{}, e.callError(ctx, err)
	}
	if len(h.Messages) > 0 {
		e.stats.recovered.Add(1)
	}
	return h, nil
}

func (e *Engine) history(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	r := e.route(channel)
	head, newest, err := e.look(ctx, channel, r)
	if err == nil && e.follows(after, head) && after.Offset > head.Offset {
		head, newest, err = e.lookSurely(ctx, channel, r) // who comes from elsewhere may know more than a replica
	}
	if err != nil {
		return surewire.History{}, err
	}
	h := surewire.History{Head: e.position(head)}
	h.Complete = e.follows(after, head) && after.Offset <= head.Offset
	from := uint64(1)
	if h.Complete {
		from = after.Offset + 1
	}
	// What the store no longer keeps may still be remembered.
	if size := uint64(r.Profile.Size); head.Offset > size && from <= head.Offset-size {
		from, h.Complete = head.Offset-size+1, false
	}
	if from > head.Offset || limit <= 0 && !h.Complete {
		return h, nil
	}
	w := walk.Walk{Store: e.store, Route: r, Head: head, Now: time.Now()}
	found, whole, err := w.Read(ctx, newest, from, max(limit, 1))
	h.Complete = h.Complete && whole
	for _, rec := range found {
		if len(h.Messages) < limit {
			h.Messages = append(h.Messages, e.message(rec))
		}
	}
	return h, err
}

// follows reports whether after can be a position of head's log.
func (e *Engine) follows(after surewire.Position, head record.Head) bool {
	return after.Epoch == "" || after.Epoch == e.show(head.Epoch)
}

// callError returns what a caller is told, who waits with ctx.
func (e *Engine) callError(ctx context.Context, err error) error {
	switch {
	case e.closed.Load():
		return surewire.ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return err
}
