package hub

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub/internal/ask"
	"github.com/surewire/surewire/hub/internal/history"
	"github.com/surewire/surewire/hub/internal/link"
	"github.com/surewire/surewire/hub/internal/live"
	"github.com/surewire/surewire/hub/internal/pace"
	"github.com/surewire/surewire/hub/internal/presence"
	"github.com/surewire/surewire/hub/internal/roster"
	"github.com/surewire/surewire/hub/internal/stack"
	"github.com/surewire/surewire/hub/internal/term"
	"github.com/surewire/surewire/hub/internal/wheel"
	"github.com/surewire/surewire/limit"
	"github.com/surewire/surewire/wire"
)

// Config configures a [Hub]. Engine is required.
type Config struct {
	Engine     surewire.Engine
	Publisher  *surewire.Publisher // for what clients publish and are answered; nil means one with the defaults
	Authorizer access.Authorizer   // nil refuses every client; see [access.AllowAll]
	Handlers   Handlers            // of the application
	Version    string              // of the server, as clients are told; may be empty
	Logger     *slog.Logger        // nil means [slog.Default]

	// Revoked reports whether the token that let a client in is no longer good.
	// It is asked once a client is found by [Hub.Review] and the others, and nil
	// means that none is: a revocation that comes between the two is not missed.
	Revoked func(access.Client) bool

	// For tracing; called concurrently, and may be nil. FannedOut hears of publications with a Trace alone.
	Command   func(ctx context.Context, name string) (context.Context, func(error))   // a client's command begins; the function: it has ended
	FannedOut func(channel string, m *surewire.Message, began time.Time, readers int) // m came when it began, and was written for the readers

	Commands     limit.Rate // of one connection; the zero rate does not limit
	UserCommands limit.Rate // of all connections of a user, those without a name apart; the zero rate does not limit
	UserConns    int        // connections of one user, those without a name apart; 0 does not limit

	TailLen   int // frames kept per live channel; 0 means 256
	TailBytes int // bytes of publications kept per live channel; 0 means 1 MiB
	TailsMax  int // bytes of all tails together, frames included; 0 means 512 MiB

	PingInterval   time.Duration // 0 means 25s
	PongTimeout    time.Duration // 0 means 8s; at most two thirds of PingInterval
	ConnectTimeout time.Duration // for the first command; 0 means 10s
	WriteTimeout   time.Duration // for a client that does not read; 0 means 10s
	ExpiryGrace    time.Duration // for a new token, once the old one has expired; 0 means 25s

	MaxChannels   int // subscriptions of one connection; 0 means 512
	RecoveryLimit int // publications in one subscribe reply, the rest follows it; 0 means 300
	HistoryLimit  int // publications in one answer to a history command; 0 means 300
	CatchUps      int // reads of history per connection and minute, for a client that falls off the tail; 0 means 120
}

func (c Config) withDefaults() Config {
	if c.Publisher == nil {
		c.Publisher = &surewire.Publisher{Engine: c.Engine, Logger: c.Logger}
	}
	if c.Authorizer == nil {
		c.Authorizer = access.Funcs{}
	}
	if c.Revoked == nil {
		c.Revoked = func(access.Client) bool { return false }
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	for field, value := range map[*int]int{
		&c.TailLen: 256, &c.TailBytes: 1 << 20, &c.TailsMax: 512 << 20, &c.MaxChannels: 512,
		&c.RecoveryLimit: 300, &c.HistoryLimit: 300, &c.CatchUps: 120,
	} {
		if *field <= 0 {
			*field = value
		}
	}
	for field, value := range map[*time.Duration]time.Duration{
		&c.PingInterval: 25 * time.Second, &c.PongTimeout: 8 * time.Second, &c.ConnectTimeout: 10 * time.Second,
		&c.WriteTimeout: 10 * time.Second, &c.ExpiryGrace: 25 * time.Second,
	} {
		if *field <= 0 {
			*field = value
		}
	}
	c.PongTimeout = min(c.PongTimeout, c.PingInterval*2/3)
	return c
}

// A Hub serves clients. Its methods may be called concurrently.
type Hub struct {
	// Static after construction.
	config   Config
	links    link.Config
	channels *live.Channels
	wheel    *wheel.Wheel[*conn]
	roster   *roster.Roster[*conn]
	past     *history.Reader
	present  *presence.Keeper
	ask      ask.Application
	terms    term.Maker

	pace         pace.Limits
	refusedUsers atomic.Uint64
}

// New returns a hub. Its Shutdown ends the goroutines it starts: one that pings
// the clients, and a few that wake readers.
func New(c Config) *Hub {
	if c.Engine == nil {
		panic("hub: Config.Engine is nil")
	}
	c = c.withDefaults()
	h := &Hub{
		config:   c,
		channels: live.New(live.Config{Engine: c.Engine, TailLen: c.TailLen, TailSize: c.TailBytes, Budget: int64(c.TailsMax), FannedOut: c.FannedOut}),
		wheel:    wheel.New[*conn](c.PingInterval, c.PongTimeout),
		past:     history.New(c.Engine),
		roster:   roster.New[*conn](),
		ask:      ask.Application{Authorizer: c.Authorizer, Publisher: c.Publisher, Logger: c.Logger, Command: c.Command},
		terms:    term.Maker{Grace: c.ExpiryGrace},
		pace:     pace.Limits{Conn: c.Commands, User: c.UserCommands},
	}
	h.links = link.Config{
		Ping: wire.Ping, PongTimeout: c.PongTimeout, WriteTimeout: c.WriteTimeout, CatchUps: c.CatchUps, History: h.catchUp,
	}
	h.present = presence.Start(c.Engine, h.members, c.Logger)
	go h.wheel.Run(func(c *conn) { c.link.Ping() }, func(c *conn) { c.link.CheckPong() }, (*conn).checkExpiry) // until Shutdown
	return h
}

// Serve serves one client until it leaves, breaks the protocol, is told to go, or
// ctx is done. The caller's goroutine is the connection's reader; Serve closes t,
// and returns when nothing of the connection is left. The error says why it
// ended; nil means that the client left in good order.
func (h *Hub) Serve(ctx context.Context, t Transport, f *Format, p access.Peer) error {
	var c *conn
	stack.Aside(func() { c = h.begin(ctx, t, f, p) })
	if c == nil {
		return surewire.DisconnectShutdown
	}
	err := c.read()
	stack.Aside(func() { err = h.end(c, err) })
	return err
}

// begin takes in a client, unless the hub is closing.
func (h *Hub) begin(ctx context.Context, t Transport, f *Format, p access.Peer) *conn {
	c := newConn(h, t, f, p)
	if !h.roster.Add(&c.member, c.id) {
		c.link.Close(surewire.DisconnectShutdown)
		return nil
	}
	c.connectBy = time.AfterFunc(h.config.ConnectTimeout, func() { c.link.Close(surewire.DisconnectStale) })
	if ctx.Done() != nil {
		c.stop = context.AfterFunc(ctx, func() { c.link.Abort(surewire.DisconnectShutdown) })
	}
	return c
}

// end lets go of a client whose stream has ended with err, and returns why.
func (h *Hub) end(c *conn, err error) error {
	err = c.finish(err)
	if c.stop != nil {
		c.stop()
	}
	h.roster.Remove(&c.member)
	h.config.Logger.LogAttrs(context.Background(), slog.LevelDebug, "connection ended",
		slog.String("client", c.id), slog.String("transport", c.format.Name), slog.Any("reason", err))
	return err
}

// Shutdown asks every client to come back elsewhere and returns when all
// connections have ended, or cuts them off and returns the error of ctx. So that the clients do not
// come back as one, they are told a millisecond apart, but all within half of
// the time that ctx leaves. A hub that is shut down takes no more clients.
func (h *Hub) Shutdown(ctx context.Context) error {
	idle := h.roster.Close()
	if idle == nil {
		return surewire.ErrClosed
	}
	defer h.channels.Close()
	defer h.wheel.Stop()
	defer h.present.Stop()
	h.roster.Dismiss(ctx, func(c *conn) { c.link.Close(surewire.DisconnectShutdown) })
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		for _, c := range h.roster.All() {
			c.link.Abort(surewire.DisconnectShutdown)
		}
		return errors.Join(errors.New("hub: connections were left"), ctx.Err())
	}
}
