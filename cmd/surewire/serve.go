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

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/demo"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/server"
)

type serveCmd struct {
	Dev     bool          `help:"For development: on this machine only, anybody may do anything, nothing outlives the process, and there is a page to look at."`
	Address string        `default:"127.0.0.1:8000" env:"SUREWIRE_ADDRESS" help:"Where to listen, host:port. Port 0 takes a free one."`
	Drain   time.Duration `default:"10s" help:"How long connections may take to end when the server is told to stop."`
	Verbose bool          `short:"v" help:"Log more: each connection."`
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
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	engine := memengine.New(memengine.Config{})
	defer engine.Close(context.WithoutCancel(ctx))
	publisher := &surewire.Publisher{Engine: engine, Logger: logger}
	s := server.New(server.Config{
		Engine: engine, Publisher: publisher, Logger: logger, Hub: hub.Config{Version: version()},
		Authorizer: access.AllowAll{Joins: true}, Handlers: demo.Handlers(), InsecureAPI: true,
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
