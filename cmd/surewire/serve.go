package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/certs"
	"github.com/surewire/surewire/cmd/surewire/internal/engine"
	"github.com/surewire/surewire/demo"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/limit"
	"github.com/surewire/surewire/namespace"
	"github.com/surewire/surewire/server"
	"github.com/surewire/surewire/surejson"
	"github.com/surewire/surewire/telemetry"
)

type serveCmd struct {
	Config kong.ConfigFlag `placeholder:"FILE" env:"SUREWIRE_CONFIG" help:"Read flags from a YAML file, one key per flag (address: 127.0.0.1:8000). surewire.yaml is read where it is. The command line and the environment have precedence."`

	Dev            bool           `help:"For development: on this machine only, anybody may do anything, nothing outlives the process, and there is a page to look at."`
	Address        string         `default:"127.0.0.1:8000" env:"SUREWIRE_ADDRESS" help:"Where to listen, host:port. Port 0 takes a free one."`
	Origins        []string       `env:"SUREWIRE_ORIGINS" help:"Pages that may connect, besides the server's own: https://app.example.com. * allows all."`
	TrustedProxies []netip.Prefix `placeholder:"CIDR" env:"SUREWIRE_TRUSTED_PROXIES" help:"Addresses of the proxies before the server, whose word on the address of a client counts: 10.0.0.0/8."`
	Compression    bool           `env:"SUREWIRE_COMPRESSION" help:"Compress what goes to clients that offer it (permessage-deflate): fewer bytes, more processor time."`
	Drain          time.Duration  `default:"10s" env:"SUREWIRE_DRAIN" help:"How long connections may take to end when the server is told to stop. In the first half of it clients are told to come back, spread out."`

	InternalAddress string `placeholder:"HOST:PORT" env:"SUREWIRE_INTERNAL_ADDRESS" help:"Where operators are served, who nobody else may reach: /metrics, /healthz, /readyz and /debug/pprof. Empty for nowhere."`

	TLS          tlsFlags `embed:"" prefix:"tls-" envprefix:"SUREWIRE_TLS_"`
	OTLPEndpoint string   `name:"otlp-endpoint" placeholder:"URL" env:"SUREWIRE_OTLP_ENDPOINT" help:"Where traces are sent by OTLP over HTTP: http://127.0.0.1:4318. Empty for nowhere."`
	TraceSample  float64  `default:"0.01" env:"SUREWIRE_TRACE_SAMPLE" help:"How many of the traces that begin here are recorded, from 0 to 1. Of one that a caller of the API began, the caller decides."`

	Engine engine.Flags `embed:"" envprefix:"SUREWIRE_"`
	Log    logFlags     `embed:"" prefix:"log-" envprefix:"SUREWIRE_LOG_"`
	Access accessFlags  `embed:"" envprefix:"SUREWIRE_"`
	Limits limitsFlags  `embed:"" envprefix:"SUREWIRE_"`
}

// tlsFlags say how to serve https.
type tlsFlags struct {
	Cert string `placeholder:"FILE" env:"CERT" help:"Certificate chain, in PEM: then the server speaks https and wss. It is read again when it changes."`
	Key  string `placeholder:"FILE" env:"KEY" help:"Its key, in PEM."`
}

// logFlags say what the log has.
type logFlags struct {
	Level  slog.Level `default:"info" env:"LEVEL" help:"Least important lines that are logged: debug, info, warn or error."`
	Format string     `default:"text" enum:"text,json" env:"FORMAT" help:"text or json."`
}

// logger writes to standard error. JSON goes through the same encoder as
// publications: a value that cannot be encoded does not cost the line.
func (f logFlags) logger() *slog.Logger {
	if f.Format == "json" {
		return slog.New(surejson.NewHandler(os.Stderr, &surejson.HandlerOptions{Level: f.Level}))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: f.Level}))
}

// limitsFlags bound what clients cost and what is kept.
type limitsFlags struct {
	HistorySize      int           `default:"1000" env:"HISTORY_SIZE" help:"Publications kept per channel."`
	HistoryTTL       time.Duration `default:"24h" env:"HISTORY_TTL" help:"How long they are kept."`
	MaxPublication   int           `default:"1048576" env:"MAX_PUBLICATION" help:"Longest publication, in bytes of JSON."`
	MaxChannels      int           `default:"512" env:"MAX_CHANNELS" help:"Subscriptions of one connection."`
	CommandRate      limit.Rate    `default:"100/s burst 1000" env:"COMMAND_RATE" help:"Commands that one connection may send; those beyond are answered with error 111. 0 does not limit."`
	UserCommandRate  limit.Rate    `default:"0" env:"USER_COMMAND_RATE" help:"Commands of all connections of a user together."`
	MaxConnections   int           `default:"0" env:"MAX_CONNECTIONS" help:"Connections of all clients; 0 does not limit."`
	ConnectionsPerIP int           `name:"connections-per-ip" default:"0" env:"CONNECTIONS_PER_IP" help:"Connections of one address, or of one /64 of IPv6; 0 does not limit."`
	ConnectRate      limit.Rate    `default:"0" env:"CONNECT_RATE" help:"How often one address may connect, as \"20/s burst 100\"; 0 does not limit."`
	UserConnections  int           `default:"0" env:"USER_CONNECTIONS" help:"Connections of one user at a time; 0 does not limit."`
	PingInterval     time.Duration `default:"25s" env:"PING_INTERVAL" help:"How often clients are pinged."`
	PongTimeout      time.Duration `default:"8s" env:"PONG_TIMEOUT" help:"How long a client may take to answer."`
	WriteTimeout     time.Duration `default:"10s" env:"WRITE_TIMEOUT" help:"How long a client may not read while something is sent to it."`
	TailMemory       int           `default:"536870912" env:"TAIL_MEMORY" help:"Bytes that the newest publications of all live channels may take; who needs older ones is served from history."`
}

// Run serves until it is told to stop, then asks the clients to come back and
// waits for them to go.
func (c *serveCmd) Run(ctx context.Context, out io.Writer) (err error) {
	logger := c.Log.logger()
	var r *rules
	if c.Dev {
		c.Engine.Engine = "memory"
	}
	if err := c.Engine.Check(); err != nil {
		return err
	}
	traces, err := telemetry.Start(telemetry.Config{Endpoint: c.OTLPEndpoint, Version: version(), SampleRatio: c.TraceSample, Logger: logger})
	if err != nil {
		return fmt.Errorf("--otlp-endpoint: %w", err)
	}
	defer traces.Shutdown(context.WithoutCancel(ctx))
	if !c.Dev {
		if r, err = c.Access.rules(logger, traces.Transport); err != nil {
			return err
		}
		defer r.Close()
	}
	listener, err := c.listen(logger)
	if err != nil {
		return err
	}
	opened, err := c.Engine.Open(ctx, c.Limits.kept(), namespace.Set(c.Access.Namespaces), logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close(context.WithoutCancel(ctx))) }()
	publisher := &surewire.Publisher{Engine: opened.Engine, Logger: logger, MaxSize: c.Limits.MaxPublication}
	config := server.Config{
		Engine: opened.Engine, EngineStats: opened.Stats, StoreStats: opened.Store,
		Publisher: publisher, Logger: logger, Origins: c.Origins, Compression: c.Compression, MaxPublication: c.Limits.MaxPublication,
		Hub: c.Limits.hub(), TrustedProxies: c.TrustedProxies,
		MaxConns: c.Limits.MaxConnections, MaxConnsPerIP: c.Limits.ConnectionsPerIP, ConnectRate: c.Limits.ConnectRate,
	}
	traces.Publisher(publisher)
	traces.Hub(&config.Hub)
	if c.Dev {
		return c.serveDev(ctx, out, listener, config)
	}
	publisher.Prepare = r.gate.Prepare
	config.Authorizer, config.Handlers, config.APIKey = r.gate, r.gate.Handlers(), string(c.Access.APIKey.Secret)
	config.PassHeaders, config.Revocations = c.Access.Hook.PassHeaders, r.revocations
	if config.APIKey == "" {
		logger.Warn("no API key is configured: backends cannot publish; set --api-key")
	}
	if c.Access.Tickets {
		config.Ticket = r.gate.Ticket
	}
	s := server.New(config)
	mux := http.NewServeMux()
	mux.Handle("/", s)
	mux.Handle("/api/", traces.API(s))
	mux.Handle("GET /healthz", s.Healthz())
	end, err := c.serveInternal(s.Internal(), logger)
	if err != nil {
		return err
	}
	defer end()
	scheme := "http"
	if c.TLS.Cert != "" {
		scheme = "https"
	}
	fmt.Fprintf(out, "Surewire %s is ready at %s://%s/\n", version(), scheme, listener.Addr())
	return c.serve(ctx, listener, mux, s, logger)
}

// serveInternal serves operators, if that is wanted, until the function that it
// returns is called.
func (c *serveCmd) serveInternal(h http.Handler, logger *slog.Logger) (end func(), err error) {
	if c.InternalAddress == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", c.InternalAddress)
	if err != nil {
		return nil, fmt.Errorf("--internal-address: %w", err)
	}
	web := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn)}
	logger.Info("operators are served", "address", l.Addr().String())
	go web.Serve(l) // ends with Close
	return func() { web.Close() }, nil
}

// certificates returns those of --tls-cert, nil for none.
func (c *serveCmd) certificates(logger *slog.Logger) (*tls.Config, error) {
	if c.TLS.Cert == "" && c.TLS.Key == "" {
		return nil, nil
	}
	pair, err := certs.New(c.TLS.Cert, c.TLS.Key, logger)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert, --tls-key: %w", err)
	}
	// The protocol's WebSocket needs HTTP/1.1: no other is offered.
	return &tls.Config{GetCertificate: pair.GetCertificate, NextProtos: []string{"http/1.1"}}, nil
}

// kept returns the limits of an engine.
func (l *limitsFlags) kept() engine.Limits {
	return engine.Limits{Retention: surewire.Retention{Size: l.HistorySize, TTL: l.HistoryTTL}, MaxPublication: l.MaxPublication}
}

// hub returns the limits of a hub.
func (l *limitsFlags) hub() hub.Config {
	return hub.Config{
		Version: version(), MaxChannels: l.MaxChannels, PingInterval: l.PingInterval, PongTimeout: l.PongTimeout,
		WriteTimeout: l.WriteTimeout, TailsMax: l.TailMemory,
		Commands: l.CommandRate, UserCommands: l.UserCommandRate, UserConns: l.UserConnections,
	}
}

// serveDev lets everybody on this machine do anything, and has a page to look at.
func (c *serveCmd) serveDev(ctx context.Context, out io.Writer, l net.Listener, config server.Config) error {
	config.Authorizer, config.Handlers, config.InsecureAPI = access.AllowAll{Joins: true}, demo.Handlers(), true
	s := server.New(config)
	end, err := c.serveInternal(s.Internal(), config.Logger)
	if err != nil {
		return err
	}
	defer end()
	mux := http.NewServeMux()
	mux.Handle("/connection/", s)
	mux.Handle("/api/", s)
	mux.Handle("GET /metrics", s.Metrics())
	mux.Handle("/", demo.Handler(config.Publisher))
	fmt.Fprintf(out, "Surewire %s is ready: open http://%s/\n", version(), l.Addr())
	return c.serve(ctx, l, onlyLoopback(mux), s, config.Logger)
}

// listen refuses, in development, addresses that others reach: nobody is asked
// who they are.
func (c *serveCmd) listen(logger *slog.Logger) (net.Listener, error) {
	host, _, err := net.SplitHostPort(c.Address)
	if err != nil {
		return nil, fmt.Errorf("--address %q: want host:port: %w", c.Address, err)
	}
	if c.Dev && !isLoopback(host) {
		return nil, fmt.Errorf("--address %q: with --dev only this machine may connect: use 127.0.0.1, [::1] or localhost", c.Address)
	}
	config, err := c.certificates(logger)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", c.Address)
	if err != nil || config == nil {
		return l, err
	}
	return tls.NewListener(l, config), nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}

// onlyLoopback refuses requests for another host: a page of the web could
// otherwise reach in through a name that resolves to this machine.
func onlyLoopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !isLoopback(host) {
			http.Error(w, "with --dev the server answers only as localhost, 127.0.0.1 or [::1]", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serve returns when ctx is done and all connections have ended, or Drain is over.
func (c *serveCmd) serve(ctx context.Context, l net.Listener, h http.Handler, s *server.Server, logger *slog.Logger) error {
	web := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(l) }() // ends with Shutdown or Close
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	logger.Info("stopping: clients are asked to come back", "at most", c.Drain)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Drain)
	defer cancel()
	left := make(chan error, 1)
	go func() { left <- s.Shutdown(drain) }() // ends with drain, at the latest
	err := errors.Join(web.Shutdown(drain), <-left)
	web.Close()
	if err != nil {
		return fmt.Errorf("stopped before all clients had gone: %w", err)
	}
	return nil
}
