// Package server is the HTTP doors of Surewire: the WebSocket that clients
// connect to, and the API that backends publish through. It is where requests,
// origins and keys are known.
package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/auth"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/limit"
	"github.com/surewire/surewire/server/internal/peer"
	"github.com/surewire/surewire/server/internal/relay"
	"github.com/surewire/surewire/wire"
)

// Config configures a [Server]. Engine is required. What is not configured is
// closed: without an Authorizer no client gets in, without an APIKey the API
// answers nobody.
type Config struct {
	Engine     surewire.Engine
	Authorizer access.Authorizer // who may do what; nil refuses everybody; see [access.AllowAll]
	Handlers   hub.Handlers      // what the application does when clients ask
	Hub        hub.Config        // limits and times; its Engine, Publisher, Authorizer, Handlers and Logger are set from here
	Publisher  *surewire.Publisher
	Logger     *slog.Logger // nil means [slog.Default]

	// What Metrics shows besides the server's own, asked each time; nil for nothing.
	EngineStats func() EngineStats
	StoreStats  func() StoreStats

	// Origins are allowed to open connections and to call the API from a
	// browser, besides the server's own: "https://app.example.com". An entry
	// of "*" allows all.
	Origins []string

	// TrustedProxies are the addresses of proxies before the server. Where they
	// say in X-Forwarded-For whom a request comes from, they are believed, and
	// nobody else is. X-Real-IP and Forwarded are not read.
	TrustedProxies []netip.Prefix

	// PassHeaders names the headers of a client's HTTP request that the
	// Authorizer gets, in [access.Peer]. It gets no others: cookies only if
	// "Cookie" is named.
	PassHeaders []string

	// Limits of connections, besides those of Hub. A network is one IPv4 address,
	// or a /64 of IPv6.
	MaxConns      int        // open, of all clients; 0 does not limit
	MaxConnsPerIP int        // open, of one network; 0 does not limit
	ConnectRate   limit.Rate // at which one network may open them; the zero rate does not limit

	// Compression accepts permessage-deflate from clients that offer it, as
	// browsers do: fewer bytes, for more of the processor's time.
	Compression bool

	APIKey         string                                                                     // of the HTTP API, sent as X-API-Key or Authorization: apikey …
	InsecureAPI    bool                                                                       // the API needs no key: for development, on a port that others do not reach
	Revocations    *auth.Revocations                                                          // what the API's revoke_token and invalidate_user_tokens write to; nil for neither; Hub.Revoked asks it if it is nil
	Ticket         func(ctx context.Context, token string, ttl time.Duration) (string, error) // answers the API's ticket with one that stands for token, once and within ttl; nil for not
	MaxPublication int                                                                        // longest Data of a publication, in bytes; 0 means [surewire.DefaultMaxSize]
}

// A Server is an [http.Handler] with a hub behind it. Its methods may be called
// concurrently.
type Server struct {
	// Static after construction.
	config    Config
	hub       *hub.Hub
	publisher *surewire.Publisher
	mux       *http.ServeMux
	peers     peer.Reader
	apiKey    [sha256.Size]byte // the digest
	id, name  string            // of this process: random, and the machine's
	began     time.Time

	relay  *relay.Relay
	state  atomic.Uint32 // a State
	doors  doors
	counts counts
}

// New returns a server. Its Shutdown ends what it starts; the engine remains
// the caller's.
func New(c Config) *Server {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.MaxPublication <= 0 {
		c.MaxPublication = surewire.DefaultMaxSize
	}
	s := &Server{config: c, publisher: c.Publisher, mux: http.NewServeMux(), id: rand.Text(), began: time.Now(),
		peers: peer.NewReader(c.TrustedProxies, c.PassHeaders), apiKey: sha256.Sum256([]byte(c.APIKey)), counts: newCounts()}
	s.name, _ = os.Hostname()
	if s.publisher == nil {
		s.publisher = &surewire.Publisher{Engine: c.Engine, MaxSize: c.MaxPublication, Logger: c.Logger}
	}
	h := c.Hub
	if h.Revoked == nil {
		h.Revoked = s.revoked
	}
	h.Engine, h.Publisher, h.Authorizer, h.Handlers, h.Logger = c.Engine, s.publisher, c.Authorizer, c.Handlers, c.Logger
	s.hub = hub.New(h)
	s.relay = relay.Start(c.Engine, s.id, func(ctx context.Context, name string, text []byte) error {
		m, ok := methods[name]
		if !ok || !m.all {
			return wire.ErrMethodNotFound // of a process that is newer than this one
		}
		_, err := m.call(ctx, s, text)
		return err
	}, c.Logger)
	s.mux.HandleFunc("GET /connection/websocket", s.websocket)
	s.mux.HandleFunc("POST /api/{method}", s.api)
	s.mux.HandleFunc("GET /api/openapi.json", s.openAPI)
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Publish publishes v, whatever it is, as [surewire.Publisher.Publish] does.
func (s *Server) Publish(ctx context.Context, channel string, v any, opts ...surewire.PublishOption) (surewire.Receipt, error) {
	return s.publisher.Publish(ctx, channel, v, opts...)
}

// Hub holds the server's connections: who they are, what they read, and how to
// end them.
func (s *Server) Hub() *hub.Hub { return s.hub }

// Shutdown asks every client to come back elsewhere, and returns when all
// connections have ended, or cuts them off and returns the error of ctx. No
// connection is opened from when it is called; the API goes on.
func (s *Server) Shutdown(ctx context.Context) error {
	s.state.CompareAndSwap(uint32(Serving), uint32(Draining))
	err := s.hub.Shutdown(ctx)
	s.relay.Stop()
	s.state.Store(uint32(Stopped))
	if errors.Is(err, surewire.ErrClosed) {
		return nil
	}
	return err
}

var _ http.Handler = (*Server)(nil)
