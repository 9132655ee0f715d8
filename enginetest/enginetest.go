// Package enginetest holds the tests that each [surewire.Engine] must pass:
// they are the engine contract, as a program.
//
//	func TestEngine(t *testing.T) {
//		enginetest.Run(t, func(t *testing.T) surewire.Engine { return myengine.New() })
//	}
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
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			k := &kit{T: t, Engine: open(t), ctx: t.Context()}
			defer k.Engine.Close(context.Background())
			c.run(k)
			if t.Failed() {
				t.Logf("The contract: %s.", c.promise)
			}
		})
	}
}

// A contractCase is one promise of the contract and the test of it.
type contractCase struct {
	name    string
	promise string
	run     func(k *kit)
}

var cases = []contractCase{
	{"Offsets", "offsets are contiguous from 1 within an epoch, and each channel has its own", testOffsets},
	{"ConcurrentPublish", "concurrent publications get one order, which history and subscriptions share", testConcurrentPublish},
	{"Subscribe", "a subscription gets everything after the head it was told, without gaps or doubles", testSubscribe},
	{"SubscribeWhilePublishing", "that holds too while others publish", testSubscribeWhilePublishing},
	{"Cancel", "after cancel, nothing that is published later is delivered", testCancel},
	{"History", "history returns what is after a position, oldest first, up to the limit", testHistory},
	{"HistoryEpoch", "a position of another epoch, or past the head, is not complete", testHistoryEpoch},
	{"Duplicate", "an ID that is known returns the first position and stores nothing", testDuplicate},
	{"Ephemeral", "an ephemeral publication is delivered in order, without an offset, and not kept", testEphemeral},
	{"Content", "data, tags and ID arrive as they were published, with a time", testContent},
	{"BadChannel", "a name that cannot name a channel is refused with ErrChannel", testBadChannel},
	{"Canceled", "a context that is done is refused with its error", testCanceled},
	{"Close", "after Close every method returns ErrClosed", testClose},
}

// A kit is what a case works with.
type kit struct {
	*testing.T
	surewire.Engine
	ctx context.Context
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
	r := &recorder{wake: make(chan struct{}, 1)}
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

// A recorder is a sink that keeps what it gets.
type recorder struct {
	wake chan struct{}

	// mu guards the following.
	mu       sync.Mutex
	messages []*surewire.Message
	lost     int
}

func (r *recorder) Deliver(_ string, m *surewire.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
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

// wait returns the first n messages, once they are there.
func (r *recorder) wait(k *kit, n int) []*surewire.Message {
	k.Helper()
	timeout := time.After(10 * time.Second)
	for {
		r.mu.Lock()
		got := slices.Clone(r.messages)
		r.mu.Unlock()
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
