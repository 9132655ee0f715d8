package natsengine

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Stats are figures of an [Engine] since it was opened.
type Stats struct {
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
	Broken    uint64 // logs whose newest messages were lost by the store: they begin a new epoch
	Slow      uint64 // times that messages came faster than they were taken
	Reads     uint64 // of history and heads, at the server
	Recovered uint64 // calls of History that found something

	Reconnects uint64 // of connections
	Leaders    uint64 // elections of a stream's leader
	Channels   int    // with somebody who listens
	Pending    int    // publications that wait

	// PublishTimes counts publications by how long they took: the i-th less
	// than 2^i microseconds, and not less than half of that.
	PublishTimes [32]uint64
}

type stats struct {
	published, duplicates, conflicts, retries, busy, refused, unknown atomic.Uint64
	delivered, gaps, lost, broken, recovered                          atomic.Uint64
	times                                                             [32]atomic.Uint64
}

// took counts a publication.
func (s *stats) took(d time.Duration) {
	s.published.Add(1)
	s.times[min(bits.Len64(uint64(max(d.Microseconds(), 0))), len(s.times)-1)].Add(1)
}

// Stats returns the figures as they are now.
func (e *Engine) Stats() Stats {
	s, c := &e.stats, e.store.Counts()
	out := Stats{
		Published: s.published.Load(), Duplicates: s.duplicates.Load(), Conflicts: s.conflicts.Load(),
		Retries: s.retries.Load(), Busy: s.busy.Load(), Refused: s.refused.Load(), Unknown: s.unknown.Load(),
		Delivered: s.delivered.Load(), Gaps: s.gaps.Load(), Lost: s.lost.Load(), Broken: s.broken.Load(), Slow: c.Slow,
		Reads: c.Reads, Recovered: s.recovered.Load(), Reconnects: c.Reconnects, Leaders: c.Leaders,
		Channels: e.channels.len(), Pending: e.lines.Waiting(),
	}
	for i := range s.times {
		out.PublishTimes[i] = s.times[i].Load()
	}
	return out
}
