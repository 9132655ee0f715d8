package hub_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/wire"
)

func TestHistory(t *testing.T) {
	inBubble(t, hub.Config{HistoryLimit: 5}, func(t *testing.T, b *bench) {
		var at surewire.Position
		for i := range 8 {
			at = b.publish("c", fmt.Sprint(i+1))
		}
		p := b.connect()
		p.sends(`{"id":1,"connect":{}}`)
		p.heard()
		for ask, want := range map[string]string{
			``:                                   "history of 8:[]",
			`,"limit":-1`:                        "history of 8:[1 2 3 4 5]",
			`,"limit":3`:                         "history of 8:[1 2 3]",
			`,"limit":100`:                       "history of 8:[1 2 3 4 5]",
			`,"limit":3,"since":{"offset":3}`:    "history of 8:[4 5 6]",
			`,"limit":3,"since":{"offset":7}`:    "history of 8:[8]",
			`,"limit":3,"since":{"offset":8}`:    "history of 8:[]",
			`,"limit":3,"since":{"offset":9}`:    "history of 8:[]",
			`,"limit":3,"since":{"offset":9e15}`: "history of 8:[]",
			`,"reverse":true`:                    "history of 8:[]",
			`,"limit":3,"reverse":true`:          "history of 8:[8 7 6]",
			`,"limit":-1,"reverse":true`:         "history of 8:[8 7 6 5 4]",
			`,"limit":3,"reverse":true,"since":{"offset":3}`:                            "history of 8:[2 1]",
			`,"limit":3,"reverse":true,"since":{"offset":1}`:                            "history of 8:[]",
			`,"limit":3,"reverse":true,"since":{"offset":9}`:                            "history of 8:[8 7 6]",
			`,"limit":1,"since":{"offset":7,"epoch":"` + at.Epoch + `"}`:                "history of 8:[8]",
			`,"limit":1,"since":{"offset":7,"epoch":"another"}`:                         "error 112",
			`,"limit":1,"reverse":true,"since":{"offset":7,"epoch":"another"}`:          "error 112",
			`,"limit":1,"reverse":true,"since":{"offset":7,"epoch":"` + at.Epoch + `"}`: "history of 8:[6]",
			`,"limit":1,"reverse":true,"since":{"offset":0}`:                            "error 107",
		} {
			if strings.Contains(ask, "9e15") {
				ask = strings.Replace(ask, "9e15", "9000000000000000", 1)
			}
			p.sends(`{"id":2,"history":{"channel":"c"` + ask + `}}`)
			if got := p.heard(); len(got) != 1 || got[0] != "#2 "+want {
				t.Errorf("%s: heard %q, want %s", ask, got, want)
			}
		}
	})
}

// Page after page, both ways, each offset that is kept comes once: while the log
// grows and forgets, and where a publication expires before its neighbours.
func TestPagesOfHistory(t *testing.T) {
	inBubble(t, hub.Config{HistoryLimit: 7}, func(t *testing.T, b *bench) {
		r := rand.New(rand.NewPCG(1, 2))
		for range 200 {
			channel := fmt.Sprint("c", r.Uint64())
			size := 1 + r.IntN(60)
			short := make(map[uint64]bool)
			for i := range size {
				p := surewire.Publication{Data: []byte("1")}
				if r.IntN(5) == 0 {
					p.TTL = time.Second
					short[uint64(i+1)] = true
				}
				if _, err := b.engine.Publish(t.Context(), channel, p); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(2 * time.Second)
			for _, reverse := range []bool{false, true} {
				var got, want []uint64
				for o := uint64(1); o <= uint64(size); o++ {
					if !short[o] {
						want = append(want, o)
					}
				}
				if reverse {
					slices.Reverse(want)
				}
				var since *surewire.Position
				limit := 1 + r.IntN(9)
				for page := 0; page < 1000; page++ {
					h, err := b.hub.History(t.Context(), channel, since, limit, reverse)
					if err != nil {
						t.Fatal(err)
					}
					for _, m := range h.Messages {
						got = append(got, m.Position.Offset)
						since = &surewire.Position{Epoch: m.Position.Epoch, Offset: m.Position.Offset}
					}
					if n := len(h.Messages); n > limit {
						t.Fatalf("%d came, at most %d were asked for", n, limit)
					} else if n == 0 {
						break
					}
				}
				if !slices.Equal(got, want) {
					t.Fatalf("limit %d, reverse %v: got %v, want %v", limit, reverse, got, want)
				}
			}
		}
	})
}

func TestHistoryReplyIsBoundedInBytes(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		for range 3 {
			b.publish("c", `"`+strings.Repeat("x", 300<<10)+`"`)
		}
		p := b.connect()
		p.sends(`{"id":1,"connect":{}}`, `{"id":2,"history":{"channel":"c","limit":10}}`, `{"id":3,"history":{"channel":"c","limit":10,"reverse":true}}`)
		p.wantHeard(t, "#1 connected", "#2 history of 3:[1]", "#3 history of 3:[3]")
	})
}

func TestHistoryOfTheHubItself(t *testing.T) {
	inBubble(t, hub.Config{}, func(t *testing.T, b *bench) {
		for range 3 {
			b.publish("c", "1")
		}
		for _, c := range []struct {
			since   uint64
			limit   int
			reverse bool
			want    string
		}{{0, 2, true, "[]"}, {0, 2, false, "[1 2]"}, {0, -1, true, "[]"}, {0, -1, false, "[]"}, {3, 1 << 40, true, "[2 1]"}} {
			h, err := b.hub.History(t.Context(), "c", &surewire.Position{Offset: c.since}, c.limit, c.reverse)
			if err != nil || offsets(h.Messages) != c.want || h.Head.Offset != 3 {
				t.Errorf("%+v: %s of %d, %v", c, offsets(h.Messages), h.Head.Offset, err)
			}
		}
	})
}

// A recovery reply is bounded for all subscriptions of a connect together, and
// the rest follows.
func TestConnectReplyIsBoundedInBytes(t *testing.T) {
	channels := []string{"a", "b", "c", "d"}
	inBubble(t, hub.Config{Authorizer: serverSide(channels...)}, func(t *testing.T, b *bench) {
		subs := make(map[string]surewire.Position)
		for _, channel := range channels {
			for range 20 {
				b.publish(channel, `"`+strings.Repeat("x", 50<<10)+`"`)
			}
			subs[channel] = surewire.Position{}
		}
		p := b.connect()
		p.send(wire.Command{ID: 1, Connect: &wire.Connect{Subs: subs}})
		size, got := 0, make(map[string]uint64)
		take := func(channel string, m *surewire.Message) {
			if got[channel]++; got[channel] != m.Position.Offset {
				t.Fatalf("%s: got %d, want %d", channel, m.Position.Offset, got[channel])
			}
		}
		for channel, s := range p.want(t).Connected.Subs {
			if !s.Recovered {
				t.Errorf("%s was not recovered", channel)
			}
			for _, m := range s.Publications {
				size += len(m.Data)
				take(channel, m)
			}
		}
		if size > 600<<10 || size < 300<<10 {
			t.Errorf("the reply has %d bytes", size)
		}
		for got["a"]+got["b"]+got["c"]+got["d"] < 80 {
			r := p.want(t)
			take(r.Channel, r.Publication)
		}
	})
}
