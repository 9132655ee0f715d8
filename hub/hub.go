package hub

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub/internal/wheel"
)

// Config configures a [Hub]. Engine is required.
type Config struct {
	Engine     surewire.Engine
	Publisher  *surewire.Publisher // for what clients publish; nil means one with the defaults
	Authorizer Authorizer          // nil refuses every client; see [AllowAll]
	Version    string              // of the server, as clients are told; may be empty
	Logger     *slog.Logger        // nil means [slog.Default]

	TailLen   int // frames kept per live channel; 0 means 256
	TailBytes int // bytes of publications kept per live channel; 0 means 1 MiB

	PingInterval   time.Duration // 0 means 25s
	PongTimeout    time.Duration // 0 means 8s; at most two thirds of PingInterval
	ConnectTimeout time.Duration // for the first command; 0 means 10s
	WriteTimeout   time.Duration // for a client that does not read; 0 means 10s

	MaxChannels   int // subscriptions of one connection; 0 means 512
	RecoveryLimit int // publications in one subscribe reply, the rest follows it; 0 means 300
	CatchUps      int // reads of history per connection and minute, for a client that falls off the tail; 0 means 120
}

func (c Config) withDefaults() Config {
	if c.Publisher == nil {
		c.Publisher = &surewire.Publisher{Engine: c.Engine, Logger: c.Logger}
	}
	if c.Authorizer == nil {
		c.Authorizer = denyAll{}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	for _, d := range []struct {
		field *int
		value int
	}{{&c.TailLen, 256}, {&c.TailBytes, 1 << 20}, {&c.MaxChannels, 512}, {&c.RecoveryLimit, 300}, {&c.CatchUps, 120}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.PingInterval, 25 * time.Second}, {&c.PongTimeout, 8 * time.Second},
		{&c.ConnectTimeout, 10 * time.Second}, {&c.WriteTimeout, 10 * time.Second},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	c.PongTimeout = min(c.PongTimeout, c.PingInterval*2/3)
	return c
}

// A Hub serves clients. Its methods may be called concurrently.
type Hub struct {
	// Static after construction.
	config Config
	wheel  *wheel.Wheel[*conn]
	reads  chan struct{}   // a token per read of history for a cursor that fell behind
	ctx    context.Context // done when the hub is shut down
	cancel context.CancelFunc
	idle   chan struct{} // closed when the hub is closing and its last connection has ended

	// mu guards the following, and the refs of channels.
	mu       sync.Mutex
	conns    map[*conn]struct{}
	channels map[string]*channel
	closing  bool
}

// maxReads bounds how many cursors read history at once, for all connections.
const maxReads = 64

// New returns a hub. Its Shutdown ends the one goroutine it starts, which pings
// the clients.
func New(c Config) *Hub {
	if c.Engine == nil {
		panic("hub: Config.Engine is nil")
	}
	h := &Hub{
		config:   c.withDefaults(),
		reads:    make(chan struct{}, maxReads),
		idle:     make(chan struct{}),
		conns:    make(map[*conn]struct{}),
		channels: make(map[string]*channel),
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.wheel = wheel.New[*conn](h.config.PingInterval, h.config.PongTimeout)
	go h.wheel.Run((*conn).ping, (*conn).checkPong) // until Shutdown
	return h
}

// Serve serves one client until it leaves, breaks the protocol, or is told to
// go. The caller's goroutine is the connection's reader; Serve closes t, and
// returns when nothing of the connection is left. The error says why it ended;
// nil means that the client left in good order.
func (h *Hub) Serve(ctx context.Context, t Transport, f *Format) error {
	c := newConn(ctx, h, t, f)
	defer c.cancel()
	if !h.add(c) {
		t.Close(surewire.DisconnectShutdown)
		return surewire.DisconnectShutdown
	}
	err := c.serve()
	h.remove(c)
	h.config.Logger.LogAttrs(ctx, slog.LevelDebug, "connection ended",
		slog.String("client", c.id), slog.String("transport", f.Name), slog.Any("reason", err))
	return err
}

// Shutdown asks every client to come back elsewhere and returns when all
// connections have ended, or with the error of ctx. A hub that is shut down
// takes no more clients.
func (h *Hub) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	if h.closing {
		h.mu.Unlock()
		return surewire.ErrClosed
	}
	h.closing = true
	conns := make([]*conn, 0, len(h.conns))
	for c := range h.conns {
		conns = append(conns, c)
	}
	if len(conns) == 0 {
		close(h.idle)
	}
	h.mu.Unlock()
	defer h.cancel()
	h.wheel.Stop()
	for _, c := range conns {
		c.close(surewire.DisconnectShutdown)
	}
	select {
	case <-h.idle:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("hub: connections were left"), ctx.Err())
	}
}

func (h *Hub) add(c *conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return false
	}
	h.conns[c] = struct{}{}
	return true
}

func (h *Hub) remove(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, c)
	if h.closing && len(h.conns) == 0 {
		close(h.idle)
	}
}
