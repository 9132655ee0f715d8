// Package enginetest holds the tests that each [surewire.Engine] must pass:
// they are the engine contract, as a program.
//
//	func TestEngine(t *testing.T) {
//		enginetest.Run(t, func(t *testing.T) surewire.Engine { return myengine.New() })
//	}
//
// [Run] is for every engine, [RunBounded] for one whose bounds can be set, and
// [RunDurable] for one that outlives its process. The optional contracts,
// [surewire.AsyncPublisher], [surewire.HealthChecker] and
// [surewire.HistoryRemover], are tested where an engine has them. Expiry is waited for in real time, a second at a time.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/surewire/surewire"
)

// Run tests the engines that open returns, a fresh one for each subtest. Run
// closes them. An engine must keep at least 100 messages of a channel.
func Run(t *testing.T, open func(t *testing.T) surewire.Engine) {
	run(t, cases, func(k *kit) surewire.Engine { return open(k.T) })
}

// run runs each case on an engine of its own.
func run(t *testing.T, cases []contractCase, open func(k *kit) surewire.Engine) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			k := &kit{T: t, ctx: t.Context(), bounds: c.bounds}
			k.Engine = open(k)
			defer func() { k.Engine.Close(context.Background()) }()
			defer func() {
				if t.Failed() {
					t.Logf("The contract: %s.", c.promise)
				}
			}()
			c.run(k)
		})
	}
}

// A contractCase is one promise of the contract and the test of it.
type contractCase struct {
	name    string
	promise string
	run     func(k *kit)
	bounds  Bounds // of the engine the case needs
}

var cases = []contractCase{
	{name: "Offsets", run: testOffsets, promise: "offsets are contiguous from 1 within an epoch, and each channel has its own"},
	{name: "ManyChannels", run: testManyChannels, promise: "each channel has its own order, also where many are published to at once"},
	{name: "ConcurrentPublish", run: testConcurrentPublish, promise: "concurrent publications get one order, which history and subscriptions share"},
	{name: "Subscribe", run: testSubscribe, promise: "a subscription gets everything after the head it was told, without gaps or doubles"},
	{name: "SubscribeWhilePublishing", run: testSubscribeWhilePublishing, promise: "that holds too while others publish"},
	{name: "SubscribeStorm", run: testSubscribeStorm, promise: "that holds too while subscriptions come and go, and what has gone gets nothing more"},
	{name: "OneAtATime", run: testOneAtATime, promise: "a subscription's sink is called by one at a time"},
	{name: "Cancel", run: testCancel, promise: "after cancel, nothing that is published later is delivered"},
	{name: "History", run: testHistory, promise: "history returns what is after a position, oldest first, up to the limit"},
	{name: "HistoryPages", run: testHistoryPages, promise: "history read page by page is the whole log, and no limit is too large"},
	{name: "HistoryEpoch", run: testHistoryEpoch, promise: "a position of another epoch, or past the head, is not complete"},
	{name: "MessageTTL", run: testMessageTTL, promise: "history leaves out what outlived its TTL, and is not complete then; the head stays"},
	{name: "Duplicate", run: testDuplicate, promise: "an ID that is known returns the first position and stores nothing"},
	{name: "ConcurrentDuplicates", run: testConcurrentDuplicates, promise: "of concurrent publications with one ID one is stored, and all are told where"},
	{name: "Ephemeral", run: testEphemeral, promise: "an ephemeral publication is delivered in order, without an offset, and not kept"},
	{name: "EphemeralOrder", run: testEphemeralOrder, promise: "ephemeral publications, joins and leaves too, keep their place among those that are stored"},
	{name: "Content", run: testContent, promise: "data, tags, ID and publisher arrive as they were published, with a time; a trace need not be kept in history"},
	{name: "BadChannel", run: testBadChannel, promise: "a name that cannot name a channel is refused with ErrChannel"},
	{name: "Canceled", run: testCanceled, promise: "a context that is done is refused with its error"},
	{name: "Close", run: testClose, promise: "after Close every method returns ErrClosed"},
	{name: "CloseWhilePublishing", run: testCloseWhilePublishing, promise: "publishers whom Close overtakes get ErrClosed, or ErrUnknown if it may have been stored"},
	{name: "PublishAsync", run: testPublishAsync, promise: "what one goroutine publishes to a channel without waiting keeps its order, and each outcome is told once"},
	{name: "Healthy", run: testHealthy, promise: "an engine is healthy until it is closed"},
	{name: "RemoveHistory", run: testRemoveHistory, promise: "removal forgets the messages of one channel; epoch, head and subscriptions go on"},
}

// A kit is what a case works with.
type kit struct {
	*testing.T
	surewire.Engine
	ctx    context.Context
	bounds Bounds // of Engine
	open   func() surewire.Engine
}

func (k *kit) publish(channel string, p surewire.Publication) surewire.Published {
	k.Helper()
	done, err := k.Publish(k.ctx, channel, p)
	if err != nil {
		k.Fatalf("Publish(%q): %v", channel, err)
	}
	return done
}

func (k *kit) history(channel string, after surewire.Position, limit int) surewire.History {
	k.Helper()
	h, err := k.History(k.ctx, channel, after, limit)
	if err != nil {
		k.Fatalf("History(%q, %v, %d): %v", channel, after, limit, err)
	}
	return h
}

func (k *kit) subscribe(channel string) (*recorder, surewire.Position, func()) {
	k.Helper()
	r := &recorder{channel: channel, wake: make(chan struct{}, 1)}
	head, cancel, err := k.Subscribe(k.ctx, channel, r)
	if err != nil {
		k.Fatalf("Subscribe(%q): %v", channel, err)
	}
	return r, head, cancel
}

// number is a publication whose data is n.
func number(n int) surewire.Publication {
	return surewire.Publication{Data: strconv.AppendInt(nil, int64(n), 10)}
}

// waitFor is how long something that must happen may take.
var waitFor = 10 * time.Second

// eventually waits until done.
func (k *kit) eventually(what string, done func() bool) {
	k.Helper()
	for deadline := time.Now().Add(waitFor); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			k.Fatalf("%s: not within %v", what, waitFor)
		}
	}
}

// A recorder is a sink that keeps what it gets.
type recorder struct {
	channel string
	wake    chan struct{}

	// mu guards the following.
	mu       sync.Mutex
	messages []*surewire.Message
	lost     int
	astray   string // a channel that it was not subscribed to
}

func (r *recorder) Deliver(channel string, m *surewire.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if channel != r.channel {
		r.astray = channel
	}
	r.messages = append(r.messages, m)
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *recorder) Lost(string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost++
}

// got returns what has come until now.
func (r *recorder) got(k *kit) []*surewire.Message {
	k.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.astray != "" {
		k.Errorf("a subscription of %q got a message of %q", r.channel, r.astray)
	}
	return slices.Clone(r.messages)
}

// wait returns what has come, once it is n messages.
func (r *recorder) wait(k *kit, n int) []*surewire.Message {
	k.Helper()
	timeout := time.After(waitFor)
	for {
		got := r.got(k)
		if len(got) >= n {
			return got
		}
		select {
		case <-r.wake:
		case <-timeout:
			k.Fatalf("%d of %d messages were delivered", len(got), n)
		}
	}
}

// checkRun fails unless messages have the offsets from, from+1, …
func checkRun(k *kit, messages []*surewire.Message, epoch string, from uint64) {
	k.Helper()
	for i, m := range messages {
		if want := (surewire.Position{Epoch: epoch, Offset: from + uint64(i)}); m.Position != want {
			k.Fatalf("message %d is at %v, want %v", i, m.Position, want)
		}
	}
}

func datas(messages []*surewire.Message) []string {
	var out []string
	for _, m := range messages {
		out = append(out, string(m.Data))
	}
	return out
}

func wantErr(k *kit, what string, err, want error) {
	k.Helper()
	if !errors.Is(err, want) {
		k.Errorf("%s returned %v, want %v", what, err, want)
	}
}

func wantEqual(k *kit, what string, got, want any) {
	k.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		k.Errorf("%s is %s, want %s", what, g, w)
	}
}
