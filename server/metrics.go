package server

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub"
)

// A metric is one line of what a server counts. docs/metrics.md is made of them.
type metric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func newMetric(kind prometheus.ValueType, name, help string, labels ...string) metric {
	return metric{prometheus.NewDesc("surewire_"+name, help, labels, nil), kind}
}

func (m metric) with(v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(m.desc, m.kind, v, labels...)
}

// What a server counts. Labels have few values: none is a channel or a user.
var (
	connections    = newMetric(prometheus.GaugeValue, "connections", "Open connections.")
	channels       = newMetric(prometheus.GaugeValue, "channels", "Channels that somebody reads here.")
	subscriptions  = newMetric(prometheus.GaugeValue, "subscriptions", "Subscriptions of all connections.")
	tailBytes      = newMetric(prometheus.GaugeValue, "tail_bytes", "Memory of the newest frames of all channels.")
	repairedValues = newMetric(prometheus.CounterValue, "repaired_values_total",
		"Values in which something was repaired, by the reason; a value may count under several.", "reason")
)

// A collector reads what is counted elsewhere, when it is asked.
type collector struct {
	hub       *hub.Hub
	publisher *surewire.Publisher
}

// Describe implements [prometheus.Collector].
func (c collector) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, out) }

// Collect implements [prometheus.Collector].
func (c collector) Collect(out chan<- prometheus.Metric) {
	n := c.hub.Counts()
	out <- connections.with(float64(n.Connections))
	out <- channels.with(float64(n.Channels))
	out <- subscriptions.with(float64(n.Subscriptions))
	out <- tailBytes.with(float64(n.TailBytes))
	_, reasons := c.publisher.Repaired()
	for reason, n := range reasons {
		out <- repairedValues.with(float64(n), reason.String())
	}
}

// Metrics answers in the Prometheus format, for a port that only the operators
// reach: with what the server counts, and what Go and the process do.
func (s *Server) Metrics() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collector{s.hub, s.publisher}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}
