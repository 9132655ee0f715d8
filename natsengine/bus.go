package natsengine

import (
	"context"
	"fmt"

	"github.com/surewire/surewire"
)

// Broadcast sends b to the listeners of all engines with the same Prefix, this
// one's too: at most once, and to those who are there. It returns once the server
// of this engine has it. b is not kept.
func (e *Engine) Broadcast(ctx context.Context, b []byte) error {
	if e.closed.Load() {
		return surewire.ErrClosed
	}
	if err := e.store.Announce(ctx, b); err != nil {
		return fmt.Errorf("broadcast: %w", e.callError(ctx, err))
	}
	return nil
}

// Listen calls fn with what is broadcast from now on, one at a time and in the
// order of each sender, until cancel is called. fn owns what it gets.
func (e *Engine) Listen(ctx context.Context, fn func(b []byte)) (cancel func(), err error) {
	if e.closed.Load() {
		return nil, surewire.ErrClosed
	}
	cancel, err = e.store.Hear(ctx, fn)
	if err != nil {
		return nil, e.callError(ctx, err)
	}
	return cancel, nil
}

var _ surewire.Bus = (*Engine)(nil)
