// Package continuity makes of a feed that loses, doubles and reorders messages
// one that does not, with the help of a log where they can be looked up.
package continuity

import (
	"context"
	"sync"
	"time"

	"github.com/surewire/surewire"
)

// An Item is a message as the feed brings it.
type Item struct {
	Message *surewire.Message
	After   surewire.Position // of an ephemeral message: what it must not overtake; zero if that is not known
}

// A Log returns what is kept after a position, oldest first and at most limit
// messages, as [surewire.Engine.History] does. It may lag behind what the feed has
// brought, but not say of a position it has not come to that it is not complete.
type Log func(ctx context.Context, after surewire.Position, limit int) (surewire.History, error)

// A Feed passes on the messages of one channel: those with an offset in its
// order, none missing, none twice. Where the log has forgotten what is missing,
// it says so.
//
// Arrive, Open and Suspect tell their caller when to call Heal, which may take
// long; until it returns, what arrives is held. A new Feed is held too, until
// Open.
type Feed struct {
	// Static after construction. Called by one goroutine at a time.
	deliver func(m *surewire.Message, at surewire.Position) // at is the feed's position with m
	lost    func()

	// mu guards the following. It is not held while they are called.
	mu    sync.Mutex
	last  surewire.Position // of what was delivered
	held  []Item            // in the order of arrival
	owned bool              // one is at work who delivers, and all others leave what arrives to him
	again bool              // the log must be read once more: held was too long
}

// maxHeld is how many items are held: past that they are looked up again.
const maxHeld = 4096

// New returns a feed that holds what arrives until it is opened.
func New(deliver func(*surewire.Message, surewire.Position), lost func()) *Feed {
	return &Feed{deliver: deliver, lost: lost, owned: true}
}

// Open begins delivery with what comes after head. It reports whether Heal must
// be called.
func (f *Feed) Open(head surewire.Position) (heal bool) {
	f.mu.Lock()
	f.last = head
	f.mu.Unlock()
	_, done := f.drain()
	return !done
}

// Arrive takes what the feed brings. One goroutine calls it, and Heal may be at
// work meanwhile. It reports whether Heal must be called.
func (f *Feed) Arrive(i Item) (heal bool) {
	f.mu.Lock()
	if f.owned {
		f.hold(i)
		f.mu.Unlock()
		return false
	}
	f.owned = true
	verdict := f.place(i)
	if verdict == gap {
		f.hold(i)
	}
	at := f.last
	f.mu.Unlock()
	if verdict == next {
		f.deliver(i.Message, at)
	}
	_, done := f.drain()
	return !done
}

// Suspect says that the log has come to head. It reports whether Heal must be
// called.
func (f *Feed) Suspect(head surewire.Position) (heal bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if head.Epoch == f.last.Epoch && head.Offset <= f.last.Offset {
		return false
	}
	if f.owned { // by one who delivers, or heals: he will look
		f.again = true
		return false
	}
	f.owned = true
	return true
}

// With calls fn with the position of the feed, which stands still meanwhile.
func (f *Feed) With(fn func(at surewire.Position)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn(f.last)
}

// hold keeps i for later. The caller holds mu.
func (f *Feed) hold(i Item) {
	if len(f.held) == maxHeld {
		clear(f.held)
		f.held, f.again = f.held[:0], true
	}
	f.held = append(f.held, i)
}

// A verdict is what to do with an item.
type verdict uint8

const (
	next verdict = iota // it is the next
	old                 // it was delivered before
	gap                 // something is missing before it
)

// place decides on i, and advances if it is the next. The caller holds mu.
func (f *Feed) place(i Item) verdict {
	p := i.Message.Position
	if i.Message.Ephemeral {
		if i.After.Epoch == f.last.Epoch && i.After.Offset > f.last.Offset {
			return gap
		}
		return next
	}
	switch {
	case p.Epoch != f.last.Epoch || p.Offset > f.last.Offset+1:
		return gap
	case p.Offset <= f.last.Offset:
		return old
	}
	f.last = p
	return next
}

// drain delivers what is held, up to a gap. It returns the item after the gap,
// or is done, and the feed no longer owned.
func (f *Feed) drain() (stuck *surewire.Message, done bool) {
	for {
		f.mu.Lock()
		if len(f.held) == 0 {
			f.held = nil
			done = !f.again
			f.owned = !done
			f.mu.Unlock()
			return nil, done
		}
		i := f.held[0]
		verdict, at := f.place(i), f.last
		if verdict != gap {
			f.held[0] = Item{}
			f.held = f.held[1:]
		}
		f.mu.Unlock()
		switch verdict {
		case gap:
			return i.Message, false
		case next:
			f.deliver(i.Message, at)
		}
	}
}

// Waits between looks at a log that cannot be read, or does not have yet what
// was announced: a replica may be behind.
const (
	firstWait = 2 * time.Millisecond
	longWait  = time.Second
	maxTries  = 12 // about 4 seconds
)

// pageSize is how many messages are read at once.
const pageSize = 256

// Heal reads what is missing and delivers it, and then what was held. It returns
// once nothing is missing, or ctx is done.
func (f *Feed) Heal(ctx context.Context, log Log) error {
	var before *surewire.Message // what the last look did not help
	wait, tries := firstWait, 0
	for {
		err := f.read(ctx, log)
		if err == nil {
			stuck, done := f.drain()
			if done {
				return nil
			}
			if stuck == nil || stuck != before {
				before, wait, tries = stuck, firstWait, 0
				continue
			}
			if tries++; f.giveUp(stuck, tries) {
				continue
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
			wait = min(2*wait, longWait)
		}
	}
}

// giveUp passes over what the log does not explain, and reports whether it did.
// A message of another epoch than the log is of one that has ended. One that the
// log does not lead up to in all the time has lost what was before it.
func (f *Feed) giveUp(stuck *surewire.Message, tries int) bool {
	f.mu.Lock()
	foreign := !stuck.Ephemeral && stuck.Position.Epoch != f.last.Epoch
	if !foreign && tries < maxTries {
		f.mu.Unlock()
		return false
	}
	skip := foreign || stuck.Ephemeral
	if skip {
		f.held = f.held[1:]
	} else {
		f.last = surewire.Position{Epoch: stuck.Position.Epoch, Offset: stuck.Position.Offset - 1}
	}
	f.mu.Unlock()
	if !skip {
		f.lost()
	}
	return true
}

// read delivers what the log has after the position of the feed.
func (f *Feed) read(ctx context.Context, log Log) error {
	for {
		f.mu.Lock()
		after := f.last
		f.again = false
		f.mu.Unlock()
		h, err := log(ctx, after, pageSize)
		if err != nil {
			f.mu.Lock()
			f.again = true
			f.mu.Unlock()
			return err
		}
		if !h.Complete {
			f.move(h.Head)
			f.lost()
			return nil
		}
		for _, m := range h.Messages {
			f.move(m.Position)
			f.deliver(m, m.Position)
		}
		if n := len(h.Messages); n == 0 || h.Messages[n-1].Position.Offset >= h.Head.Offset {
			return nil
		}
	}
}

func (f *Feed) move(to surewire.Position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = to
}
