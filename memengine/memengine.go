// Package memengine keeps channels in memory: for tests, for development, and
// as the readable reference of what an engine does. What it keeps ends with the
// process.
package memengine

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/surewire/surewire"
)

// Config bounds what an [Engine] keeps. The zero Config means the defaults.
type Config struct {
	HistorySize int           // messages kept per channel; 0 means 1,000
	HistoryTTL  time.Duration // how long they are kept; 0 means 24h
	MaxSize     int           // longest Data of a publication, in bytes; 0 means no limit of the engine's own
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

// An Engine is a [surewire.Engine] in memory.
type Engine struct {
	// Static after construction.
	config Config
	done   chan struct{} // closed by Close; ends sweep

	// mu guards the following.
	mu     sync.Mutex
	logs   map[string]*log
	life   string // random: of this engine
	lives  int    // how often logs that had messages were forgotten
	closed bool
}

// New returns an empty engine. Its Close ends the one goroutine it starts,
// which forgets channels that nobody has used for as long as history is kept.
func New(c Config) *Engine {
	e := &Engine{config: c.withDefaults(), done: make(chan struct{}), logs: make(map[string]*log), life: rand.Text()[:8]}
	go e.sweep()
	return e
}

// Publish implements [surewire.Engine].
func (e *Engine) Publish(ctx context.Context, channel string, p surewire.Publication) (surewire.Published, error) {
	if e.config.MaxSize > 0 && len(p.Data) > e.config.MaxSize {
		return surewire.Published{}, fmt.Errorf("%w: %d bytes are more than %d", surewire.ErrTooLarge, len(p.Data), e.config.MaxSize)
	}
	for {
		l, err := e.log(ctx, channel)
		if err != nil {
			return surewire.Published{}, err
		}
		done, ok, err := l.append(p, time.Now())
		if err != nil {
			return done, fmt.Errorf("channel %q: %w", channel, err)
		}
		if ok {
			l.deliver()
			return done, nil
		}
	}
}

// Subscribe implements [surewire.Engine].
func (e *Engine) Subscribe(ctx context.Context, channel string, s surewire.Sink) (surewire.Position, func(), error) {
	for {
		l, err := e.log(ctx, channel)
		if err != nil {
			return surewire.Position{}, nil, err
		}
		if head, one, ok := l.subscribe(s); ok {
			return head, func() { l.unsubscribe(one); e.forgetUnused(l) }, nil
		}
	}
}

// History implements [surewire.Engine].
func (e *Engine) History(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	for {
		l, err := e.log(ctx, channel)
		if err != nil {
			return surewire.History{}, err
		}
		if h, ok := l.history(after, limit, time.Now()); ok {
			e.forgetUnused(l)
			return h, nil
		}
	}
}

// Close implements [surewire.Engine].
func (e *Engine) Close(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return surewire.ErrClosed
	}
	e.closed = true
	close(e.done)
	for _, l := range e.logs {
		l.close()
	}
	e.logs = nil
	return nil
}

// log returns the log of channel, and starts one where there is none.
func (e *Engine) log(ctx context.Context, channel string) (*log, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := surewire.CheckChannel(channel); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, surewire.ErrClosed
	}
	l := e.logs[channel]
	if l == nil {
		l = newLog(channel, e.epoch(), e.config)
		e.logs[channel] = l
	}
	return l, nil
}

// epoch is that of a log that begins now: another one once a log that had
// messages has been forgotten. A log that never had any is the same log when it
// begins again, so that nothing need be kept of it.
func (e *Engine) epoch() string { return fmt.Sprintf("%s%d", e.life, e.lives) }

// sweep runs until Close.
func (e *Engine) sweep() {
	t := time.NewTicker(max(e.config.HistoryTTL/16, time.Second))
	defer t.Stop()
	for {
		select {
		case <-e.done:
			return
		case now := <-t.C:
			e.forget(now)
		}
	}
}

// forget drops expired messages, and the logs that nobody used for HistoryTTL.
func (e *Engine) forget(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	lives := e.lives
	for name, l := range e.logs {
		if l.retire(now) {
			delete(e.logs, name)
			if l.head > 0 {
				lives = e.lives + 1
			}
		}
	}
	e.lives = lives
}

// forgetUnused drops l if it never had a message and nobody listens.
func (e *Engine) forgetUnused(l *log) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.logs[l.channel] == l && l.unused() {
		delete(e.logs, l.channel)
	}
}

var _ surewire.Engine = (*Engine)(nil)
