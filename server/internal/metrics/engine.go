package metrics

import "github.com/prometheus/client_golang/prometheus"

// Engine are figures of an engine since it was opened. They have the shape of
// natsengine.Stats, which converts to it: no figure is forgotten.
type Engine struct {
	Published  uint64 // stored, or handed on if ephemeral
	Duplicates uint64 // not stored: the ID was known
	Conflicts  uint64 // attempts that another publisher of the channel was before
	Retries    uint64 // attempts whose outcome was not known, or that reached nobody
	Busy       uint64 // refused: too many waited
	Refused    uint64 // for lack of a quorum or of space
	Unknown    uint64 // publishers who were not told the outcome

	Delivered uint64 // messages, each once however many listen
	Gaps      uint64 // what was missing in a channel's feed, and was looked up
	Lost      uint64 // gaps of which something was no longer kept
	Broken    uint64 // logs whose newest messages were lost by the store
	Slow      uint64 // times that messages came faster than they were taken
	Reads     uint64 // of history and heads, at the store
	Recovered uint64 // reads of history that found something

	Reconnects uint64 // of connections to the store
	Leaders    uint64 // elections of a stream's leader
	Channels   int    // with somebody who listens
	Pending    int    // publications that wait

	// PublishTimes counts publications by how long they took: the i-th less
	// than 2^i microseconds, and not less than half of that.
	PublishTimes [32]uint64
}

// Store are figures of a store inside the process.
type Store struct {
	Free     int64 // bytes of the disk
	Used     int64 // bytes of the store
	Restarts int64 // after a write that had failed
}

// A figure is a metric, and where its value is.
type figure[S any] struct {
	Metric
	of func(*S) float64
}

func counter(name, help string, of func(*Engine) uint64) figure[Engine] {
	return figure[Engine]{New(prometheus.CounterValue, "engine_"+name+"_total", help), func(e *Engine) float64 { return float64(of(e)) }}
}

var engineFigures = []figure[Engine]{
	counter("publications", "Publications that the engine stored, or handed on if they are ephemeral.", func(e *Engine) uint64 { return e.Published }),
	counter("duplicates", "Publications that were not stored again: their ID was known.", func(e *Engine) uint64 { return e.Duplicates }),
	counter("conflicts", "Attempts to store that another publisher of the channel was before; they are repeated.", func(e *Engine) uint64 { return e.Conflicts }),
	counter("retries", "Attempts to store that reached nobody, or whose outcome was not known; they are repeated.", func(e *Engine) uint64 { return e.Retries }),
	counter("delivered", "Messages that came from the store for readers here, each once however many read.", func(e *Engine) uint64 { return e.Delivered }),
	counter("gaps", "Gaps in what came from the store, which were looked up.", func(e *Engine) uint64 { return e.Gaps }),
	counter("lost", "Gaps of which something was no longer kept: readers were told.", func(e *Engine) uint64 { return e.Lost }),
	counter("broken_logs", "Logs of channels whose newest messages the store had lost: they began a new epoch.", func(e *Engine) uint64 { return e.Broken }),
	counter("overflows", "Times that messages came from the store faster than they were taken; what was dropped is looked up.", func(e *Engine) uint64 { return e.Slow }),
	counter("reads", "Reads of history and of newest messages at the store.", func(e *Engine) uint64 { return e.Reads }),
	counter("recoveries", "Reads of history that found something.", func(e *Engine) uint64 { return e.Recovered }),
	counter("reconnects", "Connections to the store that were lost and made again.", func(e *Engine) uint64 { return e.Reconnects }),
	counter("leader_elections", "Elections of a leader for a stream of the store, as a cluster tells them.", func(e *Engine) uint64 { return e.Leaders }),
	{New(prometheus.GaugeValue, "engine_channels", "Channels that the engine listens to for readers here."), func(e *Engine) float64 { return float64(e.Channels) }},
	{New(prometheus.GaugeValue, "engine_pending", "Publications that wait for the store."), func(e *Engine) float64 { return float64(e.Pending) }},
}

var engineFailures = New(prometheus.CounterValue, "engine_publish_failures_total",
	"Publications that failed, by the reason: busy, too many waited; unavailable, no quorum or no disk to write to; unknown, perhaps stored, the publisher was not told.", "reason")

var publishTimes = New(prometheus.UntypedValue, "engine_publish_duration_seconds",
	"How long it took to store publications, duplicates and failures not counted. The sum is estimated from the buckets.")

var storeFigures = []figure[Store]{
	{New(prometheus.GaugeValue, "store_used_bytes", "Size of what the store keeps."), func(s *Store) float64 { return float64(s.Used) }},
	{New(prometheus.GaugeValue, "store_free_bytes", "Free space of the store's disk."), func(s *Store) float64 { return float64(s.Free) }},
	{New(prometheus.CounterValue, "store_restarts_total", "Times that the store was opened again after a write had failed."), func(s *Store) float64 { return float64(s.Restarts) }},
}

// OfEngine are the metrics of an engine, and OfStore those of a store, in the
// order in which they are documented.
var (
	OfEngine = append(metricsOf(engineFigures), engineFailures, publishTimes)
	OfStore  = metricsOf(storeFigures)
)

func metricsOf[S any](figures []figure[S]) (out []Metric) {
	for _, f := range figures {
		out = append(out, f.Metric)
	}
	return out
}

// Collect writes the metrics of e to out.
func (e Engine) Collect(out chan<- prometheus.Metric) {
	for _, f := range engineFigures {
		out <- f.With(f.of(&e))
	}
	out <- engineFailures.With(float64(e.Busy), "busy")
	out <- engineFailures.With(float64(e.Refused), "unavailable")
	out <- engineFailures.With(float64(e.Unknown), "unknown")
	out <- histogram(publishTimes, e.PublishTimes[:])
}

// Collect writes the metrics of s to out.
func (s Store) Collect(out chan<- prometheus.Metric) {
	for _, f := range storeFigures {
		out <- f.With(f.of(&s))
	}
}

// Bounds of the buckets of a histogram that are shown, as powers of 2 in
// microseconds: from 64 µs to 17 s.
const (
	lowestBucket  = 6
	highestBucket = 24
)

// histogram shows counts of durations, the i-th of those from 2^(i-1) to 2^i
// microseconds. What each took is not known: it is taken to be the middle.
func histogram(m Metric, counts []uint64) prometheus.Metric {
	buckets := make(map[float64]uint64)
	var n uint64
	var sum float64
	for i, c := range counts {
		bound := float64(uint64(1)<<i) / 1e6
		n += c
		sum += float64(c) * bound * 3 / 4
		if lowestBucket <= i && i <= highestBucket {
			buckets[bound] = n
		}
	}
	return prometheus.MustNewConstHistogram(m.desc, n, sum, buckets)
}
