// Package memengine keeps channels in memory: for tests, for development, and
// as the readable reference of what an engine does. What it keeps ends with the
// process.
package memengine

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire"
)

// Config bounds what an [Engine] keeps. The zero Config means the defaults.
type Config struct {
	HistorySize int           // messages kept per channel; 0 means 1,000
	HistoryTTL  time.Duration // how long they are kept; 0 means 24h
	MaxSize     int           // longest Data of a publication, in bytes; 0 means no limit of the engine's own

	// Retention returns the bounds of one channel; its zero fields mean those
	// above. It is asked when the log of a channel begins, perhaps by several
	// goroutines at once. It may be nil.
	Retention func(channel string) surewire.Retention
}

func (c Config) withDefaults() Config {
	if c.HistorySize <= 0 {
		c.HistorySize = 1000
	}
	if c.HistoryTTL <= 0 {
		c.HistoryTTL = 24 * time.Hour
	}
	return c
}

// retention returns what is kept of channel.
func (c Config) retention(channel string) surewire.Retention {
	r := surewire.Retention{}
	if c.Retention != nil {
		r = c.Retention(channel)
	}
	if r.Size <= 0 {
		r.Size = c.HistorySize
	}
	if r.TTL <= 0 {
		r.TTL = c.HistoryTTL
	}
	return r
}

// An Engine is a [surewire.Engine] in memory.
//
// The ID of a publication is known for as long as its message is kept, and then
// until 5 minutes after the publication, for the newest 4,096 such IDs of a
// channel; IDs of ephemeral publications are among these. Within that, a second
// publication with the same ID is a duplicate, also after RemoveHistory.
type Engine struct {
	// Static after construction.
	config Config
	seed   maphash.Seed
	shards []shard
	done   chan struct{} // closed by Close; ends sweep

	closed atomic.Bool
}

// shards is how many there are: a power of two, large beside the number of CPUs.
const shards = 256

// New returns an empty engine. Its Close ends the one goroutine it starts,
// which forgets channels that nobody has used for as long as history is kept.
func New(c Config) *Engine {
	e := &Engine{config: c.withDefaults(), seed: maphash.MakeSeed(), shards: make([]shard, shards), done: make(chan struct{})}
	life, start := rand.Text()[:8], time.Now()
	for i := range e.shards {
		s := &e.shards[i]
		s.life, s.start, s.epoch, s.logs = life, start, life+"0", make(map[string]*log)
	}
	go e.sweep()
	return e
}

// Publish implements [surewire.Engine].
func (e *Engine) Publish(ctx context.Context, channel string, p surewire.Publication) (surewire.Published, error) {
	if err := ctx.Err(); err != nil {
		return surewire.Published{}, err
	}
	if e.config.MaxSize > 0 && len(p.Data) > e.config.MaxSize {
		return surewire.Published{}, fmt.Errorf("%w: %d bytes are more than %d", surewire.ErrTooLarge, len(p.Data), e.config.MaxSize)
	}
	s := e.shard(channel)
	m := &surewire.Message{Publication: p, Time: time.Now()}
	for {
		done, l, err := s.append(channel, m)
		switch {
		case err == errNoLog:
			e.begin(s, channel)
			continue
		case err == surewire.ErrBusy:
			err = fmt.Errorf("channel %q: %w", channel, err)
		case l != nil:
			l.deliver()
		}
		return done, err
	}
}

// Subscribe implements [surewire.Engine].
func (e *Engine) Subscribe(ctx context.Context, channel string, sink surewire.Sink) (surewire.Position, func(), error) {
	if err := ctx.Err(); err != nil {
		return surewire.Position{}, nil, err
	}
	s := e.shard(channel)
	for {
		head, cancel, err := s.subscribe(channel, sink)
		if err != errNoLog {
			return head, cancel, err
		}
		e.begin(s, channel)
	}
}

// History implements [surewire.Engine].
func (e *Engine) History(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	if err := ctx.Err(); err != nil {
		return surewire.History{}, err
	}
	return e.shard(channel).history(channel, after, limit)
}

// RemoveHistory implements [surewire.HistoryRemover].
func (e *Engine) RemoveHistory(ctx context.Context, channel string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.shard(channel).removeHistory(channel)
}

// Healthy implements [surewire.HealthChecker]: only Close ends the health of memory.
func (e *Engine) Healthy(context.Context) error {
	if e.closed.Load() {
		return surewire.ErrClosed
	}
	return nil
}

// Close implements [surewire.Engine].
func (e *Engine) Close(context.Context) error {
	if e.closed.Swap(true) {
		return surewire.ErrClosed
	}
	close(e.done)
	for i := range e.shards {
		e.shards[i].close()
	}
	return nil
}

func (e *Engine) shard(channel string) *shard {
	return &e.shards[maphash.String(e.seed, channel)%shards]
}

// begin starts the log of channel. Nothing is locked while the application is
// asked what to keep.
func (e *Engine) begin(s *shard, channel string) {
	r := e.config.retention(channel)
	s.begin(channel, r.Size, r.TTL)
}

// sweep runs until Close. What has expired is not seen even before it comes by:
// it is about memory, and so need not be more frequent than once a minute.
func (e *Engine) sweep() {
	t := time.NewTicker(min(max(e.config.HistoryTTL/16, time.Second), time.Minute))
	defer t.Stop()
	for {
		select {
		case <-e.done:
			return
		case now := <-t.C:
			for i := range e.shards {
				e.shards[i].forget(now)
			}
		}
	}
}

var (
	_ surewire.Engine         = (*Engine)(nil)
	_ surewire.HealthChecker  = (*Engine)(nil)
	_ surewire.HistoryRemover = (*Engine)(nil)
)
