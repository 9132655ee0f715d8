package enginetest

import (
	"context"
	"time"

	"github.com/surewire/surewire"
)

// ttl is as short as an engine must be able to tell: some count in seconds.
const ttl = time.Second

func testMessageTTL(k *kit) {
	began := time.Now()
	k.publish("c", number(1))
	short := number(2)
	short.TTL = ttl
	k.publish("c", short)
	head := k.publish("c", number(3)).Position
	if h := k.history("c", surewire.Position{}, 10); time.Since(began) < ttl/2 {
		wantEqual(k, "history before", datas(h.Messages), "[1 2 3]")
		wantEqual(k, "complete before", h.Complete, true)
	}
	k.eventually("expiry of a message", func() bool {
		return len(k.history("c", surewire.Position{Offset: 1}, 10).Messages) == 1
	})
	for _, c := range []struct {
		after    uint64
		want     string
		complete bool
	}{{1, "[3]", false}, {2, "[3]", true}, {3, "[]", true}} {
		h := k.history("c", surewire.Position{Epoch: head.Epoch, Offset: c.after}, 10)
		wantEqual(k, "history after expiry", datas(h.Messages), c.want)
		wantEqual(k, "complete after expiry", h.Complete, c.complete)
		wantEqual(k, "the head after expiry", h.Head, head)
	}
	wantEqual(k, "history from the start complete", k.history("c", surewire.Position{}, 10).Complete, false)
	wantEqual(k, "the next position", k.publish("c", number(4)).Position, surewire.Position{Epoch: head.Epoch, Offset: 4})
}

func testHealthy(k *kit) {
	checker, ok := k.Engine.(surewire.HealthChecker)
	if !ok {
		k.Skip("the engine is no HealthChecker")
	}
	if err := checker.Healthy(k.ctx); err != nil {
		k.Errorf("Healthy: %v", err)
	}
	if err := k.Engine.Close(k.ctx); err != nil {
		k.Fatalf("Close: %v", err)
	}
	wantErr(k, "Healthy", checker.Healthy(k.ctx), surewire.ErrClosed)
}

func testRemoveHistory(k *kit) {
	remover, ok := k.Engine.(surewire.HistoryRemover)
	if !ok {
		k.Skip("the engine is no HistoryRemover")
	}
	remove := func(channel string) {
		k.Helper()
		if err := remover.RemoveHistory(k.ctx, channel); err != nil {
			k.Errorf("RemoveHistory(%q): %v", channel, err)
		}
	}
	remove("never-used")
	var head surewire.Position
	for i := range 3 {
		k.publish("other", number(i))
		head = k.publish("c", number(i)).Position
	}
	r, _, cancel := k.subscribe("c")
	defer cancel()
	remove("c")
	remove("c")
	for _, after := range []uint64{0, 2, 3} {
		h := k.history("c", surewire.Position{Epoch: head.Epoch, Offset: after}, 10)
		wantEqual(k, "what is left", datas(h.Messages), "[]")
		wantEqual(k, "complete", h.Complete, after == 3)
		wantEqual(k, "the head", h.Head, head)
	}
	wantEqual(k, "the other channel", datas(k.history("other", surewire.Position{}, 10).Messages), "[0 1 2]")
	next := k.publish("c", number(3)).Position
	wantEqual(k, "the next position", next, surewire.Position{Epoch: head.Epoch, Offset: 4})
	wantEqual(k, "what the subscription got", datas(r.wait(k, 1)), "[3]")
	wantEqual(k, "times Lost was called", r.lost, 0)
	h := k.history("c", head, 10)
	wantEqual(k, "history since", datas(h.Messages), "[3]")
	wantEqual(k, "history since complete", h.Complete, true)
	testRemoveHistoryRefused(k, remover)
}

func testRemoveHistoryRefused(k *kit, remover surewire.HistoryRemover) {
	canceled, cancel := context.WithCancel(k.ctx)
	cancel()
	wantErr(k, "RemoveHistory of a bad channel", remover.RemoveHistory(k.ctx, "a b"), surewire.ErrChannel)
	wantErr(k, "RemoveHistory, canceled,", remover.RemoveHistory(canceled, "c"), context.Canceled)
	if err := k.Engine.Close(k.ctx); err != nil {
		k.Fatalf("Close: %v", err)
	}
	wantErr(k, "RemoveHistory after Close", remover.RemoveHistory(k.ctx, "c"), surewire.ErrClosed)
}
