package hub

import (
	"context"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
)

// Handlers are the application's part. A nil one is not asked. They are called
// when the [access.Authorizer] has allowed what the client asks, may be called
// concurrently, and refuse as its methods do. A panic in one is contained: the
// client hears of an internal error, and the log of the place.
type Handlers struct {
	// Publish may change what a client publishes, or refuse it.
	Publish func(ctx context.Context, c access.Client, channel string, p *surewire.Publication) error
	// RPC answers with any value. Several calls of one client may be at work.
	RPC func(ctx context.Context, c access.Client, method string, data []byte) (any, error)
	// Message takes what a client sends without waiting for an answer: it gets
	// none, unless the error is a surewire.Disconnect.
	Message func(ctx context.Context, c access.Client, data []byte) error
	// Connected and Disconnected tell of each client that was admitted. A nil
	// reason means that it left in good order.
	Connected    func(c access.Client)
	Disconnected func(c access.Client, reason error)
}
