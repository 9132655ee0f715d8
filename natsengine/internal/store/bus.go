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
	return s.hear(ctx, s.bus(), func(m *nats.Msg) { fn(m.Data) })
}

func (s *Store) hear(ctx context.Context, subject string, fn func(m *nats.Msg)) (cancel func(), err error) {
	sub, err := s.conns.api.Subscribe(subject, fn)
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

// All is the subject of what every process attends to, and One that of who calls
// itself name.
func (s *Store) All() string            { return s.config.Prefix + ".roll" }
func (s *Store) One(name string) string { return s.All() + "." + name }

// Attend calls fn with what is told to all and to name, those of each one at a
// time, until cancel is called. It returns once the server knows of it.
func (s *Store) Attend(ctx context.Context, name string, fn func(m *nats.Msg)) (cancel func(), err error) {
	all, err := s.hear(ctx, s.All(), fn)
	if err != nil {
		return nil, err
	}
	one, err := s.hear(ctx, s.One(name), fn)
	if err != nil {
		all()
		return nil, err
	}
	return func() { all(); one() }, nil
}

// Tell sends m, at most once.
func (s *Store) Tell(m *nats.Msg) error {
	if err := s.conns.api.PublishMsg(m); err != nil {
		return fmt.Errorf("%w: %w", surewire.ErrUnavailable, err)
	}
	return nil
}
