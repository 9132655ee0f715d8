// Package metrics is how figures are named, explained and shown in the Prometheus
// format.
package metrics

import "github.com/prometheus/client_golang/prometheus"

// A Metric is one line of what is counted. docs/metrics.md is made of them.
type Metric struct {
	Name, Help string
	Kind       prometheus.ValueType // untyped of a histogram
	Labels     []string
	desc       *prometheus.Desc
}

// New returns a metric whose name begins with surewire_.
func New(kind prometheus.ValueType, name, help string, labels ...string) Metric {
	name = "surewire_" + name
	return Metric{name, help, kind, labels, prometheus.NewDesc(name, help, labels, nil)}
}

// With returns m with a value, and one for each label.
func (m Metric) With(v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(m.desc, m.Kind, v, labels...)
}

// Vector returns counters under the name of m.
func (m Metric) Vector() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, m.Labels)
}

// Times returns histograms under the name of m. The first bucket ends at start,
// and each of the n ends at factor times the one before.
func (m Metric) Times(start, factor float64, n int) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: m.Name, Help: m.Help, Buckets: prometheus.ExponentialBuckets(start, factor, n),
	}, m.Labels)
}
