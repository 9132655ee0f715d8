package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/surewire/surewire/server/internal/metrics"
)

// EngineStats are figures of an engine since it was opened, and StoreStats those
// of a store inside the process: see Config.
type (
	EngineStats = metrics.Engine
	StoreStats  = metrics.Store
)

// What a server counts. Labels have few values: none is a channel, a user or an
// address, and none is what a client or a caller sends.
var (
	buildInfo   = metrics.New(prometheus.GaugeValue, "build_info", "1; the label says which version runs.", "version")
	serverState = metrics.New(prometheus.GaugeValue, "server_state", "1 for the state that the server is in, 0 for the others.", "state")

	connections   = metrics.New(prometheus.GaugeValue, "connections", "Open connections.")
	users         = metrics.New(prometheus.GaugeValue, "users", "Users with a connection; all without a name are one.")
	channels      = metrics.New(prometheus.GaugeValue, "channels", "Channels that somebody reads here.")
	subscriptions = metrics.New(prometheus.GaugeValue, "subscriptions", "Subscriptions of all connections.")
	tailBytes     = metrics.New(prometheus.GaugeValue, "tail_bytes", "Memory of the newest frames of all channels.")

	handshakes = metrics.New(prometheus.CounterValue, "handshakes_total", "Connections that were opened.")
	refused    = metrics.New(prometheus.CounterValue, "refused_total",
		"What was refused before anything was done, by the reason: connections and API calls at the door, commands of clients (command_rate), and connections of users who have too many (connections_per_user).", "reason")

	apiCalls = metrics.New(prometheus.CounterValue, "api_calls_total",
		"API calls with a good key, those in a batch too, by the method and the error code of the answer; 0 for none.", "method", "code")
	apiDuration = metrics.New(prometheus.UntypedValue, "api_call_duration_seconds",
		"How long API calls took, from when their body was awaited.", "method")
	apiPublications = metrics.New(prometheus.CounterValue, "api_publications_total",
		"Publications through the API, one for each channel of a broadcast, by the method and the error code; 0 for none.", "method", "code")

	repairedValues = metrics.New(prometheus.CounterValue, "repaired_values_total",
		"Values in which something was repaired, by the reason; a value may count under several.", "reason")
	breaches = metrics.New(prometheus.CounterValue, "breaches_total",
		"Publications for one user that were to go to a channel that others may read, and did not.")
)

// counted are all of them, in the order in which they are documented.
var counted = []metrics.Metric{
	buildInfo, serverState, connections, users, channels, subscriptions, tailBytes, handshakes, refused,
	apiCalls, apiDuration, apiPublications, repairedValues, breaches,
}

// counts are what is counted here, where it happens. Its collectors may be used
// concurrently.
type counts struct {
	calls, publications *prometheus.CounterVec
	durations           *prometheus.HistogramVec
}

func newCounts() counts {
	return counts{apiCalls.Vector(), apiPublications.Vector(), apiDuration.Times(0.0001, 4, 9)} // to 6.6 s
}

// called counts a call of a method that began at a time and ended with e, which
// is nil if it went well.
func (c *counts) called(method string, began time.Time, e *apiError) {
	c.calls.WithLabelValues(method, code(e)).Inc()
	c.durations.WithLabelValues(method).Observe(time.Since(began).Seconds())
}

// code is a label: that of e if it is one of the protocol's. An application may
// have others, as many as it likes.
func code(e *apiError) string {
	switch {
	case e == nil:
		return "0"
	case 100 <= e.Code && e.Code < 120:
		return strconv.FormatUint(uint64(e.Code), 10)
	}
	return "other"
}

// A collector reads what is counted elsewhere, when it is asked.
type collector struct{ s *Server }

// Describe implements [prometheus.Collector].
func (c collector) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, out) }

// Collect implements [prometheus.Collector].
func (c collector) Collect(out chan<- prometheus.Metric) {
	s := c.s
	out <- buildInfo.With(1, s.config.Hub.Version)
	now := s.State()
	for state := range State(len(states)) {
		v := 0.0
		if state == now {
			v = 1
		}
		out <- serverState.With(v, state.String())
	}
	n := s.hub.Counts()
	out <- connections.With(float64(n.Connections))
	out <- users.With(float64(n.Users))
	out <- channels.With(float64(n.Channels))
	out <- subscriptions.With(float64(n.Subscriptions))
	out <- tailBytes.With(float64(n.TailBytes))
	out <- handshakes.With(float64(s.doors.accepted.Load()))
	for r := foreignOrigin; r < reasons; r++ {
		out <- refused.With(float64(s.doors.refused[r].total.Load()), r.String())
	}
	out <- refused.With(float64(n.RefusedCommands), "command_rate")
	out <- refused.With(float64(n.RefusedUsers), "connections_per_user")
	_, reasons := s.publisher.Repaired()
	for reason, n := range reasons {
		out <- repairedValues.With(float64(n), reason.String())
	}
	out <- breaches.With(float64(s.publisher.Breaches()))
	if of := s.config.EngineStats; of != nil {
		of().Collect(out)
	}
	if of := s.config.StoreStats; of != nil {
		of().Collect(out)
	}
}

// Metrics answers in the Prometheus format, for a port that only the operators
// reach: with what the server counts, see docs/metrics.md, and what Go and the
// process do.
func (s *Server) Metrics() http.Handler {
	return promhttp.HandlerFor(s.registry(), promhttp.HandlerOpts{})
}

func (s *Server) registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collector{s}, s.counts.calls, s.counts.publications, s.counts.durations,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}
