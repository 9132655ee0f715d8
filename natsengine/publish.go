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
// as Config.MaxPending says. Who waits for others in the channel when ctx ends is
// told when its turn comes.
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
	if !e.enter() {
		place.Leave()
		return surewire.ErrClosed
	}
	told := func(d surewire.Published, err error) {
		done(e.told(channel, began, d, err))
		place.Leave()
		e.wg.Done()
	}
	place.Then(func() {
		if err := ctx.Err(); err != nil {
			told(surewire.Published{}, err)
		} else if !e.publishAtOnce(ctx, channel, p, told) {
			go func() { told(e.publish(ctx, channel, p)) }() // ends with PublishTimeout, or when the engine is closed
		}
	})
	return nil
}

// publishAtOnce makes the first attempt to store p without a goroutine, where
// nothing is to be waited for before, and reports whether it did. Only an attempt
// that fails needs one.
func (e *Engine) publishAtOnce(ctx context.Context, channel string, p surewire.Publication, told func(surewire.Published, error)) bool {
	w := &writing{engine: e, channel: channel, route: e.route(channel), p: p, nonce: e.nonce(), patience: store.FirstPatience}
	head, ok := e.heads.Get(channel)
	if !ok || !e.store.Ready(w.route.Profile) {
		return false
	}
	if at, known := e.known(channel, p.ID); known {
		told(surewire.Published{Position: at, Duplicate: true}, nil)
		return true
	}
	rec := head.Next()
	rec.Nonce = w.nonce
	after := func(seq uint64, duplicate bool, err error) {
		if err == nil && !duplicate {
			told(w.stored(rec, seq), nil)
			return
		}
		go func() { // ends as that of PublishAsync
			told(w.goOn(ctx, rec, head, seq, duplicate, err))
		}()
	}
	if err := e.store.PutAsync(channel, w.route, &rec, p, w.patience, after); err != nil {
		after(0, false, err)
	}
	return true
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
	if err := e.config.Guard(); err != nil {
		return nil, err
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

// known returns where the publication with an ID is, if that is remembered.
func (e *Engine) known(channel, id string) (surewire.Position, bool) {
	if id == "" {
		return surewire.Position{}, false
	}
	return e.ids.Get(store.KeyOf(channel, id))
}

// remember notes where the publication with an ID is.
func (e *Engine) remember(channel, id string, at surewire.Position) {
	if id != "" {
		e.ids.Put(store.KeyOf(channel, id), at)
	}
}

// publish stores p, whose turn has come.
func (e *Engine) publish(ctx context.Context, channel string, p surewire.Publication) (surewire.Published, error) {
	if at, known := e.known(channel, p.ID); known {
		return surewire.Published{Position: at, Duplicate: true}, nil
	}
	w := writing{engine: e, channel: channel, route: e.route(channel), p: p, nonce: e.nonce(), patience: store.FirstPatience}
	return w.run(ctx)
}

// publishLive hands p to those who listen.
func (e *Engine) publishLive(channel string, p surewire.Publication) (surewire.Published, error) {
	if at, known := e.known(channel, p.ID); known {
		return surewire.Published{Position: at, Duplicate: true}, nil
	}
	head, _ := e.heads.Get(channel)
	if err := e.store.Say(e.route(channel), head, p); err != nil {
		return surewire.Published{}, err
	}
	at := surewire.Position{Epoch: e.show(head.Epoch)}
	e.remember(channel, p.ID, at)
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

	patience time.Duration // of the next attempt
	doubt    bool          // an attempt may have succeeded
	oldest   uint64        // then: the newest message of the channel before the first of them
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
	return w.attempts(ctx, limit, head, err)
}

// goOn is run after a first attempt, which stored rec after head, or failed.
func (w *writing) goOn(ctx context.Context, rec record.Record, head record.Head, seq uint64, duplicate bool, failure error) (surewire.Published, error) {
	limit, cancel := w.engine.store.Bound(ctx, w.engine.config.PublishTimeout)
	defer cancel()
	if failure == nil {
		return w.settle(limit, rec, seq, duplicate)
	}
	head, found, err := w.after(limit, failure, head, firstPause)
	if found != nil {
		return *found, nil
	}
	return w.attempts(ctx, limit, head, err)
}

// firstPause is how long the second attempt waits, and lastPause all that are late.
const firstPause, lastPause = 2 * time.Millisecond, 500 * time.Millisecond

// attempts tries until limit, unless there is an error already. ctx is the
// publisher's.
func (w *writing) attempts(ctx, limit context.Context, head record.Head, err error) (surewire.Published, error) {
	for pause := firstPause; err == nil; pause = min(2*pause, lastPause) {
		rec := head.Next()
		rec.Nonce = w.nonce
		seq, duplicate, failure := w.engine.store.Put(limit, w.channel, w.route, &rec, w.p, w.patience)
		if failure == nil {
			return w.settle(limit, rec, seq, duplicate)
		}
		var found *surewire.Published
		if head, found, err = w.after(limit, failure, head, pause); found != nil {
			return *found, nil
		}
	}
	return surewire.Published{}, w.failed(ctx, err)
}

// after returns what the next attempt begins with, after one that failed; or, if it
// turns out that one has succeeded, where p is.
func (w *writing) after(ctx context.Context, failure error, head record.Head, pause time.Duration) (record.Head, *surewire.Published, error) {
	if !errors.Is(failure, store.ErrConflict) {
		if errors.Is(failure, store.ErrDoubt) {
			w.patience = min(2*w.patience, store.LongPatience)
		}
		return head, nil, w.pause(ctx, failure, head, pause)
	}
	w.engine.stats.conflicts.Add(1)
	head, _, err := w.engine.lookSurely(ctx, w.channel, w.route)
	if err != nil || !w.doubt {
		return head, nil, err
	}
	at, found, err := w.find(ctx, head)
	if !found {
		return head, nil, err
	}
	w.engine.remember(w.channel, w.p.ID, at)
	return head, &surewire.Published{Position: at}, nil
}

// settle returns what a stream's answer means.
func (w *writing) settle(ctx context.Context, rec record.Record, seq uint64, duplicate bool) (surewire.Published, error) {
	if !duplicate {
		return w.stored(rec, seq), nil
	}
	done, err := w.duplicate(ctx, seq)
	if err == nil {
		w.engine.remember(w.channel, w.p.ID, done.Position)
	}
	return done, err
}

// stored returns what to tell of rec, which is at seq now.
func (w *writing) stored(rec record.Record, seq uint64) surewire.Published {
	rec.Seq = seq
	w.engine.heads.Update(w.channel, func(known record.Head, ok bool) record.Head {
		if ok && known.Seq > seq {
			return known
		}
		return rec.AsHead()
	})
	at := surewire.Position{Epoch: w.engine.show(rec.Epoch), Offset: rec.Offset}
	w.engine.remember(w.channel, w.p.ID, at)
	return surewire.Published{Position: at}
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
	if err := e.config.Guard(); err != nil {
		return err
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
