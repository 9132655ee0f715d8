package enginetest

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/surewire/surewire"
)

// Bounds are what a test asks of the engine it gets. Zero fields mean the
// engine's defaults, which must keep at least 100 messages.
type Bounds struct {
	Retention surewire.Retention // of every channel
	MaxSize   int                // longest Data of a publication, in bytes
}

// RunBounded tests what engines keep, and what they refuse. open returns a
// fresh engine with the bounds; RunBounded closes it.
func RunBounded(t *testing.T, open func(t *testing.T, b Bounds) surewire.Engine) {
	run(t, boundedCases, func(k *kit) surewire.Engine { return open(k.T, k.bounds) })
}

var boundedCases = []contractCase{
	{name: "Size", run: testSize, bounds: Bounds{Retention: surewire.Retention{Size: 3}},
		promise: "the newest messages are kept, as many as the channel's size; from before them history is not complete"},
	{name: "TTL", run: testTTL, bounds: Bounds{Retention: surewire.Retention{TTL: ttl}},
		promise: "messages are kept for the channel's TTL; no position ever names two messages"},
	{name: "IDs", run: testIDs, bounds: Bounds{Retention: surewire.Retention{Size: 2}},
		promise: "an ID is known for some time after its message is no longer kept"},
	{name: "Oversize", run: testOversize, bounds: Bounds{MaxSize: 100},
		promise: "data longer than the limit is refused with ErrTooLarge, and nothing is stored or delivered"},
}

func testSize(k *kit) {
	for i := range 5 {
		k.publish("c", number(i+1))
	}
	checkNewest(k)
}

// checkNewest wants three of five messages.
func checkNewest(k *kit) {
	k.Helper()
	for after, want := range []struct {
		complete bool
		data     string
	}{{false, "[3 4 5]"}, {false, "[3 4 5]"}, {true, "[3 4 5]"}, {true, "[4 5]"}, {true, "[5]"}, {true, "[]"}} {
		h := k.history("c", surewire.Position{Offset: uint64(after)}, 100)
		wantEqual(k, fmt.Sprintf("history after %d", after), datas(h.Messages), want.data)
		wantEqual(k, fmt.Sprintf("history after %d complete", after), h.Complete, want.complete)
	}
}

func testTTL(k *kit) {
	k.publish("c", number(1))
	last := k.publish("c", number(2)).Position
	waitExpired(k)
	checkAnew(k, last)
}

// waitExpired waits until nothing of channel c is kept.
func waitExpired(k *kit) {
	k.Helper()
	k.eventually("expiry of a channel", func() bool {
		return len(k.history("c", surewire.Position{}, 10).Messages) == 0
	})
}

// checkAnew looks at a channel whose messages up to last have all expired. It
// may go on, or begin anew; nobody is told that he has all if he has not.
func checkAnew(k *kit, last surewire.Position) {
	k.Helper()
	before := surewire.Position{Epoch: last.Epoch, Offset: last.Offset - 1}
	wantEqual(k, "complete before the last that expired", k.history("c", before, 10).Complete, false)
	next := k.publish("c", number(3)).Position
	if next.Epoch == last.Epoch && next.Offset != last.Offset+1 || next.Epoch != last.Epoch && next.Offset != 1 {
		k.Errorf("after %v, which has expired, comes %v", last, next)
	}
	wantEqual(k, "complete before the last that expired", k.history("c", before, 10).Complete, false)
	wantEqual(k, "complete from the last that expired", k.history("c", last, 10).Complete, next.Epoch == last.Epoch)
}

func testIDs(k *kit) {
	first := k.publish("c", surewire.Publication{Data: []byte("1"), ID: "one"}).Position
	for i := range 5 {
		k.publish("c", number(i))
	}
	again := k.publish("c", surewire.Publication{Data: []byte("1"), ID: "one"})
	wantEqual(k, "the same ID later", again, surewire.Published{Position: first, Duplicate: true})
}

func testOversize(k *kit) {
	r, _, cancel := k.subscribe("c")
	defer cancel()
	data := func(n int) []byte { return bytes.Repeat([]byte("7"), n) }
	for _, p := range []surewire.Publication{{Data: data(101)}, {Data: data(5000), Ephemeral: true}, {Data: data(101), ID: "one"}} {
		_, err := k.Publish(k.ctx, "c", p)
		wantErr(k, "Publish", err, surewire.ErrTooLarge)
	}
	fits := k.publish("c", surewire.Publication{Data: data(100), ID: "one"})
	wantEqual(k, "what fits is a duplicate", fits.Duplicate, false)
	wantEqual(k, "what came", len(r.wait(k, 1)), 1)
	wantEqual(k, "the head", k.history("c", surewire.Position{}, 10).Head.Offset, 1)
}
