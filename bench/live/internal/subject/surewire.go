//go:build linux

package subject

import (
	"context"
	"encoding/json"
	"net"
	"net/http"

	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/memengine"
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

type surewirePublisher struct{ server *surewire.Server }

func (p surewirePublisher) publish(channel string, messages []message) error {
	for _, m := range messages {
		if _, err := p.server.Publish(context.Background(), channel, json.RawMessage(m.data)); err != nil {
			return err
		}
	}
	return nil
}
