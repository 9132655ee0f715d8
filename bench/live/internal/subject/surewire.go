//go:build linux

package subject

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"time"

	root "github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/auth"
	"github.com/surewire/surewire/gate"
	"github.com/surewire/surewire/hub"
	rate "github.com/surewire/surewire/limit"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/namespace"
	surewire "github.com/surewire/surewire/server"
)

// Surewire is what the others are there for.
const Surewire = "surewire"

var surewireServer = Subject{
	Name:     Surewire,
	About:    "the whole server over the engine in memory, all by default: history of 1,000 messages and 24 hours, recovery",
	Channels: true, Recovery: true,
	start: func(l net.Listener) (server, error) {
		s := surewire.New(surewire.Config{Engine: memengine.New(memengine.Config{}), Authorizer: access.AllowAll{}})
		go http.Serve(l, s) // until the process ends
		return surewirePublisher{s}, nil
	},
}

// surewireAccess is as `surewire serve` is without --dev: who connects has a
// token, and a namespace says what it may.
var surewireAccess = Subject{
	Name:     "surewire-access",
	About:    "the same, and clients show a token of HS256, channels are of a namespace that admits users, commands have a rate",
	Channels: true, Recovery: true, Asked: true,
	start: func(l net.Listener) (server, error) {
		v, err := auth.New(auth.Config{Keys: []auth.Key{{Secret: secret}}})
		if err != nil {
			return nil, err
		}
		g, err := gate.New(gate.Config{Tokens: v, Namespaces: namespace.Set{"run": {Subscribe: namespace.User, Publish: namespace.Subscriber}}})
		if err != nil {
			return nil, err
		}
		e := memengine.New(memengine.Config{})
		s := surewire.New(surewire.Config{
			Engine: e, Publisher: &root.Publisher{Engine: e, Prepare: g.Prepare}, Authorizer: g,
			Hub: hub.Config{Revoked: g.Revoked, Commands: rate.Rate{PerSecond: 100, Burst: 1000}},
		})
		go http.Serve(l, s) // until the process ends
		return surewirePublisher{s}, nil
	},
}

var secret = auth.Secret("for a benchmark, and of more than 32 bytes")

// Token returns what clients show. Those who ask for none pass it over.
func Token() (string, error) {
	s, err := auth.NewSigner(auth.SignerConfig{Secret: secret})
	if err != nil {
		return "", err
	}
	return s.Connection(auth.Connection{Token: auth.Token{User: "bench", ValidUntil: time.Now().Add(24 * time.Hour)}})
}

type surewirePublisher struct{ server *surewire.Server }

func (p surewirePublisher) publish(channel string, messages []message) error {
	for _, m := range messages {
		if _, err := p.server.Publish(context.Background(), channel, json.RawMessage(m.data)); err != nil {
			return err
		}
	}
	return nil
}
