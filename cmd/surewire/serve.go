package main

import (
	"context"
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
	"github.com/surewire/surewire/demo"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/server"
	"github.com/surewire/surewire/surejson"
)

type serveCmd struct {
	Config kong.ConfigFlag `placeholder:"FILE" env:"SUREWIRE_CONFIG" help:"Read flags from a YAML file, one key per flag (address: 127.0.0.1:8000). surewire.yaml is read where it is. The command line and the environment have precedence."`

	Dev         bool          `help:"For development: on this machine only, anybody may do anything, nothing outlives the process, and there is a page to look at."`
	Address     string        `default:"127.0.0.1:8000" env:"SUREWIRE_ADDRESS" help:"Where to listen, host:port. Port 0 takes a free one."`
	Origins     []string      `env:"SUREWIRE_ORIGINS" help:"Pages that may connect, besides the server's own: https://app.example.com. * allows all."`
	Compression bool          `env:"SUREWIRE_COMPRESSION" help:"Compress what goes to clients that offer it (permessage-deflate): fewer bytes, more processor time."`
	Drain       time.Duration `default:"10s" env:"SUREWIRE_DRAIN" help:"How long connections may take to end when the server is told to stop. In the first half of it clients are told to come back, spread out."`

	Log    logFlags    `embed:"" prefix:"log-" envprefix:"SUREWIRE_LOG_"`
	Limits limitsFlags `embed:"" envprefix:"SUREWIRE_"`
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
	HistorySize    int           `default:"1000" env:"HISTORY_SIZE" help:"Publications kept per channel."`
	HistoryTTL     time.Duration `default:"24h" env:"HISTORY_TTL" help:"How long they are kept."`
	MaxPublication int           `default:"1048576" env:"MAX_PUBLICATION" help:"Longest publication, in bytes of JSON."`
	MaxChannels    int           `default:"512" env:"MAX_CHANNELS" help:"Subscriptions of one connection."`
	PingInterval   time.Duration `default:"25s" env:"PING_INTERVAL" help:"How often clients are pinged."`
	PongTimeout    time.Duration `default:"8s" env:"PONG_TIMEOUT" help:"How long a client may take to answer."`
	WriteTimeout   time.Duration `default:"10s" env:"WRITE_TIMEOUT" help:"How long a client may not read while something is sent to it."`
	TailMemory     int           `default:"536870912" env:"TAIL_MEMORY" help:"Bytes that the newest publications of all live channels may take; who needs older ones is served from history."`
}

// Run serves until it is told to stop, then asks the clients to come back and
// waits for them to go.
func (c *serveCmd) Run(ctx context.Context, out io.Writer) error {
	if !c.Dev {
		return errors.New("who may do what is not configured, so nobody could do anything: to try Surewire on this machine, run: surewire serve --dev")
	}
	listener, err := c.listen()
	if err != nil {
		return err
	}
	logger := c.Log.logger()
	engine := memengine.New(memengine.Config{HistorySize: c.Limits.HistorySize, HistoryTTL: c.Limits.HistoryTTL})
	defer engine.Close(context.WithoutCancel(ctx))
	publisher := &surewire.Publisher{Engine: engine, Logger: logger, MaxSize: c.Limits.MaxPublication}
	s := server.New(server.Config{
		Engine: engine, Publisher: publisher, Logger: logger, Origins: c.Origins, Compression: c.Compression, MaxPublication: c.Limits.MaxPublication,
		Authorizer: access.AllowAll{Joins: true}, Handlers: demo.Handlers(), InsecureAPI: true,
		Hub: hub.Config{
			Version: version(), MaxChannels: c.Limits.MaxChannels, PingInterval: c.Limits.PingInterval,
			PongTimeout: c.Limits.PongTimeout, WriteTimeout: c.Limits.WriteTimeout, TailsMax: c.Limits.TailMemory,
		},
	})
	mux := http.NewServeMux()
	mux.Handle("/connection/", s)
	mux.Handle("/api/", s)
	mux.Handle("GET /metrics", s.Metrics())
	mux.Handle("/", demo.Handler(publisher))
	fmt.Fprintf(out, "Surewire %s is ready: open http://%s/\n", version(), listener.Addr())
	return c.serve(ctx, listener, onlyLoopback(mux), s, logger)
}

// listen refuses addresses that others reach: in development nobody is asked
// who they are.
func (c *serveCmd) listen() (net.Listener, error) {
	host, _, err := net.SplitHostPort(c.Address)
	if err != nil {
		return nil, fmt.Errorf("--address %q: want host:port: %w", c.Address, err)
	}
	if !isLoopback(host) {
		return nil, fmt.Errorf("--address %q: with --dev only this machine may connect: use 127.0.0.1, [::1] or localhost", c.Address)
	}
	return net.Listen("tcp", c.Address)
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
