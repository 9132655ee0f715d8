// Package walk reads a stretch of a channel's log out of a stream that keeps many.
package walk

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/surewire/surewire/natsengine/internal/record"
	"github.com/surewire/surewire/natsengine/internal/store"
)

// A Walk reads a stretch of a log. Short ones go from record to record, by the
// chain; long ones by the links between every 64th, and then forward, in bulk. A
// read of a channel from the start of its stream would look at all the others'.
type Walk struct {
	Store *store.Store
	Route store.Route
	Head  record.Head // of the log
	Now   time.Time
}

// shortWalk is up to how many records are read one by one.
const shortWalk = 16

// longWalk is up to how many are, where some are missing in bulk.
const longWalk = 4096

// Read returns up to limit records from the offset on, oldest first; and whether
// all of them are there. newest is the record of the head; nil if it has none.
func (w *Walk) Read(ctx context.Context, newest *record.Record, from uint64, limit int) (found []*record.Record, whole bool, err error) {
	if newest == nil || !w.belongs(newest) || newest.Mark {
		return nil, false, nil
	}
	base := newest
	if w.Head.Offset-from >= shortWalk {
		if base, err = w.descend(ctx, newest, from); err != nil {
			return nil, false, err
		}
	}
	var before []*record.Record
	if base.Offset > from {
		if before, err = w.back(ctx, base, from); err != nil {
			return nil, false, err
		}
	}
	want := int(min(uint64(limit), w.Head.Offset-from+1))
	last := from + uint64(want) - 1
	if len(before) > 0 && before[0].Offset > from { // the oldest is younger: as many from there
		last = min(before[0].Offset+uint64(want)-1, w.Head.Offset)
	}
	found = before
	if base == newest {
		found = append(found, newest)
	} else if len(before) < want {
		rest, err := w.forward(ctx, base, last)
		if err == nil && uint64(len(rest)) <= last-base.Offset && w.Head.Offset-from < longWalk {
			// There is a hole, or a replica lags: then the chain has what is missing.
			var chain []*record.Record
			if chain, err = w.back(ctx, newest, base.Offset); uint64(len(chain)) == newest.Offset-base.Offset {
				rest = append(chain, newest)
			}
		}
		if err != nil {
			return nil, false, err
		}
		found = append(found, rest...)
	}
	found, whole = w.choose(found, from, last)
	return found[:min(len(found), limit)], whole, nil
}

// belongs reports whether rec is of this life of the log.
func (w *Walk) belongs(rec *record.Record) bool { return rec.Epoch == w.Head.Epoch }

// kept reports whether rec is shown still.
func (w *Walk) kept(rec *record.Record) bool {
	ttl := w.Route.Profile.TTL
	if own := rec.M.TTL; own > 0 {
		ttl = min(ttl, own)
	}
	return w.Now.Sub(rec.M.Time) < ttl
}

// load returns the record at seq, or nil if it is not there, or of another life.
func (w *Walk) load(ctx context.Context, seq uint64) (*record.Record, error) {
	if seq == 0 {
		return nil, nil
	}
	rec, err := w.Store.At(ctx, w.Route, seq)
	if errors.Is(err, store.ErrNone) || errors.Is(err, record.ErrForeign) || err == nil && !w.belongs(rec) {
		return nil, nil
	}
	return rec, err
}

// descend follows the links down to the first that is not after the offset, or
// else the last that is there.
func (w *Walk) descend(ctx context.Context, at *record.Record, from uint64) (*record.Record, error) {
	for at.Offset > from && at.Jump != 0 {
		next, err := w.load(ctx, at.Jump)
		if err != nil {
			return nil, err
		}
		if next == nil || next.Mark || next.Offset >= at.Offset {
			break
		}
		at = next
	}
	return at, nil
}

// back returns the records before at, down to the offset, or to where the chain
// ends: oldest first.
func (w *Walk) back(ctx context.Context, at *record.Record, from uint64) (found []*record.Record, err error) {
	for at.Offset > from {
		before, err := w.load(ctx, at.Prev)
		if err != nil {
			return nil, err
		}
		if before == nil || before.Mark || before.Offset != at.Offset-1 {
			break
		}
		found = append(found, before)
		at = before
	}
	slices.Reverse(found)
	return found, nil
}

// forward returns the records from at to the offset last.
func (w *Walk) forward(ctx context.Context, at *record.Record, last uint64) (found []*record.Record, err error) {
	seq := at.Seq
	for {
		some, err := w.Store.From(ctx, w.Route, seq, int(last-at.Offset)+1)
		if err != nil {
			return nil, err
		}
		for _, rec := range some {
			if w.belongs(rec) && !rec.Mark && rec.Offset <= last {
				found = append(found, rec)
			}
			seq, at = rec.Seq+1, rec
		}
		if len(some) == 0 || at.Offset >= last {
			return found, nil
		}
	}
}

// choose leaves out what is before the offset, and what is no longer shown. It
// reports whether all from there to last is left.
func (w *Walk) choose(found []*record.Record, from, last uint64) (kept []*record.Record, whole bool) {
	expect, whole := from, true
	for _, rec := range found {
		if rec.Offset < from {
			continue
		}
		whole = whole && rec.Offset == expect
		expect = rec.Offset + 1
		if !w.kept(rec) {
			whole = false
			continue
		}
		kept = append(kept, rec)
	}
	return kept, whole && expect > last
}
