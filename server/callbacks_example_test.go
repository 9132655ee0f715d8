package server_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http/httptest"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/client"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/server"
	"github.com/surewire/surewire/wire"
)

// The application says who may do what, and hears what clients ask.
func ExampleServer_callbacks() {
	engine := memengine.New(memengine.Config{})
	defer engine.Close(context.Background())
	here := make(chan string, 1)
	s := server.New(server.Config{
		Engine: engine,
		Logger: slog.New(slog.DiscardHandler),
		Authorizer: access.Funcs{
			OnConnect: func(ctx context.Context, r access.ConnectRequest) (access.Session, error) {
				if r.Token != "ada's token" { // look it up, or verify a JWT
					return access.Session{}, surewire.DisconnectInvalidToken
				}
				return access.Session{User: "ada", Info: map[string]any{"name": "Ada"}}, nil
			},
			OnSubscribe: func(ctx context.Context, c access.Client, r access.SubscribeRequest) (access.Grant, error) {
				if r.Channel != "user:"+c.User {
					return access.Grant{}, wire.ErrPermissionDenied
				}
				return access.Grant{Presence: true}, nil
			},
		},
		Handlers: hub.Handlers{
			Connected: func(c access.Client) { here <- c.User },
			Publish: func(ctx context.Context, c access.Client, channel string, p *surewire.Publication) error {
				p.Tags = map[string]string{"from": c.User} // or change p.Data, or refuse it
				return nil
			},
			RPC: func(ctx context.Context, c access.Client, method string, data []byte) (any, error) {
				return map[string]any{"state": Connected}, nil // any value: an enum travels by name
			},
			Message: func(ctx context.Context, c access.Client, data []byte) error { return nil },
		},
	})
	defer s.Shutdown(context.Background())
	web := httptest.NewServer(s)
	defer web.Close()

	if _, err := s.Publish(context.Background(), "user:ada", "for your eyes"); err != nil {
		log.Fatal(err)
	}
	reader := &client.Client{Endpoint: web.URL, Token: "ada's token"}
	for m, err := range reader.Tail(context.Background(), "user:ada", &surewire.Position{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(<-here, "reads", string(m.Data))
		for _, c := range s.Hub().Conns() {
			fmt.Println(c.User, "is", c.State)
		}
		break
	}
	for _, err := range reader.Tail(context.Background(), "user:bob", nil) {
		fmt.Println(err)
	}

	// Output:
	// ada reads "for your eyes"
	// ada is connected
	// permission denied
}
