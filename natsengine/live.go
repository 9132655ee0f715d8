package natsengine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine/internal/continuity"
	"github.com/surewire/surewire/natsengine/internal/record"
	"github.com/surewire/surewire/natsengine/internal/store"
)

// channels are those that somebody listens to. A subscription of NATS brings
// what is published to each of them into one inbox.
type channels struct {
	// mu guards the following.
	mu    sync.Mutex
	all   map[string]*channel // by the subject that brings its messages
	inbox chan *nats.Msg      // static after construction; never closed
}

// A channel is one that somebody listens to.
type channel struct {
	// Static after construction.
	engine *Engine
	name   string
	route  store.Route
	feed   *continuity.Feed
	ready  chan struct{}      // closed when it is open, or is not to be
	ctx    context.Context    // done when nobody listens any more
	end    context.CancelFunc // of ctx

	// Set before ready is closed.
	sub *nats.Subscription
	err error // why it could not be opened

	users int // channels.mu guards it

	listeners atomic.Pointer[[]*listener] // its elements are not modified; the feed's lock guards changes
}

// A listener is one subscription.
type listener struct {
	sink  surewire.Sink
	after surewire.Position // what is up to here it does not get
	gone  atomic.Bool
}

// Subscribe implements [surewire.Engine].
func (e *Engine) Subscribe(ctx context.Context, name string, s surewire.Sink) (surewire.Position, func(), error) {
	for {
		if err := e.check(ctx, name); err != nil {
			return surewire.Position{}, nil, err
		}
		c, first := e.channels.take(e, name)
		l := &listener{sink: s}
		var head surewire.Position
		var err error
		if first {
			head, err = c.open(ctx, l)
		} else {
			head, err = c.join(ctx, l)
		}
		if err == nil {
			return head, sync.OnceFunc(func() { c.leave(l) }), nil
		}
		l.gone.Store(true)
		e.channels.release(c)
		if first || !errors.Is(err, errNotOpen) {
			return surewire.Position{}, nil, e.callError(ctx, err)
		}
	}
}

// errNotOpen: another subscription could not open the channel.
var errNotOpen = errors.New("the channel was not opened")

// take returns the channel, and whether the caller is the first and must open it.
func (cs *channels) take(e *Engine, name string) (c *channel, first bool) {
	r := e.route(name)
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c = cs.all[r.Live]; c == nil {
		c = &channel{engine: e, name: name, route: r, ready: make(chan struct{})}
		c.ctx, c.end = context.WithCancel(e.ctx)
		c.feed = continuity.New(c.deliver, c.lost)
		c.listeners.Store(new([]*listener))
		cs.all[r.Live] = c
		first = true
	}
	c.users++
	return c, first
}

// release gives up one use of c, and c with the last.
func (cs *channels) release(c *channel) {
	cs.mu.Lock()
	c.users--
	last := c.users == 0
	if last && cs.all[c.route.Live] == c {
		delete(cs.all, c.route.Live)
	}
	cs.mu.Unlock()
	if last {
		c.end()
		if c.sub != nil {
			c.sub.Unsubscribe() // fails only where the connection is closed
		}
	}
}

// drop has nobody find c any more.
func (cs *channels) drop(c *channel) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.all[c.route.Live] == c {
		delete(cs.all, c.route.Live)
	}
}

// find returns the channel of a subject, or nil.
func (cs *channels) find(subject string) *channel {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.all[subject]
}

func (cs *channels) len() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return len(cs.all)
}

func (cs *channels) list() []*channel {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	out := make([]*channel, 0, len(cs.all))
	for _, c := range cs.all {
		out = append(out, c)
	}
	return out
}

// close ends all subscriptions.
func (cs *channels) close() {
	for _, c := range cs.list() {
		c.end()
	}
}

// open has NATS bring the channel's messages, and then asks where its log ends:
// what comes after that comes through the feed.
func (c *channel) open(ctx context.Context, l *listener) (head surewire.Position, err error) {
	defer func() {
		if c.err = err; err != nil {
			c.engine.channels.drop(c)
		}
		close(c.ready)
	}()
	if c.sub, err = c.engine.store.Listen(ctx, c.route.Live, c.engine.channels.inbox); err != nil {
		return head, err
	}
	at, rec, err := c.engine.look(ctx, c.name, c.route)
	if err == nil && rec == nil && c.engine.config.Shared {
		at, _, err = c.engine.begin(ctx, c.name, c.route, at)
	}
	if err != nil {
		return head, err
	}
	l.after = c.engine.position(at)
	c.listeners.Store(&[]*listener{l})
	if c.feed.Open(l.after) {
		c.heal()
	}
	return l.after, nil
}

// join adds a listener to a channel that is open, or is being opened.
func (c *channel) join(ctx context.Context, l *listener) (head surewire.Position, err error) {
	select {
	case <-c.ready:
	case <-ctx.Done():
		return head, ctx.Err()
	}
	if c.err != nil {
		return head, errNotOpen
	}
	at, _, err := c.engine.look(ctx, c.name, c.route)
	if err != nil {
		return head, err
	}
	known := c.engine.position(at)
	c.feed.With(func(at surewire.Position) {
		if l.after = at; known.Epoch == at.Epoch && known.Offset > at.Offset {
			l.after = known
		}
		all := append(slices.Clone(*c.listeners.Load()), l)
		c.listeners.Store(&all)
	})
	return l.after, nil
}

// leave ends a subscription.
func (c *channel) leave(l *listener) {
	l.gone.Store(true)
	c.feed.With(func(surewire.Position) {
		rest := slices.DeleteFunc(slices.Clone(*c.listeners.Load()), func(o *listener) bool { return o == l })
		c.listeners.Store(&rest)
	})
	c.engine.channels.release(c)
}

// deliver hands m to those who listen, and do not have it yet.
func (c *channel) deliver(m *surewire.Message, at surewire.Position) {
	if m.Ephemeral {
		m.Position.Epoch = at.Epoch
	}
	if c.ctx.Err() != nil {
		return
	}
	c.engine.stats.delivered.Add(1)
	for _, l := range *c.listeners.Load() {
		before := at.Epoch == l.after.Epoch && (at.Offset < l.after.Offset || at.Offset == l.after.Offset && !m.Ephemeral)
		if !before && !l.gone.Load() {
			l.sink.Deliver(c.name, m)
		}
	}
}

func (c *channel) lost() {
	if c.ctx.Err() != nil {
		return
	}
	c.engine.stats.lost.Add(1)
	for _, l := range *c.listeners.Load() {
		if !l.gone.Load() {
			l.sink.Lost(c.name)
		}
	}
}

// heal has a goroutine look up what is missing. It ends once nothing is, or
// nobody listens.
func (c *channel) heal() {
	c.engine.stats.gaps.Add(1)
	c.engine.spawn(func() {
		// Its error says that nobody listens any more.
		_ = c.feed.Heal(c.ctx, func(ctx context.Context, after surewire.Position, limit int) (surewire.History, error) {
			select {
			case c.engine.healer <- struct{}{}:
				defer func() { <-c.engine.healer }()
			case <-ctx.Done():
				return surewire.History{}, ctx.Err()
			}
			return c.engine.history(ctx, c.name, after, limit)
		})
	})
}

// dispatch brings what arrives to its channel. It ends with the engine.
func (e *Engine) dispatch() {
	for {
		select {
		case <-e.ctx.Done():
			return
		case m := <-e.channels.inbox:
			e.arrive(m)
		}
	}
}

func (e *Engine) arrive(m *nats.Msg) {
	c := e.channels.find(m.Subject)
	if c == nil {
		return // nobody listens any more
	}
	var item continuity.Item
	if live, after, ok := record.ReadLive(m); ok {
		after.Epoch = e.show(after.Epoch)
		item = continuity.Item{Message: live, After: after}
	} else {
		r, err := record.Read(m)
		if err != nil {
			e.config.Logger.Error("a message that is not Surewire's was published", "subject", m.Subject, "error", err)
			return
		}
		if r.Mark {
			return
		}
		item.Message = e.message(r)
	}
	if c.feed.Arrive(item) {
		c.heal()
	}
}

// verify looks whether the ends of channels went missing: what was lost at the
// end shows only with the next message. It ends with the engine.
func (e *Engine) verify() {
	t := time.NewTicker(e.config.VerifyEvery)
	defer t.Stop()
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-t.C:
		case <-e.kick:
			select { // what happens together is looked at once
			case <-time.After(100 * time.Millisecond):
			case <-e.ctx.Done():
				return
			}
		}
		again := e.config.VerifyEvery
		if err := e.verifyAll(); err != nil && e.ctx.Err() == nil {
			e.config.Logger.Warn("channels could not be verified", "error", err)
			again = min(again, time.Second)
		}
		t.Reset(again)
	}
}

// wake has verify look at all channels.
func (e *Engine) wake() {
	select {
	case e.kick <- struct{}{}:
	default:
	}
}

// verifyAtOnce is how many channels are asked for at once: NATS takes 1,024.
const verifyAtOnce = 512

func (e *Engine) verifyAll() error {
	streams := map[string]map[string]*channel{}
	for _, c := range e.channels.list() {
		if streams[c.route.Stream] == nil {
			streams[c.route.Stream] = map[string]*channel{}
		}
		streams[c.route.Stream][c.route.Subject] = c
	}
	var failed error
	for stream, all := range streams {
		subjects := make([]string, 0, len(all))
		for subject := range all {
			subjects = append(subjects, subject)
		}
		for some := range slices.Chunk(subjects, verifyAtOnce) {
			err := e.store.Newest(e.ctx, stream, some, func(subject string, r *record.Record) {
				if c := all[subject]; c != nil && c.feed.Suspect(e.position(r.Head)) {
					c.heal()
				}
			})
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
