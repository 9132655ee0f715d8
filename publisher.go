package surewire

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire/surejson"
)

// DefaultMaxSize is the longest publication a [Publisher] lets through unless
// told otherwise, in bytes.
const DefaultMaxSize = 1 << 20

// A Publisher encodes values and publishes them to an [Engine]. Its methods may
// be called concurrently.
type Publisher struct {
	Engine  Engine           // required
	Encoder surejson.Encoder // its MaxSize is set by the Publisher's
	MaxSize int              // longest publication, in bytes; 0 means [DefaultMaxSize]
	Strict  bool             // a value that needs a repair is refused: for tests and staging

	// Prepare, if not nil, sees each publication before the engine does. It may
	// change all but Data; its error is what Publish returns, and nothing is
	// stored then. It may be called concurrently.
	Prepare func(ctx context.Context, channel string, p *Publication) error

	// Trace, if not nil, is called just before the engine is, and what it returns
	// once the engine has answered. The engine gets its context, and p as it left
	// it, of which it may set only Trace. It may be called concurrently.
	Trace func(ctx context.Context, channel string, p *Publication) (context.Context, func(error))

	Logger *slog.Logger // hears of each value with repairs; nil means [slog.Default]

	repaired repairs
	breaches atomic.Uint64
}

// UserTag is the tag of publications that are for one user: its value. A
// [Publisher] lets such a one go only to channels that nobody else can read, see
// [ChannelUsers].
const UserTag = "user"

// guard refuses what one user is to see and others could.
func (p *Publisher) guard(ctx context.Context, channel string, pub *Publication) error {
	user, stamped := pub.Tags[UserTag]
	if !stamped {
		return nil
	}
	users, limited := ChannelUsers(channel)
	if limited && !slices.ContainsFunc(users, func(u string) bool { return u != user }) {
		return nil
	}
	p.breaches.Add(1)
	p.logger().LogAttrs(ctx, slog.LevelError, "breach: a publication for one user was to go to others; it was refused",
		slog.String("channel", channel), slog.String("for", user))
	return fmt.Errorf("channel %q: %w: it has the tag %q, so publish it to a channel such as %q", channel, ErrBreach, UserTag, "inbox#"+user)
}

// Breaches returns how many publications for one user were to go where others
// could read them, and were refused.
func (p *Publisher) Breaches() uint64 { return p.breaches.Load() }

// repairs counts values with repairs, by reason.
type repairs struct {
	values  atomic.Uint64
	reasons [32]atomic.Uint64 // by surejson.Reason
}

func (r *repairs) add(report surejson.Report) {
	r.values.Add(1)
	for reason := range r.reasons {
		if report.Has(surejson.Reason(reason)) {
			r.reasons[reason].Add(1)
		}
	}
}

// Repaired returns how many values p had to repair, and how many of them for
// each reason: one value may have several.
func (p *Publisher) Repaired() (values uint64, reasons map[surejson.Reason]uint64) {
	reasons = make(map[surejson.Reason]uint64)
	for reason := range p.repaired.reasons {
		if n := p.repaired.reasons[reason].Load(); n > 0 {
			reasons[surejson.Reason(reason)] = n
		}
	}
	return p.repaired.values.Load(), reasons
}

// A Receipt proves a publication and tells what it cost the value.
type Receipt struct {
	Position  Position
	Duplicate bool            // the ID was known: nothing new was stored
	Report    surejson.Report // repairs made to the value
}

// A PublishOption alters one publication.
type PublishOption func(*Publication)

// WithID names the publication: a second one with the same ID is not stored.
func WithID(id string) PublishOption { return func(p *Publication) { p.ID = id } }

// WithTags sends tags beside the value. The map must not be modified afterwards.
func WithTags(tags map[string]string) PublishOption { return func(p *Publication) { p.Tags = tags } }

// WithTTL bounds how long history keeps the publication.
func WithTTL(d time.Duration) PublishOption { return func(p *Publication) { p.TTL = d } }

// Ephemeral sends the publication to those who are subscribed now, and stores
// nothing: a subscriber that lags misses it.
func Ephemeral() PublishOption { return func(p *Publication) { p.Ephemeral = true } }

// Publish encodes v, whatever it is, and publishes it to channel. v is encoded
// before Publish returns and not kept. It fails where the channel name is bad
// ([ErrChannel]), where the encoded value is longer than MaxSize
// ([ErrTooLarge]), where p is Strict and v needed a repair ([ErrRepaired]), where
// it is for one user and the channel is not ([ErrBreach]), and where the engine
// fails; never because of what v is. A Receipt that comes with an error holds the
// Report alone.
func (p *Publisher) Publish(ctx context.Context, channel string, v any, opts ...PublishOption) (Receipt, error) {
	pub, report, err := p.prepare(ctx, channel, v, opts)
	if err != nil {
		return Receipt{Report: report}, err
	}
	ctx, answered := p.trace(ctx, channel, &pub)
	done, err := p.Engine.Publish(ctx, channel, pub)
	answered(err)
	return Receipt{Position: done.Position, Duplicate: done.Duplicate, Report: report}, err
}

// PublishAsync is Publish that does not wait for the engine, where that is an
// [AsyncPublisher]: what one goroutine publishes to a channel keeps its order. done
// is called once, with what Publish would return, perhaps before PublishAsync
// returns, and must not block. Where PublishAsync fails, done is not called: it may
// be v that is refused, or the engine has [ErrBusy].
func (p *Publisher) PublishAsync(ctx context.Context, channel string, v any, done func(Receipt, error), opts ...PublishOption) error {
	pub, report, err := p.prepare(ctx, channel, v, opts)
	if err != nil {
		return err
	}
	ctx, answered := p.trace(ctx, channel, &pub)
	told := func(d Published, err error) {
		answered(err)
		done(Receipt{Position: d.Position, Duplicate: d.Duplicate, Report: report}, err)
	}
	engine, ok := p.Engine.(AsyncPublisher)
	if !ok {
		told(p.Engine.Publish(ctx, channel, pub))
		return nil
	}
	if err = engine.PublishAsync(ctx, channel, pub, told); err != nil {
		answered(err)
	}
	return err
}

// prepare returns what the engine is to publish. The Report comes with an error too.
func (p *Publisher) prepare(ctx context.Context, channel string, v any, opts []PublishOption) (Publication, surejson.Report, error) {
	if err := CheckChannel(channel); err != nil {
		return Publication{}, surejson.Report{}, err
	}
	data, report, err := p.Encode(ctx, channel, v)
	if err != nil {
		return Publication{}, report, fmt.Errorf("channel %q: %w", channel, err)
	}
	pub := Publication{Data: data}
	for _, o := range opts {
		o(&pub)
	}
	if p.Prepare != nil {
		if err := p.Prepare(ctx, channel, &pub); err != nil {
			return Publication{}, report, fmt.Errorf("channel %q: %w", channel, err)
		}
	}
	return pub, report, p.guard(ctx, channel, &pub)
}

// trace is Trace, if there is one.
func (p *Publisher) trace(ctx context.Context, channel string, pub *Publication) (context.Context, func(error)) {
	if p.Trace == nil {
		return ctx, func(error) {}
	}
	return p.Trace(ctx, channel, pub)
}

// Encode returns v as one JSON value, as Publish encodes it: within MaxSize, and
// with its repairs logged, counted and, where p is Strict, refused. where says
// what v is for, in the log: a channel, or "rpc". The bytes are the caller's.
func (p *Publisher) Encode(ctx context.Context, where string, v any) ([]byte, surejson.Report, error) {
	limit := p.MaxSize
	if limit <= 0 {
		limit = DefaultMaxSize
	}
	e := p.Encoder
	e.MaxSize = limit
	var buf []byte
	if raw, ok := v.(json.RawMessage); ok {
		buf = make([]byte, 0, len(raw)) // as long as it is, unless it needs repairs
	}
	data, report := e.Append(buf, v)
	if !report.Clean() {
		p.repaired.add(report)
	}
	switch {
	case len(data) > limit || report.Has(surejson.TooLarge):
		return nil, report, fmt.Errorf("%w: more than %d bytes of JSON", ErrTooLarge, limit)
	case report.Clean():
		return data, report, nil
	case p.Strict:
		return nil, report, fmt.Errorf("%w: %w", ErrRepaired, report.Err())
	}
	p.logger().LogAttrs(ctx, slog.LevelWarn, "value repaired",
		slog.String("for", where), slog.Int("repairs", report.Total), slog.String("detail", report.Err().Error()))
	return data, report, nil
}

func (p *Publisher) logger() *slog.Logger {
	if p.Logger != nil {
		return p.Logger
	}
	return slog.Default()
}
