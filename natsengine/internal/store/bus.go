package store

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/surewire/surewire"
)

func (s *Store) bus() string { return s.config.Prefix + ".bus" }

// Announce sends b to all who hear, and returns once the server has it.
func (s *Store) Announce(ctx context.Context, b []byte) error {
	err := s.conns.api.Publish(s.bus(), b)
	if err == nil {
		bound, cancel := s.Bound(ctx, readTimeout)
		defer cancel()
		err = s.conns.api.FlushWithContext(bound)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", surewire.ErrUnavailable, err)
	}
	return nil
}

// Hear calls fn with what is announced, until cancel is called. It returns once
// the server knows of it.
func (s *Store) Hear(ctx context.Context, fn func(b []byte)) (cancel func(), err error) {
	sub, err := s.conns.api.Subscribe(s.bus(), func(m *nats.Msg) { fn(m.Data) })
	if err != nil {
		return nil, s.readError(err)
	}
	bound, done := s.Bound(ctx, readTimeout)
	defer done()
	if err := s.conns.api.FlushWithContext(bound); err != nil {
		sub.Unsubscribe() // fails only where the connection is closed
		return nil, s.readError(err)
	}
	return func() { sub.Unsubscribe() }, nil
}
