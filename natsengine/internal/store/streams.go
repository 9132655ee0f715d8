package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/surewire/surewire"
)

// profiles are those whose streams are there.
type profiles struct {
	// mu guards the following.
	mu    sync.Mutex
	ready map[string]*profileState
}

// A profileState is the work of making the streams of a profile.
type profileState struct {
	profile Profile
	done    chan struct{} // closed when it has ended
	err     error         // then: nil if they are there
}

// Ensure makes the streams of p, once.
func (s *Store) Ensure(ctx context.Context, p Profile) error {
	s.profiles.mu.Lock()
	state := s.profiles.ready[p.Name]
	first := state == nil
	if first {
		state = &profileState{profile: p, done: make(chan struct{})}
		s.profiles.ready[p.Name] = state
	}
	s.profiles.mu.Unlock()
	if first { // for all who wait: it ends with the store's life, or its time
		go func() {
			state.err = s.makeStreams(p)
			if state.err != nil {
				s.Forget(p.Name)
			}
			close(state.done)
		}()
	}
	select {
	case <-state.done:
		return state.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Ready reports whether the streams of p are known to be there: then Ensure does not
// wait.
func (s *Store) Ready(p Profile) bool {
	s.profiles.mu.Lock()
	state := s.profiles.ready[p.Name]
	s.profiles.mu.Unlock()
	if state == nil {
		return false
	}
	select {
	case <-state.done:
		return state.err == nil
	default:
		return false
	}
}

// Forget has the streams of a profile looked at again: they may be gone, and what
// was in them.
func (s *Store) Forget(name string) {
	s.profiles.mu.Lock()
	defer s.profiles.mu.Unlock()
	delete(s.profiles.ready, name)
	s.seen.Clear()
}

// remake makes the streams of all profiles that are used, where they are not there:
// a server that was away may come back without them, and who only reads would not
// notice. Nobody waits for it: who publishes has streams made himself.
func (s *Store) remake() {
	var used []Profile
	s.profiles.mu.Lock()
	for _, state := range s.profiles.ready {
		used = append(used, state.profile)
	}
	s.profiles.mu.Unlock()
	for _, p := range used {
		if err := s.makeStreams(p); err != nil && s.life.Err() == nil {
			s.config.Logger.Warn("streams could not be looked at", "profile", p.Name, "error", err)
		}
	}
}

// makeStreams makes or updates the streams of p, and tries for a while: a cluster
// that has just begun has no leader yet.
func (s *Store) makeStreams(p Profile) error {
	ctx, cancel := context.WithTimeout(s.life, s.config.Timeout)
	defer cancel()
	patience := firstAPIPatience
	for part := 0; part < partitions; {
		err := s.makeStream(ctx, p, part, patience)
		if err == nil {
			part++
			continue
		}
		patience = min(2*patience, 2*apiTimeout)
		var api *jetstream.APIError
		if errors.As(err, &api) && api.Code < 500 && api.ErrorCode != 10005 { // no peers: they are on their way
			return fmt.Errorf("%w: stream %s: %w", surewire.ErrUnavailable, s.streamName(p.Name, part), err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: stream %s: %w", surewire.ErrUnavailable, s.streamName(p.Name, part), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

// firstAPIPatience is how long the first answer about a stream is waited for: what is
// asked while a cluster has no leader is never answered.
const firstAPIPatience = 500 * time.Millisecond

func (s *Store) makeStream(ctx context.Context, p Profile, part int, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := s.js.CreateOrUpdateStream(ctx, s.streamConfig(p, part))
	return err
}

func (s *Store) streamConfig(p Profile, part int) jetstream.StreamConfig {
	stored, live := s.subjects(p.Name, part)
	c := jetstream.StreamConfig{
		Name:              s.streamName(p.Name, part),
		Description:       "channels of Surewire",
		Subjects:          []string{stored + ">"},
		MaxMsgsPerSubject: int64(p.Size),
		MaxAge:            p.TTL,
		MaxBytes:          -1,
		Discard:           jetstream.DiscardOld,
		Storage:           jetstream.FileStorage,
		Replicas:          s.config.Replicas,
		Duplicates:        min(s.config.IDWindow, p.TTL),
		AllowDirect:       true,
		AllowRollup:       true, // see PutMark
		RePublish:         &jetstream.RePublish{Source: stored + ">", Destination: live + ">"},
	}
	if p.Bytes > 0 {
		c.MaxBytes = max(p.Bytes/partitions, 1<<20)
	}
	return c
}

// Bound returns a context that is done after d too, and when the store is ended.
func (s *Store) Bound(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, d)
	stop := context.AfterFunc(s.life, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
