package server_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"math"
	"net/http/httptest"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/client"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/server"
)

// A ConnState is an enum: it travels by name.
type ConnState int

const (
	Connecting ConnState = iota
	Connected
)

func (s ConnState) String() string { return [...]string{"connecting", "connected"}[s] }

// A server is an [net/http.Handler] with a Publish that takes any value.
func ExampleServer() {
	engine := memengine.New(memengine.Config{})
	defer engine.Close(context.Background())
	s := server.New(server.Config{
		Engine: engine, Authorizer: access.AllowAll{},
		Logger: slog.New(slog.DiscardHandler), // or hear of each repair
	})
	defer s.Shutdown(context.Background())
	web := httptest.NewServer(s) // or http.ListenAndServe("127.0.0.1:8000", s)
	defer web.Close()

	receipt, err := s.Publish(context.Background(), "run:42", map[string]any{
		"state": Connected,
		"load":  math.NaN(),
		"done":  make(chan bool),
		"err":   errors.New("out of disk"),
		"text":  "hello",
	})
	if err != nil {
		log.Fatal(err) // never because of what the value is
	}
	for _, r := range receipt.Report.Repairs {
		fmt.Println(r.Pointer, r.Reason, r.Wrote)
	}

	// What a browser gets through the centrifuge package, by the Go client:
	reader := &client.Client{Endpoint: web.URL}
	for m, err := range reader.Tail(context.Background(), "run:42", &surewire.Position{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(m.Position.Offset, string(m.Data))
		break
	}

	// Output:
	// /done unsupported null
	// /load non-finite null
	// 1 {"done":null,"err":"out of disk","load":null,"state":"connected","text":"hello"}
}
