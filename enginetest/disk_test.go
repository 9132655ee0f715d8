package enginetest_test

import (
	"context"
	"os"
	"sync"
	"sync/atomic"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/enginetest"
	"github.com/surewire/surewire/memengine"
)

// disks are what the folders hold: engines in memory, which stay when a disk is
// closed, and are found again when it is opened.
var disks sync.Map // of *platter, by folder

type platter struct {
	*memengine.Engine
	opened atomic.Int64 // times
}

// A disk is a durable engine on a platter, with one fault, or none.
type disk struct {
	*platter
	closed   atomic.Bool
	attempts atomic.Int64

	// mu guards the following.
	mu      sync.Mutex
	cancels []func()
}

func openDisk(dir string, b enginetest.Bounds) *disk {
	if faulty("loses all") {
		disks.Delete(dir)
	}
	p, ok := disks.Load(dir)
	if !ok {
		p = &platter{Engine: memengine.New(config(b))}
		disks.Store(dir, p)
	}
	d := &disk{platter: p.(*platter)}
	d.opened.Add(1)
	return d
}

func faulty(fault string) bool { return os.Getenv(faultVariable) == fault }

// restarted reports whether the fault is there, and shows.
func (d *disk) restarted(fault string) bool { return faulty(fault) && d.opened.Load() > 1 }

// Publish leaves every third publisher in doubt, although it has stored.
func (d *disk) Publish(ctx context.Context, channel string, p surewire.Publication) (surewire.Published, error) {
	if d.closed.Load() {
		return surewire.Published{}, surewire.ErrClosed
	}
	if d.restarted("forgets IDs") {
		p.ID = ""
	}
	done, err := d.Engine.Publish(ctx, channel, p)
	if deadline, ok := ctx.Deadline(); ok && !deadline.IsZero() && err == nil && d.attempts.Add(1)%3 == 0 {
		return surewire.Published{}, surewire.ErrUnknown
	}
	if d.restarted("counts anew") {
		done.Position.Offset = uint64(d.attempts.Add(1))
	}
	return done, err
}

func (d *disk) Subscribe(ctx context.Context, channel string, s surewire.Sink) (surewire.Position, func(), error) {
	if d.closed.Load() {
		return surewire.Position{}, nil, surewire.ErrClosed
	}
	head, cancel, err := d.Engine.Subscribe(ctx, channel, s)
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.cancels = append(d.cancels, cancel)
	}
	if faulty("delivers to the dead") {
		cancel = func() {}
	}
	return head, cancel, err
}

func (d *disk) History(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
	if d.closed.Load() {
		return surewire.History{}, surewire.ErrClosed
	}
	h, err := d.Engine.History(ctx, channel, after, limit)
	if n := len(h.Messages); n > 0 && d.restarted("loses the newest") {
		h.Messages = h.Messages[:n-1]
	}
	for i, m := range h.Messages {
		c := *m
		if d.restarted("forgets tags") {
			c.Tags = nil
		}
		if d.restarted("forgets who published") {
			c.Info = nil
		}
		h.Messages[i] = &c
	}
	return h, err
}

func (d *disk) RemoveHistory(ctx context.Context, channel string) error {
	if d.closed.Load() {
		return surewire.ErrClosed
	}
	return d.Engine.RemoveHistory(ctx, channel)
}

// Close ends the subscriptions; what is stored stays.
func (d *disk) Close(context.Context) error {
	if d.closed.Swap(true) {
		return surewire.ErrClosed
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !faulty("delivers to the dead") {
		for _, cancel := range d.cancels {
			cancel()
		}
	}
	return nil
}
