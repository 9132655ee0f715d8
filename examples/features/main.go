// Command features is an application with Surewire inside, that uses all of it:
// app.go has what the application is asked and told, and this file what it does
// of its own accord, each as an HTTP request that one can make by hand.
//
// Run it, and do as it says.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/server"
	"github.com/surewire/surewire/surejson"
	"github.com/surewire/surewire/wire"
)

const usage = `Surewire with everything on. Clients of the Centrifuge protocol connect to

  ws://%[1]s/connection/websocket      the token is plain JSON: {"user":"ada"}

and this is what the server does when it is asked to:

  curl http://%[1]s/conns              every connection, and how it is
  curl http://%[1]s/metrics
  curl http://%[1]s/hostile -d '{"channel":"public:x"}'
  curl http://%[1]s/hub/send        -d '{"user":"ada","data":"hello"}'
  curl http://%[1]s/hub/subscribe   -d '{"user":"ada","channel":"public:x"}'
  curl http://%[1]s/hub/unsubscribe -d '{"user":"ada","channel":"public:x","code":2000,"reason":"enough"}'
  curl http://%[1]s/hub/refresh     -d '{"user":"ada","expires_in":60}'
  curl http://%[1]s/hub/disconnect  -d '{"user":"ada","code":4000,"reason":"come back"}'
  curl http://%[1]s/api/publish     -d '{"channel":"public:x","data":"hello"}'
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	address := flag.String("address", "127.0.0.1:0", "where to listen; port 0 takes a free one")
	var c hub.Config
	flag.DurationVar(&c.PingInterval, "ping", 25*time.Second, "how often clients are asked whether they are there")
	flag.DurationVar(&c.ExpiryGrace, "grace", 25*time.Second, "how long an expired token is put up with")
	flag.Parse()
	if err := run(ctx, *address, c); err != nil {
		fmt.Fprintln(os.Stderr, "features:", err)
		os.Exit(1)
	}
}

// run serves until ctx is done, then asks the clients to come back.
func run(ctx context.Context, address string, c hub.Config) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	engine := memengine.New(memengine.Config{})
	a := newApp(engine, c)
	web := &http.Server{Handler: a.handler(fmt.Sprintf(usage, listener.Addr())), ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan error, 1)
	go func() { // ends with ctx, and a little later
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		stopped <- errors.Join(a.server.Shutdown(grace), engine.Close(grace), web.Close())
	}()
	fmt.Printf(usage, listener.Addr())
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

func newApp(engine surewire.Engine, c hub.Config) *app {
	a := &app{}
	c.Version, c.MaxChannels = "features", 64
	a.server = server.New(server.Config{
		Engine: engine, Authorizer: a, Handlers: a.handlers(), Hub: c,
		MaxPublication: 32 << 10,
		InsecureAPI:    true, // only this machine reaches it
	})
	return a
}

func (a *app) handler(usage string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, usage) })
	mux.Handle("GET /connection/", a.server)
	mux.Handle("POST /api/", a.server)
	mux.Handle("GET /metrics", a.server.Metrics())
	mux.HandleFunc("GET /conns", func(w http.ResponseWriter, _ *http.Request) { answer(w, a.server.Hub().Conns()) })
	mux.HandleFunc("POST /hostile", a.hostile)
	mux.HandleFunc("POST /hub/{verb}", a.act)
	// A page of another site reaches this machine through its visitors' browsers.
	return http.NewCrossOriginProtection().Handler(mux)
}

// A request is the body of all that can be asked. Its Target, by the names
// "user", "client" and "except", is whom it is about.
type request struct {
	hub.Target
	Channel   string
	Since     *surewire.Position
	Code      uint16
	Reason    string
	Data      json.RawMessage
	ExpiresIn float64 `json:"expires_in"` // in seconds
}

// act does what the hub can do to connections, and answers to how many.
func (a *app) act(w http.ResponseWriter, r *http.Request) {
	var q request
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h := a.server.Hub()
	var n int
	var err error
	switch verb := r.PathValue("verb"); verb {
	case "send":
		n, err = h.Send(r.Context(), q.Target, q.Data)
	case "subscribe":
		grant := access.Grant{Presence: true, Joins: true, Data: map[string]any{"unasked": true}}
		n, err = h.Subscribe(r.Context(), q.Target, q.Channel, grant, q.Since)
	case "unsubscribe":
		n = h.Unsubscribe(q.Target, q.Channel, wire.SubscriptionEnded{Code: uint32(q.Code), Reason: q.Reason})
	case "refresh":
		n = h.Refresh(q.Target, time.Now().Add(time.Duration(q.ExpiresIn*float64(time.Second))))
	case "disconnect":
		n = h.Disconnect(q.Target, surewire.Disconnect{Code: q.Code, Reason: q.Reason})
	default:
		http.Error(w, fmt.Sprintf("the hub does not %s", verb), http.StatusNotFound)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	answer(w, map[string]int{"connections": n})
}

// hostile publishes a value that other encoders fail on, and answers with what
// the receipt says of it.
func (a *app) hostile(w http.ResponseWriter, r *http.Request) {
	var q request
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	receipt, err := a.server.Publish(r.Context(), q.Channel, newReading(), surewire.WithTags(map[string]string{"by": "server"}))
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	answer(w, map[string]any{"offset": receipt.Position.Offset, "epoch": receipt.Position.Epoch, "report": receipt.Report})
}

// answer writes v, whatever it is, as the JSON body.
func answer(w http.ResponseWriter, v any) {
	body, _ := surejson.Marshal(v)
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}
