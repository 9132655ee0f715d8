package surewire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/surejson"
)

// A recorder is an engine that remembers what it was given.
type recorder struct {
	surewire.Engine // for the methods a Publisher has no use for
	channel         string
	pub             surewire.Publication
	calls           int
	done            surewire.Published
	err             error
}

func (r *recorder) Publish(_ context.Context, channel string, p surewire.Publication) (surewire.Published, error) {
	r.channel, r.pub = channel, p
	r.calls++
	return r.done, r.err
}

// quiet drops what a Publisher has to say.
var quiet = slog.New(slog.DiscardHandler)

func TestPublishEncodes(t *testing.T) {
	engine := &recorder{done: surewire.Published{Position: surewire.Position{Epoch: "e", Offset: 7}, Duplicate: true}}
	p := &surewire.Publisher{Engine: engine, Logger: quiet}
	receipt, err := p.Publish(t.Context(), "chat:1", map[string]any{"load": math.NaN(), "text": "<é>"})
	if err != nil || engine.channel != "chat:1" || string(engine.pub.Data) != `{"load":null,"text":"<é>"}` {
		t.Errorf("%s, %v", engine.pub.Data, err)
	}
	if receipt.Position != engine.done.Position || !receipt.Duplicate || receipt.Report.Total != 1 || receipt.Report.Repairs[0].Pointer != "/load" {
		t.Errorf("%+v", receipt)
	}
}

func TestPublishHandsOnOptions(t *testing.T) {
	engine := &recorder{}
	p := &surewire.Publisher{Engine: engine}
	tags := map[string]string{"a": "b"}
	_, err := p.Publish(t.Context(), "c", 1, surewire.WithID("id"), surewire.WithTags(tags), surewire.WithTTL(time.Minute), surewire.Ephemeral())
	want := surewire.Publication{Data: []byte("1"), ID: "id", Tags: tags, TTL: time.Minute, Ephemeral: true}
	if err != nil || !reflect.DeepEqual(engine.pub, want) {
		t.Errorf("%+v, %v", engine.pub, err)
	}
}

func TestPublishFailures(t *testing.T) {
	// Each level doubles the leaves: 2^40 of them in little memory.
	var leaves any = "leaf"
	for range 40 {
		leaves = []any{leaves, leaves}
	}
	repairs := make([]any, surejson.DefaultMaxRepairs)
	for i := range repairs {
		repairs[i] = math.NaN()
	}
	busy := errors.New("engine fails")
	for _, c := range []struct {
		name    string
		p       *surewire.Publisher
		channel string
		value   any
		want    error
		repairs bool // the receipt has a report
	}{
		{"no channel", &surewire.Publisher{}, "", 1, surewire.ErrChannel, false},
		{"a space in the channel", &surewire.Publisher{}, "a b", 1, surewire.ErrChannel, false},
		{"a long channel", &surewire.Publisher{}, strings.Repeat("c", surewire.MaxChannelLength+1), 1, surewire.ErrChannel, false},
		{"a huge string", &surewire.Publisher{}, "c", strings.Repeat("x", surewire.DefaultMaxSize), surewire.ErrTooLarge, true},
		{"a huge string in a map", &surewire.Publisher{}, "c", map[string]any{"text": strings.Repeat("x", surewire.DefaultMaxSize)}, surewire.ErrTooLarge, true},
		{"one byte too many", &surewire.Publisher{MaxSize: 10}, "c", "123456789", surewire.ErrTooLarge, true},
		{"less room than null takes", &surewire.Publisher{MaxSize: 1}, "c", "x", surewire.ErrTooLarge, false},
		{"leaves without end", &surewire.Publisher{}, "c", leaves, surewire.ErrTooLarge, true},
		{"repairs fill the list first", &surewire.Publisher{}, "c", []any{repairs, strings.Repeat("x", surewire.DefaultMaxSize)}, surewire.ErrTooLarge, true},
		{"no repairs are listed", &surewire.Publisher{Encoder: surejson.Encoder{MaxRepairs: -1}}, "c", strings.Repeat("x", surewire.DefaultMaxSize), surewire.ErrTooLarge, true},
		{"too large and strict", &surewire.Publisher{Strict: true}, "c", leaves, surewire.ErrTooLarge, true},
		{"strict", &surewire.Publisher{Strict: true}, "c", []any{make(chan int)}, surewire.ErrRepaired, true},
		{"the engine", &surewire.Publisher{}, "c", math.NaN(), busy, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			engine := &recorder{err: busy}
			c.p.Engine, c.p.Logger = engine, quiet
			start := time.Now()
			receipt, err := c.p.Publish(t.Context(), c.channel, c.value)
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if engine.calls > 0 != (c.want == busy) {
				t.Errorf("the engine was called %d times", engine.calls)
			}
			if receipt.Report.Clean() == c.repairs || receipt.Position != (surewire.Position{}) {
				t.Errorf("%+v", receipt)
			}
		})
	}
}

func TestPublishRefusalListsRepairs(t *testing.T) {
	p := &surewire.Publisher{Engine: &recorder{}, Strict: true}
	_, err := p.Publish(t.Context(), "c", []any{1, make(chan int)})
	var repaired *surejson.RepairError
	if !errors.As(err, &repaired) || repaired.Report.Repairs[0].Pointer != "/1" || !strings.Contains(err.Error(), `channel "c"`) {
		t.Errorf("%v", err)
	}
}

func TestPublishToTheLimit(t *testing.T) {
	engine := &recorder{}
	p := &surewire.Publisher{Engine: engine, MaxSize: 10, Strict: true}
	if _, err := p.Publish(t.Context(), "c", "12345678"); err != nil || len(engine.pub.Data) != 10 {
		t.Errorf("%s, %v", engine.pub.Data, err)
	}
	p = &surewire.Publisher{Engine: engine, Encoder: surejson.Encoder{MaxSize: 4, Enums: surejson.EnumsAsNumbers}}
	if _, err := p.Publish(t.Context(), "c", []any{"longer than four", time.March}); err != nil || string(engine.pub.Data) != `["longer than four",3]` {
		t.Errorf("%s, %v", engine.pub.Data, err)
	}
}

func TestPublishLogsRepairs(t *testing.T) {
	var log bytes.Buffer
	p := &surewire.Publisher{Engine: &recorder{}, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	if p.Publish(t.Context(), "c", 1); log.Len() > 0 {
		t.Errorf("a clean value: %s", &log)
	}
	p.Publish(t.Context(), "c", map[string]any{"secret": make(chan int), "password": "hunter2"})
	if s := log.String(); strings.Count(s, "\n") != 1 || !strings.Contains(s, "for=c repairs=1") || strings.Contains(s, "hunter2") {
		t.Errorf("%s", s)
	}
}

func TestRepairedCountsValuesByReason(t *testing.T) {
	p := &surewire.Publisher{Engine: &recorder{}, Logger: quiet}
	for _, v := range []any{1, math.NaN(), []any{math.NaN(), make(chan int), math.Inf(1)}} {
		if _, err := p.Publish(t.Context(), "c", v); err != nil {
			t.Fatal(err)
		}
	}
	values, reasons := p.Repaired()
	want := map[surejson.Reason]uint64{surejson.NonFinite: 2, surejson.Unsupported: 1}
	if values != 2 || !reflect.DeepEqual(reasons, want) {
		t.Errorf("%d values, %v, want 2, %v", values, reasons, want)
	}
}

func TestPrepareSeesWhatIsPublished(t *testing.T) {
	engine := &recorder{}
	p := &surewire.Publisher{Engine: engine, Prepare: func(_ context.Context, channel string, p *surewire.Publication) error {
		if channel == "no" {
			return surewire.ErrInvalid
		}
		p.Ephemeral, p.TTL = true, time.Second
		return nil
	}}
	if _, err := p.Publish(t.Context(), "no", 1); !errors.Is(err, surewire.ErrInvalid) || engine.calls != 0 {
		t.Errorf("%v, %d calls", err, engine.calls)
	}
	if _, err := p.Publish(t.Context(), "c", 1); err != nil || !engine.pub.Ephemeral || engine.pub.TTL != time.Second {
		t.Errorf("%+v, %v", engine.pub, err)
	}
}

// A tracer is around the engine, and nothing else: what is refused before is not
// its own.
func TestTraceIsAroundTheEngine(t *testing.T) {
	type key struct{}
	var said []string
	engine := &recorder{err: surewire.ErrBusy}
	p := &surewire.Publisher{
		Engine: contextual{engine, func(ctx context.Context) { said = append(said, "engine "+ctx.Value(key{}).(string)) }},
		Prepare: func(_ context.Context, channel string, p *surewire.Publication) error {
			said = append(said, "prepare")
			if channel == "no" {
				return surewire.ErrInvalid
			}
			p.Ephemeral = true
			return nil
		},
		Trace: func(ctx context.Context, channel string, p *surewire.Publication) (context.Context, func(error)) {
			said = append(said, fmt.Sprint("begin ", channel, " ", p.Ephemeral))
			p.Trace = &surewire.Trace{Parent: "t"}
			return context.WithValue(ctx, key{}, "inside"), func(err error) { said = append(said, fmt.Sprint("end ", err)) }
		},
	}
	p.Publish(t.Context(), "no", 1)
	if _, err := p.Publish(t.Context(), "c", 1); err != surewire.ErrBusy {
		t.Errorf("Publish returned %v", err)
	}
	want := []string{"prepare", "prepare", "begin c true", "engine inside", "end " + surewire.ErrBusy.Error()}
	if !slices.Equal(said, want) || engine.pub.Trace == nil || engine.pub.Trace.Parent != "t" {
		t.Errorf("got %q, and the trace %v\nwant %q", said, engine.pub.Trace, want)
	}
}

// contextual tells of the contexts that its engine gets.
type contextual struct {
	surewire.Engine
	got func(context.Context)
}

func (c contextual) Publish(ctx context.Context, channel string, p surewire.Publication) (surewire.Published, error) {
	c.got(ctx)
	return c.Engine.Publish(ctx, channel, p)
}

// What is stamped for one user goes nowhere where another could read it.
// An asynchronous engine answers when it is told to.
type asynchronous struct {
	recorder
	told   []func(surewire.Published, error)
	refuse error
}

func (a *asynchronous) PublishAsync(ctx context.Context, channel string, p surewire.Publication, done func(surewire.Published, error)) error {
	a.Publish(ctx, channel, p)
	if a.refuse == nil {
		a.told = append(a.told, done)
	}
	return a.refuse
}

func TestPublishAsync(t *testing.T) {
	engine := &asynchronous{}
	var traced []error
	p := &surewire.Publisher{Engine: engine, Logger: quiet, Trace: func(ctx context.Context, _ string, _ *surewire.Publication) (context.Context, func(error)) {
		return ctx, func(err error) { traced = append(traced, err) }
	}}
	var receipts []surewire.Receipt
	var errs []error
	done := func(r surewire.Receipt, err error) { receipts, errs = append(receipts, r), append(errs, err) }
	for range 2 {
		if err := p.PublishAsync(t.Context(), "c", math.NaN(), done, surewire.WithID("id")); err != nil {
			t.Fatal(err)
		}
	}
	if string(engine.pub.Data) != "null" || engine.pub.ID != "id" || len(receipts)+len(traced) > 0 {
		t.Errorf("the engine has %+v, and before it answers there are %v, %v", engine.pub, receipts, traced)
	}
	fault := errors.New("the engine fails")
	engine.told[0](surewire.Published{Position: surewire.Position{Epoch: "e", Offset: 3}}, nil)
	engine.told[1](surewire.Published{}, fault)
	if len(receipts) != 2 || receipts[0].Position.Offset != 3 || receipts[0].Report.Total != 1 || receipts[1].Report.Total != 1 || !slices.Equal(errs, []error{nil, fault}) {
		t.Errorf("told was %+v, %v", receipts, errs)
	}

	// What fails at once is returned, and told to nobody.
	engine.refuse = surewire.ErrBusy
	for _, c := range []struct {
		channel string
		want    error
	}{{"c", surewire.ErrBusy}, {"a b", surewire.ErrChannel}} {
		if err := p.PublishAsync(t.Context(), c.channel, 1, done); !errors.Is(err, c.want) {
			t.Errorf("channel %q: %v, want %v", c.channel, err, c.want)
		}
	}
	if len(receipts) != 2 || !slices.Equal(traced, []error{nil, fault, surewire.ErrBusy}) {
		t.Errorf("told was %d times; of the traces %v", len(receipts), traced)
	}
}

// An engine that can only be waited for is waited for.
func TestPublishAsyncWhereNothingIs(t *testing.T) {
	engine := &recorder{done: surewire.Published{Position: surewire.Position{Offset: 7}}}
	p := &surewire.Publisher{Engine: engine}
	var got surewire.Receipt
	if err := p.PublishAsync(t.Context(), "c", 1, func(r surewire.Receipt, _ error) { got = r }); err != nil || got.Position.Offset != 7 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := p.PublishAsync(t.Context(), "a b", 1, func(surewire.Receipt, error) { t.Error("told of what is refused") }); !errors.Is(err, surewire.ErrChannel) {
		t.Error(err)
	}
}

func TestPublishForOneUser(t *testing.T) {
	for _, c := range []struct {
		channel, user string
		ok            bool
	}{
		{"inbox#42", "42", true}, {"chat:a#42", "42", true}, {"inbox#42,42", "42", true},
		{"inbox#43", "42", false}, {"inbox#42,43", "42", false}, {"inbox", "42", false}, {"chat:42", "42", false}, {"inbox#4", "42", false}, {"inbox#42", "", false},
	} {
		engine := &recorder{}
		p := &surewire.Publisher{Engine: engine, Logger: quiet}
		_, err := p.Publish(t.Context(), c.channel, 1, surewire.WithTags(map[string]string{surewire.UserTag: c.user}))
		if c.ok != (err == nil) || !c.ok && !errors.Is(err, surewire.ErrBreach) {
			t.Errorf("for %q to %s: %v", c.user, c.channel, err)
		}
		if breaches := p.Breaches(); (breaches == 1) == c.ok || (engine.calls == 1) != c.ok {
			t.Errorf("for %q to %s: %d breaches, %d publications stored", c.user, c.channel, breaches, engine.calls)
		}
	}
}
