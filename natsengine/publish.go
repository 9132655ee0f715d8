package natsengine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine/internal/line"
	"github.com/surewire/surewire/natsengine/internal/record"
	"github.com/surewire/surewire/natsengine/internal/store"
)

// Publish implements [surewire.Engine]. An ID is known for Config.IDWindow, to
// all engines on the same NATS; that of an ephemeral publication to this engine
// alone, for a while.
func (e *Engine) Publish(ctx context.Context, channel string, p surewire.Publication) (surewire.Published, error) {
	began := time.Now()
	place, err := e.admit(ctx, channel, &p)
	if err != nil {
		return e.told(channel, began, surewire.Published{}, err)
	}
	return e.carryOut(ctx, channel, p, place, began)
}

// PublishAsync implements [surewire.AsyncPublisher]. As many may be on their way
// as Config.MaxPending says.
func (e *Engine) PublishAsync(ctx context.Context, channel string, p surewire.Publication, done func(surewire.Published, error)) error {
	began := time.Now()
	place, err := e.admit(ctx, channel, &p)
	if err != nil {
		_, err := e.told(channel, began, surewire.Published{}, err)
		return err
	}
	if place == nil {
		done(e.carryOut(ctx, channel, p, nil, began))
		return nil
	}
	if !e.spawn(func() { done(e.carryOut(ctx, channel, p, place, began)) }) { // ends with PublishTimeout
		place.Leave()
		return surewire.ErrClosed
	}
	return nil
}

// admit returns p's place among those who publish to channel; what is ephemeral
// needs none.
func (e *Engine) admit(ctx context.Context, channel string, p *surewire.Publication) (*line.Place, error) {
	if err := e.check(ctx, channel); err != nil {
		return nil, err
	}
	if n := e.config.MaxSize; n > 0 && len(p.Data) > n {
		return nil, fmt.Errorf("%w: %d bytes are more than %d", surewire.ErrTooLarge, len(p.Data), n)
	}
	if p.Ephemeral {
		return nil, nil
	}
	if e.config.Guard != nil {
		if err := e.config.Guard(); err != nil {
			return nil, err
		}
	}
	return e.lines.Join(channel)
}

// carryOut publishes what was admitted.
func (e *Engine) carryOut(ctx context.Context, channel string, p surewire.Publication, place *line.Place, began time.Time) (surewire.Published, error) {
	if place == nil {
		done, err := e.publishLive(channel, p)
		return e.told(channel, began, done, err)
	}
	defer place.Leave()
	if err := place.Wait(ctx); err != nil {
		return e.told(channel, began, surewire.Published{}, err)
	}
	done, err := e.publish(ctx, channel, p)
	return e.told(channel, began, done, err)
}

// told counts a publication that was begun at a time, and returns what to tell of
// it.
func (e *Engine) told(channel string, began time.Time, done surewire.Published, err error) (surewire.Published, error) {
	switch {
	case err == nil && done.Duplicate:
		e.stats.duplicates.Add(1)
	case err == nil:
		e.stats.took(time.Since(began))
	case errors.Is(err, surewire.ErrBusy):
		e.stats.busy.Add(1)
	case errors.Is(err, surewire.ErrUnknown):
		e.stats.unknown.Add(1)
	case errors.Is(err, surewire.ErrUnavailable):
		e.stats.refused.Add(1)
	}
	if err != nil {
		return surewire.Published{}, fmt.Errorf("channel %q: %w", channel, err)
	}
	return done, nil
}

// publish stores p, whose turn has come.
func (e *Engine) publish(ctx context.Context, channel string, p surewire.Publication) (surewire.Published, error) {
	if p.ID != "" {
		if at, ok := e.ids.Get(store.KeyOf(channel, p.ID)); ok {
			return surewire.Published{Position: at, Duplicate: true}, nil
		}
	}
	w := writing{engine: e, channel: channel, route: e.route(channel), p: p, nonce: e.nonce()}
	done, err := w.run(ctx)
	if err == nil && p.ID != "" {
		e.ids.Put(store.KeyOf(channel, p.ID), done.Position)
	}
	return done, err
}

// publishLive hands p to those who listen.
func (e *Engine) publishLive(channel string, p surewire.Publication) (surewire.Published, error) {
	var key store.Key
	if p.ID != "" {
		key = store.KeyOf(channel, p.ID)
		if at, ok := e.ids.Get(key); ok {
			return surewire.Published{Position: at, Duplicate: true}, nil
		}
	}
	head, _ := e.heads.Get(channel)
	if err := e.store.Say(e.route(channel), head, p); err != nil {
		return surewire.Published{}, err
	}
	at := surewire.Position{Epoch: e.show(head.Epoch)}
	if p.ID != "" {
		e.ids.Put(key, at)
	}
	return surewire.Published{Position: at}, nil
}

// A writing is one publication on its way into the store, in as many attempts as
// it takes. Only one of them can succeed: each demands that the newest message of
// the channel is still the one it was written for.
type writing struct {
	engine  *Engine
	channel string
	route   store.Route
	p       surewire.Publication
	nonce   string // in all attempts

	doubt  bool   // an attempt may have succeeded
	oldest uint64 // then: the newest message of the channel before the first of them
}

func (w *writing) run(ctx context.Context) (surewire.Published, error) {
	e := w.engine
	limit, cancel := e.store.Bound(ctx, e.config.PublishTimeout)
	defer cancel()
	head, ok := e.heads.Get(w.channel)
	var err error
	if !ok {
		head, _, err = e.look(limit, w.channel, w.route)
	} else {
		err = e.store.Ensure(limit, w.route.Profile)
	}
	patience := store.FirstPatience
	for wait := 2 * time.Millisecond; err == nil; wait = min(2*wait, 500*time.Millisecond) {
		rec := head.Next()
		rec.Nonce = w.nonce
		seq, duplicate, failure := e.store.Put(limit, w.channel, w.route, &rec, w.p, patience)
		if failure == nil {
			return w.settle(limit, rec, seq, duplicate)
		}
		if !errors.Is(failure, store.ErrConflict) {
			if errors.Is(failure, store.ErrDoubt) {
				patience = min(2*patience, store.LongPatience)
			}
			err = w.pause(limit, failure, head, wait)
			continue
		}
		e.stats.conflicts.Add(1)
		if head, _, err = e.lookSurely(limit, w.channel, w.route); err == nil && w.doubt {
			at, found, failure := w.find(limit, head)
			if found {
				return surewire.Published{Position: at}, nil
			}
			err = failure
		}
	}
	return surewire.Published{}, w.failed(ctx, err)
}

// settle returns what a stream's answer means.
func (w *writing) settle(ctx context.Context, rec record.Record, seq uint64, duplicate bool) (surewire.Published, error) {
	if duplicate {
		return w.duplicate(ctx, seq)
	}
	rec.Seq = seq
	w.engine.heads.Update(w.channel, func(known record.Head, ok bool) record.Head {
		if ok && known.Seq > seq {
			return known
		}
		return rec.AsHead()
	})
	return surewire.Published{Position: surewire.Position{Epoch: w.engine.show(rec.Epoch), Offset: rec.Offset}}, nil
}

// duplicate returns where the first publication with the ID is. It may no longer
// be kept, and be another engine's: then its offset is not known, and is 0.
func (w *writing) duplicate(ctx context.Context, seq uint64) (surewire.Published, error) {
	rec, err := w.engine.store.At(ctx, w.route, seq)
	if errors.Is(err, store.ErrNone) {
		head, _, err := w.engine.lookSurely(ctx, w.channel, w.route)
		if err != nil {
			return surewire.Published{}, err
		}
		return surewire.Published{Position: surewire.Position{Epoch: w.engine.show(head.Epoch)}, Duplicate: true}, nil
	}
	if err != nil {
		return surewire.Published{}, err
	}
	at := surewire.Position{Epoch: w.engine.show(rec.Epoch), Offset: rec.Offset}
	return surewire.Published{Position: at, Duplicate: rec.Nonce != w.nonce}, nil
}

// pause waits before the next attempt, or returns why there is none.
func (w *writing) pause(ctx context.Context, failure error, head record.Head, wait time.Duration) error {
	e := w.engine
	switch {
	case errors.Is(failure, store.ErrDoubt):
		if !w.doubt {
			w.doubt, w.oldest = true, head.Seq
		}
	case errors.Is(failure, store.ErrNoStream):
		e.store.Forget(w.route.Profile.Name)
		if err := e.store.Ensure(ctx, w.route.Profile); err != nil {
			return err
		}
	case !errors.Is(failure, store.ErrAbsent):
		return failure
	}
	e.stats.retries.Add(1)
	if e.config.Guard != nil {
		if err := e.config.Guard(); err != nil {
			return err
		}
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// find looks for an attempt of w that has succeeded, among what was stored since
// the first. It fails where some of that is no longer kept.
func (w *writing) find(ctx context.Context, head record.Head) (at surewire.Position, found bool, err error) {
	for seq := head.Seq; seq > w.oldest; {
		rec, err := w.engine.store.At(ctx, w.route, seq)
		if err != nil {
			return at, false, err
		}
		if rec.Nonce == w.nonce {
			return surewire.Position{Epoch: w.engine.show(rec.Epoch), Offset: rec.Offset}, true, nil
		}
		seq = rec.Prev
	}
	w.doubt = false // no attempt for an older newest message can succeed any more
	return at, false, nil
}

// failed returns what to tell the publisher, who waits with ctx.
func (w *writing) failed(ctx context.Context, err error) error {
	switch {
	case w.doubt:
		return fmt.Errorf("%w: %w", surewire.ErrUnknown, err)
	case w.engine.closed.Load():
		return surewire.ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: nobody has taken it for %v", surewire.ErrUnavailable, w.engine.config.PublishTimeout)
	}
	return err
}
