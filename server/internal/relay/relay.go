// Package relay carries the API's calls about connections to all processes of a
// cluster: the one that is asked need not be the one that a client is at.
package relay

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/surejson"
)

// A call is what travels.
type call struct {
	From   string          `json:"from"` // the process that was asked, which has done its part
	Method string          `json:"method"`
	Body   json.RawMessage `json:"body"`
}

// A Relay is one process's end.
type Relay struct {
	bus    surewire.Bus
	id     string
	cancel func()
}

// encoder leaves numbers as they were sent: the other process reads them as this
// one did.
var encoder = surejson.Encoder{Integers: surejson.IntegersAsNumbers, MaxDepth: surejson.DepthCeiling}

// timeout bounds how long one call may be at work here.
const timeout = 10 * time.Second

// Start has do called with what other processes were asked, one at a time, until
// Stop. id is the process's. An engine that is no [surewire.Bus] is that of one
// process: nothing is relayed then.
func Start(e surewire.Engine, id string, do func(ctx context.Context, method string, body []byte) error, logger *slog.Logger) *Relay {
	bus, ok := e.(surewire.Bus)
	if !ok {
		return &Relay{cancel: func() {}}
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	end, err := bus.Listen(ctx, func(b []byte) {
		var c call
		if err := json.Unmarshal(b, &c); err != nil {
			logger.Warn("a call from another process was not understood", "error", err)
			return
		}
		if c.From == id {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := do(ctx, c.Method, c.Body); err != nil {
			logger.Warn("a call from another process failed", "method", c.Method, "error", err)
		}
	})
	if err != nil {
		logger.Error("other processes are not heard: calls of the API about connections reach this one only where they are made here", "error", err)
		end = func() {}
	}
	return &Relay{bus: bus, id: id, cancel: end}
}

// Send hands a call that was carried out here to the other processes.
func (r *Relay) Send(ctx context.Context, method string, body []byte) error {
	if r.bus == nil {
		return nil
	}
	b, _ := encoder.Append(nil, call{r.id, method, body})
	if err := r.bus.Broadcast(ctx, b); err != nil {
		return fmt.Errorf("%w: done here, but the other processes were not told: %w", surewire.ErrUnavailable, err)
	}
	return nil
}

// Stop ends what Start began.
func (r *Relay) Stop() { r.cancel() }
