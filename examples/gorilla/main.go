// Command gorilla is a migration: the same value sent to the same browser by
// gorilla/websocket's WriteJSON and by Surewire.
//
// Before, each handler owns a connection and encodes each value for it; one
// value that JSON cannot hold costs the whole message. After, the backend
// publishes to a channel, and clients of the Centrifuge protocol subscribe to it.
//
//	conn.WriteJSON(session)                             // before
//	receipt, err := p.Publish(ctx, "sessions", session) // after
//
// Run it, open the URL it prints, and look at both sides.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/gorilla/websocket"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/server"
	"github.com/surewire/surewire/surejson"
)

const channel = "sessions"

//go:embed index.html
var index []byte

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "gorilla:", err)
		os.Exit(1)
	}
}

// run serves until ctx is done.
func run(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	a := newApp()
	web := &http.Server{Handler: a.handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() { // ends with ctx
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if err := errors.Join(a.close(grace), web.Close()); err != nil {
			slog.Warn("not everything was closed", "error", err)
		}
	}()
	at := listener.Addr()
	fmt.Printf("both sides:             http://%[1]s/\ngorilla's WriteJSON at  ws://%[1]s/gorilla\nSurewire at             ws://%[1]s/connection/websocket, channel %[2]s\nwhat was repaired at    http://%[1]s/metrics, and in the log\n", at, channel)
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// An app is the backend, with the old way and the new one side by side.
type app struct {
	engine    surewire.Engine
	publisher *surewire.Publisher
	server    *server.Server
}

func newApp() *app {
	engine := memengine.New(memengine.Config{})
	p := &surewire.Publisher{Engine: engine}
	// AllowAll is for a program that only this machine reaches.
	return &app{engine, p, server.New(server.Config{Engine: engine, Publisher: p, Authorizer: access.AllowAll{}})}
}

func (a *app) close(ctx context.Context) error {
	return errors.Join(a.server.Shutdown(ctx), a.engine.Close(ctx))
}

func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(index)
	})
	mux.HandleFunc("GET /gorilla", writeJSON(newSession(), func(err error) {
		slog.Error("gorilla: the message is lost", "error", err)
	}))
	mux.Handle("GET /connection/websocket", a.server)
	mux.HandleFunc("POST /publish", a.publish)
	mux.Handle("GET /metrics", a.server.Metrics())
	return http.NewCrossOriginProtection().Handler(mux)
}

// writeJSON is the old way: it sends v to each connection by gorilla's
// WriteJSON, and tells failed of its error.
func writeJSON(v any, failed func(error)) http.HandlerFunc {
	var upgrader websocket.Upgrader
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return // Upgrade has answered
		}
		defer conn.Close()
		//surewire:ignore SW101,SW105 the old way is what this example shows
		if err := conn.WriteJSON(v); err != nil {
			failed(err)
		}
		for { // the connection outlives the message, as a backend's does
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}
}

// publish is the new way. It answers with what the receipt reports, a line for
// each repair.
func (a *app) publish(w http.ResponseWriter, r *http.Request) {
	receipt, err := a.publisher.Publish(r.Context(), channel, newSession())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	report := []string{}
	for _, repair := range receipt.Report.Repairs {
		report = append(report, repair.String())
	}
	body, _ := surejson.Marshal(report)
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}
