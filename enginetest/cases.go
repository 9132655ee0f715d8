package enginetest

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/surewire/surewire"
)

func testOffsets(k *kit) {
	epochs := map[string]string{}
	for i := range 5 {
		for _, channel := range []string{"a", "b:1"} {
			pos := k.publish(channel, number(i)).Position
			wantEqual(k, "offset", pos.Offset, i+1)
			if i > 0 && pos.Epoch != epochs[channel] {
				k.Errorf("the epoch of %q went from %q to %q", channel, epochs[channel], pos.Epoch)
			}
			if pos.Epoch == "" {
				k.Errorf("the epoch of %q is empty", channel)
			}
			epochs[channel] = pos.Epoch
		}
	}
}

func testConcurrentPublish(k *kit) {
	r, _, cancel := k.subscribe("c")
	defer cancel()
	const writers, each = 8, 12
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := k.Publish(k.ctx, "c", number(w*each+i)); err != nil {
					k.Errorf("Publish: %v", err)
				}
			}
		})
	}
	wg.Wait()
	live := r.wait(k, writers*each)
	h := k.history("c", surewire.Position{}, 1000)
	checkRun(k, live, h.Head.Epoch, 1)
	wantEqual(k, "the order of history", datas(h.Messages), datas(live))
	wantEqual(k, "complete", h.Complete, true)
}

func testSubscribe(k *kit) {
	for i := range 3 {
		k.publish("c", number(i))
	}
	one, head, cancelOne := k.subscribe("c")
	defer cancelOne()
	wantEqual(k, "the head", head.Offset, 3)
	k.publish("c", number(3))
	two, later, cancelTwo := k.subscribe("c")
	defer cancelTwo()
	wantEqual(k, "the head", later, surewire.Position{Epoch: head.Epoch, Offset: 4})
	k.publish("other", number(9))
	k.publish("c", number(4))
	wantEqual(k, "what the first subscription got", datas(one.wait(k, 2)), "[3 4]")
	wantEqual(k, "what the second subscription got", datas(two.wait(k, 1)), "[4]")
	checkRun(k, one.wait(k, 2), head.Epoch, 4)
	wantEqual(k, "times Lost was called", one.lost, 0)
}

func testSubscribeWhilePublishing(k *kit) {
	const total, readers = 90, 6
	var wg sync.WaitGroup
	begun := make(chan struct{}, readers)
	wg.Go(func() {
		for i := range total {
			if i == total/2 { // one is there by then, at least
				select {
				case <-begun:
				case <-time.After(waitFor):
					k.Errorf("no subscription has begun within %v", waitFor)
				}
			}
			k.publish("c", number(i))
		}
	})
	for range readers {
		wg.Go(func() {
			r, head, cancel := k.subscribe("c")
			defer cancel()
			begun <- struct{}{}
			got := r.wait(k, total-int(head.Offset))
			checkRun(k, got, head.Epoch, head.Offset+1)
		})
	}
	wg.Wait()
}

func testCancel(k *kit) {
	r, _, cancel := k.subscribe("c")
	other, _, cancelOther := k.subscribe("c")
	defer cancelOther()
	k.publish("c", number(0))
	r.wait(k, 1)
	cancel()
	cancel() // a second call does nothing
	k.publish("c", number(1))
	other.wait(k, 2)
	wantEqual(k, "what came", datas(r.wait(k, 1)), "[0]")
}

func testHistory(k *kit) {
	empty := k.history("c", surewire.Position{}, 10)
	wantEqual(k, "an empty channel's head", empty.Head.Offset, 0)
	wantEqual(k, "an empty channel's history complete", empty.Complete, true)
	for i := range 10 {
		k.publish("c", number(i))
	}
	epoch := k.history("c", surewire.Position{}, 0).Head.Epoch
	for _, c := range []struct {
		after, limit int
		want         string
	}{
		{0, 100, "[0 1 2 3 4 5 6 7 8 9]"}, {0, 3, "[0 1 2]"}, {4, 3, "[4 5 6]"},
		{8, 100, "[8 9]"}, {10, 100, "[]"}, {0, 0, "[]"}, {3, -1, "[]"},
	} {
		for _, e := range []string{epoch, ""} {
			h := k.history("c", surewire.Position{Epoch: e, Offset: uint64(c.after)}, c.limit)
			wantEqual(k, "history", datas(h.Messages), c.want)
			wantEqual(k, "the head", h.Head, surewire.Position{Epoch: epoch, Offset: 10})
			wantEqual(k, "complete", h.Complete, true)
			checkRun(k, h.Messages, epoch, uint64(c.after)+1)
		}
	}
}

func testHistoryPages(k *kit) {
	const total, page = 50, 7
	for i := range total {
		k.publish("c", number(i))
	}
	all := k.history("c", surewire.Position{}, math.MaxInt).Messages
	wantEqual(k, "the length of all", len(all), total)
	var read []*surewire.Message
	at := surewire.Position{}
	for range total {
		h := k.history("c", at, page)
		wantEqual(k, "complete", h.Complete, true)
		if len(h.Messages) == 0 {
			break
		}
		read = append(read, h.Messages...)
		at = h.Messages[len(h.Messages)-1].Position
	}
	wantEqual(k, "the log by pages", datas(read), datas(all))
}

func testHistoryEpoch(k *kit) {
	pos := k.publish("c", number(0)).Position
	for _, after := range []surewire.Position{
		{Epoch: "no-such-epoch"}, {Epoch: "no-such-epoch", Offset: 1}, {Epoch: pos.Epoch, Offset: 2}, {Offset: 1 << 52},
	} {
		h := k.history("c", after, 10)
		wantEqual(k, "complete", h.Complete, false)
		wantEqual(k, "the head", h.Head, pos)
	}
}

func testDuplicate(k *kit) {
	first := k.publish("c", surewire.Publication{Data: []byte("1"), ID: "one"})
	wantEqual(k, "the first a duplicate", first.Duplicate, false)
	k.publish("c", number(2))
	again := k.publish("c", surewire.Publication{Data: []byte("3"), ID: "one"})
	wantEqual(k, "the second", again, surewire.Published{Position: first.Position, Duplicate: true})
	elsewhere := k.publish("d", surewire.Publication{Data: []byte("4"), ID: "one"})
	wantEqual(k, "the same ID in another channel a duplicate", elsewhere.Duplicate, false)
	wantEqual(k, "history", datas(k.history("c", surewire.Position{}, 10).Messages), "[1 2]")
}

func testEphemeral(k *kit) {
	r, head, cancel := k.subscribe("c")
	defer cancel()
	k.publish("c", number(1))
	done := k.publish("c", surewire.Publication{Data: []byte("2"), Ephemeral: true})
	wantEqual(k, "the offset of an ephemeral publication", done.Position.Offset, 0)
	last := k.publish("c", number(3))
	wantEqual(k, "the next offset", last.Position, surewire.Position{Epoch: head.Epoch, Offset: 2})
	got := r.wait(k, 3)
	wantEqual(k, "what came", datas(got), "[1 2 3]")
	wantEqual(k, "the offset that came", got[1].Position.Offset, 0)
	wantEqual(k, "history", datas(k.history("c", surewire.Position{}, 10).Messages), "[1 3]")
}

// testEphemeralOrder publishes from one goroutine: then the order is known.
func testEphemeralOrder(k *kit) {
	one, _, cancelOne := k.subscribe("c")
	defer cancelOne()
	info := &surewire.ClientInfo{Client: "c-1", User: "42", Conn: []byte(`1`), Chan: []byte(`2`)}
	var want []string
	var two *recorder
	const total, late = 80, 33
	for i := range total {
		if i == late {
			var cancel func()
			two, _, cancel = k.subscribe("c")
			defer cancel()
		}
		p := number(i)
		switch i % 4 {
		case 1:
			p.Ephemeral = true
		case 2:
			p = surewire.Publication{Kind: surewire.KindJoin, Ephemeral: true, Info: info}
		case 3:
			p = surewire.Publication{Kind: surewire.KindLeave, Ephemeral: true, Info: info}
		}
		want = append(want, fmt.Sprintf("%v %s", p.Kind, p.Data))
		wantEqual(k, "has an offset", k.publish("c", p).Position.Offset > 0, !p.Ephemeral)
	}
	for _, c := range []struct {
		r    *recorder
		want []string
	}{{one, want}, {two, want[late:]}} {
		var got []string
		for _, m := range c.r.wait(k, len(c.want)) {
			got = append(got, fmt.Sprintf("%v %s", m.Kind, m.Data))
			wantEqual(k, "has an offset", m.Position.Offset > 0, !m.Ephemeral)
			if m.Kind != surewire.KindData {
				wantInfo(k, m.Kind.String(), m.Info, info)
			}
		}
		wantEqual(k, "what came", got, c.want)
	}
	h := k.history("c", surewire.Position{}, 100)
	wantEqual(k, "the number of kept messages", len(h.Messages), total/4)
	checkRun(k, h.Messages, h.Head.Epoch, 1)
}

func testContent(k *kit) {
	r, _, cancel := k.subscribe("c")
	defer cancel()
	p := surewire.Publication{
		Data:  []byte(`{"text":"` + strings.Repeat("ü", 1000) + `"}`),
		ID:    "x-1",
		Tags:  map[string]string{"user": "42"},
		Info:  &surewire.ClientInfo{Client: "c-1", User: "42", Conn: []byte(`{"name":"Ada"}`), Chan: []byte(`true`)},
		Trace: &surewire.Trace{Parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
	}
	before := time.Now().Add(-time.Minute)
	k.publish("c", p)
	live := r.wait(k, 1)[0]
	if live.Trace == nil || *live.Trace != *p.Trace {
		k.Errorf("the trace from the subscription is %+v, want %+v", live.Trace, *p.Trace)
	}
	for from, m := range map[string]*surewire.Message{
		"the subscription": live,
		"history":          k.history("c", surewire.Position{}, 1).Messages[0],
	} {
		wantEqual(k, "data from "+from, string(m.Data), string(p.Data))
		wantEqual(k, "ID from "+from, m.ID, p.ID)
		wantEqual(k, "tags from "+from, m.Tags, p.Tags)
		wantEqual(k, "kind from "+from, m.Kind, surewire.KindData)
		wantInfo(k, from, m.Info, p.Info)
		if m.Time.Before(before) || m.Time.After(time.Now().Add(time.Minute)) {
			k.Errorf("time from %s is %v", from, m.Time)
		}
	}
}

func wantInfo(k *kit, from string, got, want *surewire.ClientInfo) {
	k.Helper()
	if got == nil {
		k.Errorf("the client's info from %s is missing", from)
		return
	}
	wantEqual(k, "the client's info from "+from, fmt.Sprintf("%+q", *got), fmt.Sprintf("%+q", *want))
}

func testBadChannel(k *kit) {
	for _, name := range []string{"", "a b", "\x00", "a\xff", strings.Repeat("x", 256)} {
		_, err := k.Publish(k.ctx, name, number(0))
		wantErr(k, "Publish", err, surewire.ErrChannel)
		_, _, err = k.Subscribe(k.ctx, name, &recorder{})
		wantErr(k, "Subscribe", err, surewire.ErrChannel)
		_, err = k.History(k.ctx, name, surewire.Position{}, 1)
		wantErr(k, "History", err, surewire.ErrChannel)
	}
}

func testCanceled(k *kit) {
	ctx, cancel := context.WithCancel(k.ctx)
	cancel()
	_, err := k.Publish(ctx, "c", number(0))
	wantErr(k, "Publish", err, context.Canceled)
	_, _, err = k.Subscribe(ctx, "c", &recorder{})
	wantErr(k, "Subscribe", err, context.Canceled)
	_, err = k.History(ctx, "c", surewire.Position{}, 1)
	wantErr(k, "History", err, context.Canceled)
	wantEqual(k, "what was stored", k.history("c", surewire.Position{}, 1).Head.Offset, 0)
}

func testClose(k *kit) {
	r, _, cancel := k.subscribe("c")
	if err := k.Engine.Close(k.ctx); err != nil {
		k.Fatalf("Close: %v", err)
	}
	_, err := k.Publish(k.ctx, "c", number(0))
	wantErr(k, "Publish", err, surewire.ErrClosed)
	_, _, err = k.Subscribe(k.ctx, "c", r)
	wantErr(k, "Subscribe", err, surewire.ErrClosed)
	_, err = k.History(k.ctx, "c", surewire.Position{}, 1)
	wantErr(k, "History", err, surewire.ErrClosed)
	wantErr(k, "a second Close", k.Engine.Close(k.ctx), surewire.ErrClosed)
	cancel()
}
