// Package live is the channels of one process that somebody reads: the tail of
// each channel's log, and who is to be woken when it grows. It knows readers,
// not connections.
package live

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub/internal/tail"
)

// A Reader reads one channel. Its methods are called without a lock; Wake may
// still come after Lost.
type Reader interface {
	// Wake says that there may be something after the reader's cursor. It must not wait.
	Wake()
	// Lost says that the channel's continuity is gone: the reader's cursor stands nowhere.
	Lost()
}

// A Framer is as in package tail.
type Framer = tail.Framer

// A Reach says what a cursor can have, as in package tail.
type Reach = tail.Reach

// What a cursor can have.
const (
	Nothing = tail.Nothing
	More    = tail.More
	Behind  = tail.Behind
)

// Config configures [Channels]. All fields but FannedOut are required.
type Config struct {
	Engine   surewire.Engine
	TailLen  int   // frames kept per channel
	TailSize int   // bytes kept per channel
	Budget   int64 // bytes of all tails together

	// FannedOut is called when as many readers as there were have been woken for
	// m, which has a Trace; began is when it was delivered. It must not wait. Of
	// the messages that one round tells of, it hears of the first few. It may be nil.
	FannedOut func(channel string, m *surewire.Message, began time.Time, readers int)
}

// Channels are the live channels of a process. The methods may be called
// concurrently.
type Channels struct {
	// Static after construction.
	config Config
	ctx    context.Context // ends what is asked of the engine
	cancel context.CancelFunc

	workers  workers
	size     atomic.Int64 // bytes of all tails
	trimming atomic.Bool  // one call of trim is at work

	// mu guards the following, and the joined and opening of channels.
	mu       sync.Mutex
	channels map[string]*Channel
}

// New returns no channels. Close ends the goroutines that it starts.
func New(c Config) *Channels {
	cs := &Channels{config: c, channels: make(map[string]*Channel)}
	cs.ctx, cs.cancel = context.WithCancel(context.Background())
	cs.workers.start()
	return cs
}

// Close gives up what is asked of the engine, and wakes no reader any more.
// Channels end when their last reader leaves.
func (cs *Channels) Close() {
	cs.cancel()
	cs.workers.close()
}

// Len is how many channels are live, and Size how many bytes their tails have.
func (cs *Channels) Len() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return len(cs.channels)
}

// Size is how many bytes the tails have together.
func (cs *Channels) Size() int64 { return cs.size.Load() }

// Readers returns how many read each live channel, by its name.
func (cs *Channels) Readers() map[string]int {
	cs.mu.Lock()
	channels := slices.Collect(maps.Values(cs.channels))
	cs.mu.Unlock()
	counts := make(map[string]int, len(channels))
	for _, ch := range channels {
		counts[ch.name] = len(ch.Readers())
	}
	return counts
}

// Find returns the channel if it is live, else nil. It may cease to be so at any time.
func (cs *Channels) Find(name string) *Channel {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.channels[name]
}

// engineTimeout bounds how long an engine may take to begin a subscription,
// whoever waits for it.
const engineTimeout = 10 * time.Second

// ErrFull is the error of Join for a channel that has as many readers as it may.
var ErrFull = errors.New("the channel has as many readers as it may")

// Join returns the live channel of name, which the caller must Leave, unless it
// has limit readers already; a limit of 0 does not limit. The first to join
// subscribes to the engine; the others wait for it.
func (cs *Channels) Join(ctx context.Context, name string, limit int) (*Channel, error) {
	cs.mu.Lock()
	ch, ok := cs.channels[name]
	if !ok {
		ch = &Channel{all: cs, name: name, ready: make(chan struct{}), opening: true, tail: tail.New(name, cs.config.TailLen, cs.config.TailSize)}
		cs.channels[name] = ch
	}
	if limit > 0 && ch.joined >= limit {
		cs.mu.Unlock()
		return nil, ErrFull
	}
	ch.joined++
	cs.mu.Unlock()
	if !ok {
		go ch.open() // ends within engineTimeout
	}
	select {
	case <-ch.ready:
		if ch.err != nil {
			ch.Leave()
			return nil, ch.err
		}
		return ch, nil
	case <-ctx.Done():
		ch.Leave()
		return nil, ctx.Err()
	}
}

// detach makes the next to join begin anew.
func (cs *Channels) detach(ch *Channel) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.channels[ch.name] == ch {
		delete(cs.channels, ch.name)
	}
}

// grew notes that a tail's size has changed. Where all tails together pass the
// budget, those that nobody read for the longest time shrink.
func (cs *Channels) grew(by int) {
	if cs.size.Add(int64(by)) > cs.config.Budget && cs.trimming.CompareAndSwap(false, true) {
		go cs.trim() // ends when enough is free
	}
}

// trim shrinks tails until an eighth of the budget is free. They are caches of
// the log: who needed them reads history.
func (cs *Channels) trim() {
	before := cs.size.Load()
	defer func() {
		cs.trimming.Store(false)
		if cs.size.Load() < before {
			cs.grew(0) // others may have grown since it looked
		}
	}()
	type candidate struct {
		ch   *Channel
		read int64
	}
	cs.mu.Lock()
	all := make([]candidate, 0, len(cs.channels))
	for _, ch := range cs.channels {
		all = append(all, candidate{ch, ch.readAt.Load()})
	}
	cs.mu.Unlock()
	slices.SortFunc(all, func(a, b candidate) int { return int(min(max(a.read-b.read, -1), 1)) })
	for _, c := range all {
		if cs.size.Load() <= cs.config.Budget-cs.config.Budget/8 {
			return
		}
		c.ch.shrink()
	}
}

// parts is how many goroutines wake the readers of a crowded channel.
var parts = runtime.GOMAXPROCS(0)
