// Package natsengine keeps channels in NATS JetStream: in a server inside the
// process (package natsembed), or in a cluster that is there.
//
// Each message is stored with its offset and the place of the message before it,
// on the condition that this is still the newest of its channel: so offsets are
// contiguous whoever publishes, a retry is stored once, and what a disk loses is
// seen by the reader. docs/durability.md says what may be relied on.
package natsengine

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine/internal/line"
	"github.com/surewire/surewire/natsengine/internal/record"
	"github.com/surewire/surewire/natsengine/internal/roll"
	"github.com/surewire/surewire/natsengine/internal/store"
)

// Config says where an [Engine] keeps its channels, and how. One of InProcess
// and URLs is required.
type Config struct {
	// InProcess makes connections to a server in this process, as a
	// natsembed.Server does.
	InProcess interface{ InProcessConn() (net.Conn, error) }

	URLs        []string    // of a server, or of several of one cluster
	Credentials string      // file with a JWT and a seed; empty for none
	TLS         *tls.Config // nil: as the URLs say

	Prefix   string // of streams and subjects: several Surewires can share a NATS; empty means "surewire"
	Replicas int    // of each stream; 0 means 1
	MaxSize  int    // longest Data of a publication, in bytes; 0 means no limit but that of NATS

	// Profile returns what is kept of a channel; its zero fields mean 1,000
	// messages and 24h. It is asked often, by many goroutines, and gives the
	// same answer each time. It may be nil.
	Profile func(channel string) Profile

	// Shared says that other processes publish to the same channels: then the
	// epoch of a channel without a message is stored when somebody subscribes, so
	// that it is the same for all.
	Shared bool

	// Generation is part of each epoch: when it changes, all readers are told
	// that they may have missed something. See natsembed.Server.Generation.
	Generation string

	// Guard is asked before each publication; its error is what Publish returns.
	// It must not wait. It may be nil. See natsembed.Server.Healthy.
	Guard func() error

	// Current is asked by Healthy, besides Guard: a node of a cluster that is behind
	// the others should not be relied on yet. It may be nil. See
	// natsembed.Server.Current.
	Current func() error

	MaxPending     int           // publications that wait, before others get ErrBusy; 0 means 8,192; an eighth of them per channel
	MaxDelivery    int           // messages that wait for their delivery, before others are dropped and looked up; 0 means 65,536
	PublishTimeout time.Duration // how long a publication is tried; 0 means 15s, enough for the election of a leader
	IDWindow       time.Duration // how long an ID is known, also after a restart; 0 means 2 minutes; a profile's TTL bounds it
	VerifyEvery    time.Duration // how often it is asked whether the end of a channel went missing; 0 means 20s
	Logger         *slog.Logger  // nil means slog.Default
}

// A Profile is what is kept of a group of channels: of a namespace, as a rule.
// Channels of a profile share its streams. When its figures change, its streams
// are told so at the next start, and nothing is lost but what they now exclude.
type Profile struct {
	Name string // may be empty
	surewire.Retention
	Bytes int64 // of all its channels together, on each replica; the oldest go first; 0 means no limit
}

// Defaults of a Profile.
const (
	defaultSize = 1000
	defaultTTL  = 24 * time.Hour
)

func (c Config) withDefaults() Config {
	c.Prefix = cmp.Or(c.Prefix, "surewire")
	c.Replicas = cmp.Or(c.Replicas, 1)
	c.MaxPending = cmp.Or(c.MaxPending, 8192)
	c.MaxDelivery = cmp.Or(c.MaxDelivery, 1<<16)
	c.PublishTimeout = cmp.Or(c.PublishTimeout, 15*time.Second)
	c.IDWindow = cmp.Or(c.IDWindow, 2*time.Minute)
	c.VerifyEvery = cmp.Or(c.VerifyEvery, 20*time.Second)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	for _, ask := range []*func() error{&c.Guard, &c.Current} {
		if *ask == nil {
			*ask = func() error { return nil }
		}
	}
	return c
}

// An Engine is a [surewire.Engine] on JetStream. It reconnects by itself.
//
// A publication's own TTL is kept by not showing the message any longer: its
// bytes stay until those of the channel's other messages go too.
type Engine struct {
	// Static after construction.
	config Config
	suffix string // of epochs that are shown
	life   string // random: of this engine
	store  *store.Store
	lines  *line.Lines                                // of publishers, by channel
	heads  *line.Recent[string, record.Head]          // newest known, by channel
	ids    *line.Recent[store.Key, surewire.Position] // of publications, as shown
	ctx    context.Context                            // done when the engine is closed
	end    context.CancelFunc                         // of ctx

	mu     sync.Mutex     // guards closed's change, and that nothing is added to wg after it
	wg     sync.WaitGroup // of all that runs
	closed atomic.Bool

	stats  stats
	nonces atomic.Uint64
	roll   *roll.Roll[[]surewire.ClientInfo] // of the other processes
	kick   chan struct{}                     // wakes verify
	healer chan struct{}                     // holds a token for each read of those that heal

	channels channels
}

// How much is remembered, at least.
const (
	rememberedHeads = 1 << 16 // about 200 bytes each
	rememberedIDs   = 1 << 15 // about 100 bytes each
)

// Open connects to the server, and waits until JetStream answers or ctx is done.
// The engine's Close ends what Open starts.
func Open(ctx context.Context, c Config) (*Engine, error) {
	c = c.withDefaults()
	e := &Engine{
		config: c, life: rand.Text()[:10],
		lines: line.NewLines(c.MaxPending, max(c.MaxPending/8, 1)),
		heads: line.NewRecent[string, record.Head](rememberedHeads),
		ids:   line.NewRecent[store.Key, surewire.Position](rememberedIDs),
		roll:  roll.New[[]surewire.ClientInfo](presencePatience),
		kick:  make(chan struct{}, 1), healer: make(chan struct{}, 32),
	}
	e.channels.all, e.channels.inbox = make(map[string]*channel), make(chan *nats.Msg, c.MaxDelivery)
	if c.Generation != "" {
		e.suffix = "." + c.Generation
	}
	e.ctx, e.end = context.WithCancel(context.Background())
	s, err := store.Open(ctx, e.ctx, store.Config{
		InProcess: c.InProcess, URLs: c.URLs, Credentials: c.Credentials, TLS: c.TLS,
		Prefix: c.Prefix, Replicas: c.Replicas, IDWindow: c.IDWindow, Timeout: c.PublishTimeout,
		Logger: c.Logger, Wake: e.wake,
	})
	if err != nil {
		e.end()
		return nil, fmt.Errorf("natsengine: %w", err)
	}
	e.store = s
	e.spawn(e.dispatch)
	e.spawn(e.verify)
	return e, nil
}

// spawn runs fn in a goroutine, which ends with e.ctx, unless e is closed.
func (e *Engine) spawn(fn func()) {
	if e.enter() {
		go func() {
			defer e.wg.Done()
			fn()
		}()
	}
}

// enter has Close wait for a wg.Done more. It reports false if e is closed.
func (e *Engine) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed.Load() {
		return false
	}
	e.wg.Add(1)
	return true
}

// check returns what is wrong with a call, nil for nothing.
func (e *Engine) check(ctx context.Context, channel string) error {
	if e.closed.Load() {
		return surewire.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return surewire.CheckChannel(channel)
}

// Healthy implements [surewire.HealthChecker]: it asks the server.
func (e *Engine) Healthy(ctx context.Context) error {
	if e.closed.Load() {
		return surewire.ErrClosed
	}
	if err := e.config.Guard(); err != nil {
		return err
	}
	if err := e.store.Healthy(ctx); err != nil {
		return err
	}
	return e.config.Current()
}

// Close implements [surewire.Engine]. Who publishes meanwhile is told that the
// outcome is unknown, if it is.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	again := e.closed.Swap(true)
	e.mu.Unlock()
	if again {
		return surewire.ErrClosed
	}
	e.end()
	e.channels.close()
	done := make(chan struct{})
	go func() { // ends when all that runs has: each waits on e.ctx
		e.wg.Wait()
		e.store.Close()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// nonce names a publication of this engine, in all its attempts.
func (e *Engine) nonce() string { return e.life + strconv.FormatUint(e.nonces.Add(1), 36) }

// route returns where channel is kept.
func (e *Engine) route(channel string) store.Route {
	var p Profile
	if e.config.Profile != nil {
		p = e.config.Profile(channel)
	}
	p.Size, p.TTL = cmp.Or(max(p.Size, 0), defaultSize), cmp.Or(max(p.TTL, 0), defaultTTL)
	return e.store.Route(store.Profile(p), channel)
}

// show returns an epoch as callers see it.
func (e *Engine) show(epoch string) string { return epoch + e.suffix }

func (e *Engine) position(h record.Head) surewire.Position {
	return surewire.Position{Epoch: e.show(h.Epoch), Offset: h.Offset}
}

// message returns what r holds, as callers see it.
func (e *Engine) message(r *record.Record) *surewire.Message {
	m := r.M
	m.Position.Epoch = e.show(r.Epoch)
	return &m
}

var (
	_ surewire.Engine         = (*Engine)(nil)
	_ surewire.AsyncPublisher = (*Engine)(nil)
	_ surewire.HealthChecker  = (*Engine)(nil)
	_ surewire.HistoryRemover = (*Engine)(nil)
)
