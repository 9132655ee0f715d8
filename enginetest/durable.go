package enginetest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/surewire/surewire"
)

// RunDurable tests engines that keep their channels in a folder. open returns
// an engine on dir, with the bounds: a fresh one where dir is empty, else the
// one that was closed there. RunDurable closes them, and tests nothing that
// [Run] and [RunBounded] do.
func RunDurable(t *testing.T, open func(t *testing.T, dir string, b Bounds) surewire.Engine) {
	run(t, durableCases, func(k *kit) surewire.Engine {
		dir := k.TempDir()
		k.open = func() surewire.Engine { return open(k.T, dir, k.bounds) }
		return k.open()
	})
}

var durableCases = []contractCase{
	{name: "Restart", run: testRestart,
		promise: "epochs, offsets and messages are those of before"},
	{name: "RestartOften", run: testRestartOften,
		promise: "offsets stay contiguous through many restarts"},
	{name: "RestartResume", run: testRestartResume,
		promise: "who comes back with a position gets what he missed, and then what is new"},
	{name: "RestartIDs", run: testRestartIDs,
		promise: "IDs are known as before"},
	{name: "RestartEphemeral", run: testRestartEphemeral,
		promise: "what was ephemeral is not kept, and took no offset"},
	{name: "RestartRemoved", run: testRestartRemoved,
		promise: "what was removed stays removed; no position ever names two messages"},
	{name: "RestartSize", run: testRestartSize, bounds: Bounds{Retention: surewire.Retention{Size: 3}},
		promise: "the newest messages are kept, as many as the channel's size"},
	{name: "RestartExpired", run: testRestartExpired, bounds: Bounds{Retention: surewire.Retention{TTL: ttl}},
		promise: "messages expire while the engine is closed too; no position ever names two messages"},
	{name: "RestartOversize", run: testRestartOversize, bounds: Bounds{MaxSize: 100},
		promise: "what was refused left nothing"},
	{name: "RestartUnknown", run: testRestartUnknown,
		promise: "after an outcome that is not known, a retry with the same ID leads to one message"},
}

// restart closes the engine and opens its folder again.
func (k *kit) restart() {
	k.Helper()
	if err := k.Engine.Close(k.ctx); err != nil {
		k.Fatalf("Close: %v", err)
	}
	k.Engine = k.open()
}

func testRestart(k *kit) {
	p := surewire.Publication{
		Data: []byte(`{"text":"ü"}`), ID: "x-1", Tags: map[string]string{"user": "42"},
		Info: &surewire.ClientInfo{Client: "c-1", User: "42", Conn: []byte(`1`), Chan: []byte(`2`)},
	}
	k.publish("c", p)
	for i := range 9 {
		k.publish("c", number(i))
		k.publish("other", number(i))
	}
	before := k.history("c", surewire.Position{}, 100)
	k.restart()
	after := k.history("c", surewire.Position{Epoch: before.Head.Epoch}, 100)
	wantEqual(k, "the head", after.Head, before.Head)
	wantEqual(k, "complete", after.Complete, true)
	wantEqual(k, "the messages", datas(after.Messages), datas(before.Messages))
	checkRun(k, after.Messages, before.Head.Epoch, 1)
	if len(after.Messages) > 0 {
		m := after.Messages[0]
		wantEqual(k, "the ID", m.ID, p.ID)
		wantEqual(k, "the tags", m.Tags, p.Tags)
		wantInfo(k, "before", m.Info, p.Info)
		if d := m.Time.Sub(before.Messages[0].Time).Abs(); d > time.Millisecond {
			k.Errorf("the time differs by %v", d)
		}
	}
	next := k.publish("c", number(9)).Position
	wantEqual(k, "the next position", next, surewire.Position{Epoch: before.Head.Epoch, Offset: 11})
	wantEqual(k, "the other channel's next offset", k.publish("other", number(9)).Position.Offset, 10)
}

func testRestartOften(k *kit) {
	const rounds, each = 6, 5
	var epoch string
	for range rounds {
		for i := range each {
			epoch = k.publish("c", number(i)).Position.Epoch
		}
		k.restart()
	}
	h := k.history("c", surewire.Position{Epoch: epoch}, 100)
	wantEqual(k, "complete", h.Complete, true)
	wantEqual(k, "the number of messages", len(h.Messages), rounds*each)
	checkRun(k, h.Messages, epoch, 1)
}

func testRestartResume(k *kit) {
	r, _, cancel := k.subscribe("c")
	var at surewire.Position
	for i := range 10 {
		if done := k.publish("c", number(i)); i == 6 {
			at = done.Position
		}
	}
	r.wait(k, 10)
	k.restart()
	cancel() // of a subscription that has ended
	two, head, cancelTwo := k.subscribe("c")
	defer cancelTwo()
	wantEqual(k, "the head", head, surewire.Position{Epoch: at.Epoch, Offset: 10})
	missed := k.history("c", at, 100)
	wantEqual(k, "complete", missed.Complete, true)
	wantEqual(k, "what was missed", datas(missed.Messages), "[7 8 9]")
	k.publish("c", number(10))
	got := two.wait(k, 1)
	wantEqual(k, "what is new", datas(got), "[10]")
	checkRun(k, got, at.Epoch, 11)
	wantEqual(k, "what the old subscription got", len(r.got(k)), 10)
}

func testRestartIDs(k *kit) {
	var first [5]surewire.Position
	publish := func(i int) surewire.Published {
		return k.publish("c", surewire.Publication{Data: []byte("1"), ID: fmt.Sprint("id-", i)})
	}
	for i := range first {
		first[i] = publish(i).Position
	}
	k.restart()
	for i := range first {
		wantEqual(k, "the same ID after a restart", publish(i), surewire.Published{Position: first[i], Duplicate: true})
	}
	wantEqual(k, "another ID a duplicate", publish(len(first)).Duplicate, false)
}

func testRestartEphemeral(k *kit) {
	k.publish("c", number(1))
	k.publish("c", surewire.Publication{Data: []byte("2"), Ephemeral: true})
	k.publish("c", surewire.Publication{Kind: surewire.KindJoin, Ephemeral: true})
	head := k.publish("c", number(3)).Position
	k.publish("c", surewire.Publication{Data: []byte("4"), Ephemeral: true})
	k.restart()
	h := k.history("c", surewire.Position{Epoch: head.Epoch}, 10)
	wantEqual(k, "the head", h.Head, head)
	wantEqual(k, "what is kept", datas(h.Messages), "[1 3]")
}

func testRestartRemoved(k *kit) {
	remover, ok := k.Engine.(surewire.HistoryRemover)
	if !ok {
		k.Skip("the engine is no HistoryRemover")
	}
	k.publish("c", number(1))
	head := k.publish("c", number(2)).Position
	if err := remover.RemoveHistory(k.ctx, "c"); err != nil {
		k.Fatalf("RemoveHistory: %v", err)
	}
	k.restart()
	wantEqual(k, "what is left", datas(k.history("c", surewire.Position{}, 10).Messages), "[]")
	checkAnew(k, head)
}

func testRestartSize(k *kit) {
	for i := range 5 {
		k.publish("c", number(i+1))
	}
	k.restart()
	checkNewest(k)
	k.publish("c", number(6))
	wantEqual(k, "history", datas(k.history("c", surewire.Position{}, 10).Messages), "[4 5 6]")
}

func testRestartExpired(k *kit) {
	k.publish("c", number(1))
	last := k.publish("c", number(2)).Position
	k.restart()
	waitExpired(k)
	k.restart()
	checkAnew(k, last)
}

func testRestartOversize(k *kit) {
	head := k.publish("c", number(1)).Position
	_, err := k.Publish(k.ctx, "c", surewire.Publication{Data: bytes.Repeat([]byte("7"), 101)})
	wantErr(k, "Publish", err, surewire.ErrTooLarge)
	k.restart()
	wantEqual(k, "the head", k.history("c", surewire.Position{}, 10).Head, head)
	wantEqual(k, "the next offset", k.publish("c", number(2)).Position.Offset, 2)
}

// testRestartUnknown brings publishers into doubt, by contexts that end and an
// engine that is closed under them, and then has them all retry.
func testRestartUnknown(k *kit) {
	const writers, each = 4, 20
	publication := func(w, i int) surewire.Publication {
		p := number(w*each + i)
		p.ID = fmt.Sprintf("id-%d-%d", w, i)
		return p
	}
	var told [writers][each]surewire.Position // zero: in doubt
	tries := make(chan struct{}, writers*each)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				ctx, cancel := context.WithTimeout(k.ctx, time.Duration(rand.IntN(2000))*time.Microsecond)
				if done, err := k.Publish(ctx, "c", publication(w, i)); err == nil {
					told[w][i] = done.Position
				}
				cancel()
				tries <- struct{}{}
			}
		})
	}
	for range writers * each / 2 {
		<-tries
	}
	if err := k.Engine.Close(k.ctx); err != nil {
		k.Errorf("Close: %v", err)
	}
	wg.Wait()
	k.Engine = k.open()
	for w := range writers {
		for i, first := range told[w] {
			again := k.publish("c", publication(w, i))
			if first.Offset > 0 {
				wantEqual(k, "a retry of what was stored", again, surewire.Published{Position: first, Duplicate: true})
			}
		}
	}
	h := k.history("c", surewire.Position{}, 1000)
	wantEqual(k, "the number of messages", len(h.Messages), writers*each)
	checkRun(k, h.Messages, h.Head.Epoch, 1)
	checkOnce(k, h.Messages)
}
