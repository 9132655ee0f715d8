package memengine

import "time"

// An ID is known for as long as its message is kept, and at least for idWindow
// after its publication, unless that many others of its channel came to need
// the same: a publisher that retries within it does not publish twice.
const (
	idWindow = 5 * time.Minute
	maxPast  = 4096
)

// scanLimit is up to how many messages and past IDs an ID is looked for one by
// one: an index would cost a quiet channel more than its messages do.
const scanLimit = 8

// known is what a log remembers of IDs, besides those of its kept messages.
type known struct {
	index map[string]uint64 // offset by ID, of kept and past; nil until a look-up would be long
	past  ring[pastID]      // IDs without a kept message, in the order in which they came here
}

// A pastID is the ID of a message that is no longer kept, or never was.
type pastID struct {
	id     string
	offset uint64        // 0 if it was ephemeral
	at     time.Duration // when it was published, since the start of the engine
}

// offsetOf returns the offset of the publication that has id.
func (l *log) offsetOf(id string) (uint64, bool) {
	if l.known == nil {
		return 0, false
	}
	if l.known.index == nil {
		if l.messages.n+l.known.past.n <= scanLimit {
			return l.scan(id)
		}
		l.buildIndex()
	}
	offset, ok := l.known.index[id]
	return offset, ok
}

func (l *log) scan(id string) (uint64, bool) {
	for i := range l.messages.n {
		if m := *l.messages.at(i); m.ID == id {
			return m.Position.Offset, true
		}
	}
	for i := range l.known.past.n {
		if p := l.known.past.at(i); p.id == id {
			return p.offset, true
		}
	}
	return 0, false
}

func (l *log) buildIndex() {
	l.known.index = make(map[string]uint64)
	for i := range l.messages.n {
		if m := *l.messages.at(i); m.ID != "" {
			l.known.index[m.ID] = m.Position.Offset
		}
	}
	for i := range l.known.past.n {
		p := l.known.past.at(i)
		l.known.index[p.id] = p.offset
	}
}

// know remembers the ID of a message that is kept from now on.
func (l *log) know(id string, offset uint64) {
	if l.known == nil {
		l.known = new(known)
	}
	if l.known.index != nil {
		l.known.index[id] = offset
	}
}

// outlive remembers an ID without a kept message for the rest of its window.
func (l *log) outlive(p pastID, now time.Duration) {
	l.forgetIDs(now)
	if l.known.past.n == maxPast {
		delete(l.known.index, l.known.past.pop().id)
	}
	l.known.past.push(p, maxPast)
}

// forgetIDs drops the past IDs whose window is over.
func (l *log) forgetIDs(now time.Duration) {
	for l.known.past.n > 0 && now-l.known.past.at(0).at >= idWindow {
		delete(l.known.index, l.known.past.pop().id)
	}
}

// sweepIDs gives up what is no longer needed.
func (l *log) sweepIDs(now time.Duration) {
	l.forgetIDs(now)
	l.known.past.trim()
	switch n := l.messages.n + l.known.past.n; {
	case n == 0:
		l.known = nil
	case n <= scanLimit:
		l.known.index = nil
	}
}
