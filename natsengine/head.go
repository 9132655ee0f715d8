package natsengine

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine/internal/record"
	"github.com/surewire/surewire/natsengine/internal/store"
)

// look returns the head of a channel, and its newest record: nil if there is
// none. What this engine has seen stored is never missing.
func (e *Engine) look(ctx context.Context, channel string, r store.Route) (record.Head, *record.Record, error) {
	return e.lookBy(ctx, channel, r, e.store.Last)
}

// lookSurely is look by the leader, whom replicas may lag behind.
func (e *Engine) lookSurely(ctx context.Context, channel string, r store.Route) (record.Head, *record.Record, error) {
	return e.lookBy(ctx, channel, r, e.store.Sure)
}

func (e *Engine) lookBy(ctx context.Context, channel string, r store.Route, read func(context.Context, store.Route) (*record.Record, error)) (record.Head, *record.Record, error) {
	if err := e.store.Ensure(ctx, r.Profile); err != nil {
		return record.Head{}, nil, err
	}
	known, _ := e.heads.Get(channel)
	rec, err := read(ctx, r)
	if err == nil && rec.Seq < known.Seq || errors.Is(err, store.ErrNone) && known.Seq > 0 {
		rec, err = e.store.Sure(ctx, r) // a replica may be behind; the leader is not
	}
	switch {
	case errors.Is(err, store.ErrNone):
		return e.emptyHead(channel, known), nil, nil
	case err != nil:
		return record.Head{}, nil, err
	}
	head, broken := e.learn(channel, rec, known)
	if broken {
		e.stats.broken.Add(1)
		e.config.Logger.Error("the store has lost the end of a channel: its readers are reset", "channel", channel)
		return e.begin(ctx, channel, r, head)
	}
	if head.Seq > rec.Seq && head.Epoch == rec.Epoch {
		head = rec.AsHead() // more was stored since: head and record belong together
	}
	return head, rec, nil
}

// emptyHead returns the head of a channel without a record. Its log goes on if
// it is remembered: what has expired keeps its positions. Else it begins anew.
// known is what was remembered before the store was asked.
func (e *Engine) emptyHead(channel string, known record.Head) record.Head {
	begin := e.feedHead(channel)
	if begin.Epoch == "" {
		begin.Epoch = rand.Text()[:12]
	}
	return e.heads.Update(channel, func(now record.Head, ok bool) record.Head {
		switch {
		case !ok:
			return begin
		case now != known:
			return now // it was stored since
		}
		now.Seq, now.Jump = 0, 0
		return now
	})
}

// feedHead returns how far those who listen have come; nothing if nobody does.
func (e *Engine) feedHead(channel string) (h record.Head) {
	if c := e.channels.find(e.route(channel).Live); c != nil {
		c.feed.With(func(at surewire.Position) {
			h.Epoch, h.Offset = strings.TrimSuffix(at.Epoch, e.suffix), at.Offset
		})
	}
	return h
}

// learn remembers what the store says, and returns it. known is what was
// remembered before the store was asked. A log that has got shorter since has
// lost what came after: offsets that were given out would be given out again. It
// gets a new epoch, so that whoever stood there is told.
func (e *Engine) learn(channel string, rec *record.Record, known record.Head) (head record.Head, broken bool) {
	epoch := rand.Text()[:12]
	head = e.heads.Update(channel, func(now record.Head, ok bool) record.Head {
		switch {
		case !ok || now.Seq < rec.Seq:
			return rec.AsHead()
		case now.Seq > rec.Seq && now == known:
			broken = true
			return record.Head{Epoch: epoch, Seq: rec.Seq}
		}
		return now
	})
	return head, broken
}

// begin stores that a log begins with head, so that all know its epoch. Where
// another was first, his holds.
func (e *Engine) begin(ctx context.Context, channel string, r store.Route, head record.Head) (record.Head, *record.Record, error) {
	head, mark, err := e.mark(ctx, channel, r, head)
	if errors.Is(err, store.ErrConflict) {
		return e.lookSurely(ctx, channel, r)
	}
	return head, mark, err
}

// mark stores, in place of the messages up to head, that the log goes on there,
// and returns the mark. It fails with [store.ErrConflict] where head is no longer
// the newest.
func (e *Engine) mark(ctx context.Context, channel string, r store.Route, head record.Head) (record.Head, *record.Record, error) {
	mark := record.Record{Head: record.Head{Epoch: head.Epoch, Offset: head.Offset}, Nonce: e.nonce(), Mark: true}
	seq, err := e.store.PutMark(ctx, r, mark, head.Seq)
	if err != nil {
		return record.Head{}, nil, err
	}
	mark.Seq = seq
	head, _ = e.learn(channel, &mark, record.Head{})
	return head, &mark, nil
}
