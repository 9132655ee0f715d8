// Package history reads what an engine keeps, for clients: not too many at once,
// and in both directions.
package history

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/surewire/surewire"
)

// A Reader reads an engine's history. Its methods may be called concurrently.
type Reader struct {
	engine surewire.Engine
	slots  chan struct{} // a token per read
}

// atOnce bounds how many clients have history read at once: the engine is
// everybody's. timeout bounds how long each may take.
const (
	atOnce  = 64
	timeout = 10 * time.Second
)

// New returns a reader of engine.
func New(engine surewire.Engine) *Reader {
	return &Reader{engine, make(chan struct{}, atOnce)}
}

// After returns what [surewire.Engine]'s History does.
func (r *Reader) After(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return surewire.History{}, ctx.Err()
	}
	return r.engine.History(ctx, channel, after, limit)
}

// ErrEpoch says that a position is of an epoch that is over, or of none.
var ErrEpoch = errors.New("the position is of another epoch")

// Page returns at most limit of the messages that are kept of channel. They
// come after since, or, newest first, before since if reverse is set; a nil
// since begins at the oldest, or at the newest. Where since is of another epoch
// the error is [ErrEpoch].
func (r *Reader) Page(ctx context.Context, channel string, since *surewire.Position, limit int, reverse bool) (surewire.History, error) {
	var after surewire.Position
	if since != nil {
		after = *since
	}
	first := limit
	if reverse {
		after.Offset, first = 0, 0 // where the log ends is to be known before
	}
	got, err := r.After(ctx, channel, after, first)
	if err == nil && after.Epoch != "" && after.Epoch != got.Head.Epoch {
		err = ErrEpoch
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
	got, err = r.After(ctx, channel, surewire.Position{Epoch: got.Head.Epoch, Offset: before - 1 - n}, int(n))
	got.Messages = slices.DeleteFunc(slices.Clone(got.Messages), func(m *surewire.Message) bool { return m.Position.Offset >= before })
	slices.Reverse(got.Messages)
	return got, err
}
