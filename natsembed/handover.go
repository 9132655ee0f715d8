package natsembed

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/surewire/surewire"
)

// Current returns nil once the server has what the other nodes of its cluster
// have, else an error that wraps [surewire.ErrUnavailable]: only then can the next
// node be restarted without being missed. It looks at each stream.
func (s *Server) Current() error {
	ns := s.running()
	if ns == nil {
		return fmt.Errorf("%w: the store is not open", surewire.ErrUnavailable)
	}
	if h := ns.Healthz(&server.HealthzOptions{}); h.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s", surewire.ErrUnavailable, h.Error)
	}
	return nil
}

// handOverTimeout is how long the other nodes may take to lead what this one led.
const handOverTimeout = 3 * time.Second

// handOver has other nodes lead the streams that ns leads. A node that just goes
// is told to as well, but its words may be cut off, and then nobody publishes until
// the others have waited for it: five seconds, and more.
func (s *Server) handOver(ns *server.Server) {
	if s.config.Cluster == nil || ns.NumRoutes() == 0 {
		return // there is nobody
	}
	asked := make(map[streamID]bool)
	for end := time.Now().Add(handOverTimeout); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		left, err := s.led(ns, asked)
		if err != nil {
			s.config.Logger.Warn("streams are not handed over to other nodes", "error", err)
			return
		}
		if len(left) == 0 {
			return
		}
		for _, id := range left {
			if !asked[id] {
				asked[id] = true
				err = errors.Join(err, ns.JetStreamStepdownStream(id.account, id.stream))
			}
		}
		if err != nil {
			s.config.Logger.Warn("a stream is not handed over to another node", "error", err)
			return
		}
	}
	s.config.Logger.Warn("other nodes do not take over all streams", "waited", handOverTimeout)
}

// A streamID names a stream in a server.
type streamID struct{ account, stream string }

// led returns the streams that ns leads, and those asked for that nobody does.
func (s *Server) led(ns *server.Server, asked map[streamID]bool) (out []streamID, err error) {
	err = eachStream(ns, func(id streamID, stream *server.StreamDetail) {
		if c := stream.Cluster; c != nil && (c.Leader == s.config.Cluster.Node || c.Leader == "" && asked[id]) {
			out = append(out, id)
		}
	})
	return out, err
}

// eachStream calls f for each stream of which ns has a copy.
func eachStream(ns *server.Server, f func(id streamID, stream *server.StreamDetail)) error {
	info, err := ns.Jsz(&server.JSzOptions{Streams: true})
	if err != nil {
		return err
	}
	for _, account := range info.AccountDetails {
		for i := range account.Streams {
			stream := &account.Streams[i]
			f(streamID{account.Name, stream.Name}, stream)
		}
	}
	return nil
}
