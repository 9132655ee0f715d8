// Package store is JetStream as an engine sees it: streams that keep records, and
// connections to reach them.
package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine/internal/line"
	"github.com/surewire/surewire/natsengine/internal/record"
)

// Config says where a [Store] is, and how it keeps what it is given. All is set
// but what is optional in the engine's own Config.
type Config struct {
	InProcess   interface{ InProcessConn() (net.Conn, error) }
	URLs        []string
	Credentials string
	TLS         *tls.Config

	Prefix   string
	Replicas int
	IDWindow time.Duration
	Timeout  time.Duration // how long the making of streams may take
	Logger   *slog.Logger
	Wake     func() // called when messages may have been missed; must not block
}

// A Store keeps records in the streams of a NATS. Its methods may be called
// concurrently.
type Store struct {
	// Static after construction.
	config Config
	life   context.Context // ends what waits
	conns  conns
	acks   acks
	js     jetstream.JetStream

	profiles profiles
	named    sync.Map // of *[partitions]part, by the name of a profile
	seen     *line.Recent[place, *record.Record]

	reads, reconnects, slow, leaders atomic.Uint64
}

// Open connects, and waits until JetStream answers or ctx is done. Once life is
// done, what waits returns [surewire.ErrClosed]; the connections stay until Close.
func Open(ctx, life context.Context, c Config) (*Store, error) {
	s := &Store{config: c, life: life, seen: line.NewRecent[place, *record.Record](rememberedRecords)}
	s.profiles.ready = make(map[string]*profileState)
	if err := s.connect(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// connect makes the connections, and waits for JetStream.
func (s *Store) connect(ctx context.Context) error {
	if err := s.conns.open(s); err != nil {
		return err
	}
	if err := s.acks.begin(s.life, s.conns.publish); err != nil {
		return err
	}
	js, err := jetstream.New(s.conns.api)
	if err != nil {
		return err
	}
	s.js = js
	for {
		_, err := s.Used(ctx)
		if err == nil {
			return s.watchLeaders()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("JetStream does not answer: %w", errors.Join(err, ctx.Err()))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Close closes the connections.
func (s *Store) Close() { s.conns.close() }

// Healthy returns nil if JetStream answers.
func (s *Store) Healthy(ctx context.Context) error {
	for _, c := range s.conns.all() {
		if c.Status() != nats.CONNECTED {
			return fmt.Errorf("%w: the connection to NATS is %s", surewire.ErrUnavailable, c.Status())
		}
	}
	_, err := s.Used(ctx)
	return err
}

// apiTimeout is how long JetStream is asked once: a cluster without a leader does
// not answer.
const apiTimeout = 2 * time.Second

// Used returns how many bytes the account has stored, all replicas counted.
func (s *Store) Used(ctx context.Context) (uint64, error) {
	ctx, cancel := s.Bound(ctx, apiTimeout)
	defer cancel()
	info, err := s.js.AccountInfo(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", surewire.ErrUnavailable, err)
	}
	return info.Store, nil
}

// Listen has what is published to subject brought to inbox, until the
// subscription is ended. What comes while inbox is full is dropped. It returns
// once the server knows of it.
func (s *Store) Listen(ctx context.Context, subject string, inbox chan *nats.Msg) (*nats.Subscription, error) {
	sub, err := s.conns.live.ChanSubscribe(subject, inbox)
	if err != nil {
		return nil, s.readError(err)
	}
	ctx, cancel := s.Bound(ctx, readTimeout)
	defer cancel()
	if err := s.conns.live.FlushWithContext(ctx); err != nil {
		sub.Unsubscribe() // fails only where the connection is closed
		return nil, s.readError(err)
	}
	return sub, nil
}

// Say hands p, which is ephemeral, to those who listen. It goes the way of what
// is stored, so that it keeps its place.
func (s *Store) Say(r Route, known record.Head, p surewire.Publication) error {
	m, err := record.WriteLive(r.Live, known, p)
	if err != nil {
		return err
	}
	err = s.conns.publish.PublishMsg(m)
	switch {
	case err == nil:
		return nil
	case s.life.Err() != nil:
		return surewire.ErrClosed
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("%w: %w", surewire.ErrTooLarge, err)
	}
	return fmt.Errorf("%w: %w", surewire.ErrUnavailable, err)
}

// Counts are figures of a [Store].
type Counts struct{ Reads, Reconnects, Slow, Leaders uint64 }

// Counts returns the figures as they are now.
func (s *Store) Counts() Counts {
	return Counts{s.reads.Load(), s.reconnects.Load(), s.slow.Load(), s.leaders.Load()}
}
