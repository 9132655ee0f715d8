package enginetest

import (
	"context"
	"fmt"
	"sync"

	"github.com/surewire/surewire"
)

// An outcome is what was told of one publication.
type outcome struct {
	times int // that it was told
	done  surewire.Published
	err   error
}

func testPublishAsync(k *kit) {
	async, ok := k.Engine.(surewire.AsyncPublisher)
	if !ok {
		k.Skip("the engine is no AsyncPublisher")
	}
	const channels, each = 4, 50
	var mu sync.Mutex
	outcomes := make([]outcome, channels*each+1)
	publish := func(ctx context.Context, i int, channel string, p surewire.Publication) error {
		return async.PublishAsync(ctx, channel, p, func(d surewire.Published, err error) {
			mu.Lock()
			defer mu.Unlock()
			outcomes[i] = outcome{outcomes[i].times + 1, d, err}
		})
	}
	told := func(i int) outcome {
		k.Helper()
		k.eventually("the outcome of a publication", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return outcomes[i].times > 0
		})
		mu.Lock()
		defer mu.Unlock()
		return outcomes[i]
	}
	name := func(i int) string { return fmt.Sprint("async-", i%channels) }
	for i := range channels * each {
		p := number(i)
		p.ID = fmt.Sprint("id-", i)
		if err := publish(k.ctx, i, name(i), p); err != nil {
			k.Fatalf("PublishAsync(%q): %v", name(i), err)
		}
	}
	for i := range channels * each {
		o := told(i)
		if o.err != nil || o.times != 1 || o.done.Position.Offset != uint64(i/channels+1) {
			k.Fatalf("publication %d, which is the %dth of its channel: %+v", i, i/channels+1, o)
		}
	}
	for c := range channels {
		var want []int
		for i := range each {
			want = append(want, i*channels+c)
		}
		wantEqual(k, "history", datas(k.history(name(c), surewire.Position{}, each).Messages), fmt.Sprint(want))
	}
	again := number(0)
	again.ID = "id-0"
	if err := publish(k.ctx, channels*each, name(0), again); err != nil {
		k.Fatalf("PublishAsync of what is there: %v", err)
	}
	o := told(channels * each)
	wantEqual(k, "duplicate", o.done.Duplicate, true)
	wantEqual(k, "its position", o.done.Position.Offset, 1)
	testPublishAsyncRefused(k, func(ctx context.Context, channel string) error {
		told := make(chan error, 1)
		if err := async.PublishAsync(ctx, channel, number(1), func(_ surewire.Published, err error) { told <- err }); err != nil {
			return err
		}
		return <-told
	})
}

func testPublishAsyncRefused(k *kit, publish func(ctx context.Context, channel string) error) {
	canceled, cancel := context.WithCancel(k.ctx)
	cancel()
	wantErr(k, "PublishAsync to a bad channel", publish(k.ctx, "a b"), surewire.ErrChannel)
	wantErr(k, "PublishAsync, canceled,", publish(canceled, "c"), context.Canceled)
	if err := k.Engine.Close(k.ctx); err != nil {
		k.Fatalf("Close: %v", err)
	}
	wantErr(k, "PublishAsync after Close", publish(k.ctx, "c"), surewire.ErrClosed)
}
