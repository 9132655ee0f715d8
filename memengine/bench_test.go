package memengine_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/memengine"
)

// payload is a value of the length that the figures are counted with.
var payload = bytes.Repeat([]byte("7"), 256)

func channels(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "chat:" + strconv.Itoa(i)
	}
	return out
}

// BenchmarkPublish publishes where nobody listens. "fresh" makes the data of
// each publication anew, as an encoder does.
func BenchmarkPublish(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		names := channels(n)
		for _, fresh := range []bool{false, true} {
			publish := func(b *testing.B, e *memengine.Engine, i int) {
				p := surewire.Publication{Data: payload}
				if fresh {
					p.Data = bytes.Clone(payload)
				}
				if _, err := e.Publish(b.Context(), names[i%n], p); err != nil {
					b.Error(err)
				}
			}
			name := fmt.Sprintf("channels=%d/fresh=%v", n, fresh)
			b.Run(name+"/serial", func(b *testing.B) {
				e := memengine.New(memengine.Config{})
				defer e.Close(b.Context())
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					publish(b, e, i)
					i++
				}
				rate(b)
			})
			b.Run(name+"/parallel", func(b *testing.B) {
				e := memengine.New(memengine.Config{})
				defer e.Close(b.Context())
				b.ReportAllocs()
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for i := rand.IntN(n); pb.Next(); i++ {
						publish(b, e, i)
					}
				})
				rate(b)
			})
		}
	}
}

// rate reports millions a second, which is how the target is put.
func rate(b *testing.B) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
}

func BenchmarkPublishID(b *testing.B) {
	e := memengine.New(memengine.Config{})
	defer e.Close(b.Context())
	ids := channels(1 << 16)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := e.Publish(b.Context(), "c", surewire.Publication{Data: payload, ID: ids[i%len(ids)]}); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// counter is a sink that does next to nothing.
type counter struct{ n atomic.Int64 }

func (c *counter) Deliver(string, *surewire.Message) { c.n.Add(1) }
func (c *counter) Lost(string)                       {}

func BenchmarkPublishSubscribed(b *testing.B) {
	for _, subscribers := range []int{1, 1000} {
		open := func(b *testing.B) *memengine.Engine {
			e := memengine.New(memengine.Config{})
			for range subscribers {
				if _, _, err := e.Subscribe(b.Context(), "c", &counter{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			return e
		}
		p := surewire.Publication{Data: payload}
		b.Run(fmt.Sprintf("subscribers=%d/serial", subscribers), func(b *testing.B) {
			e := open(b)
			defer e.Close(b.Context())
			for b.Loop() {
				if _, err := e.Publish(b.Context(), "c", p); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("subscribers=%d/parallel", subscribers), func(b *testing.B) {
			e := open(b)
			defer e.Close(b.Context())
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					e.Publish(b.Context(), "c", p) // ErrBusy, where the queue is full, is an answer too
				}
			})
		})
	}
}

func BenchmarkSubscribeCancel(b *testing.B) {
	for _, others := range []int{0, 1000} {
		b.Run(fmt.Sprintf("others=%d", others), func(b *testing.B) {
			e := memengine.New(memengine.Config{})
			defer e.Close(b.Context())
			for range others {
				if _, _, err := e.Subscribe(b.Context(), "c", &counter{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				_, cancel, err := e.Subscribe(b.Context(), "c", discard{})
				if err != nil {
					b.Fatal(err)
				}
				cancel()
			}
		})
	}
}

func BenchmarkHistory(b *testing.B) {
	e := memengine.New(memengine.Config{})
	defer e.Close(b.Context())
	var head surewire.Position
	for range 2000 {
		done, err := e.Publish(b.Context(), "c", surewire.Publication{Data: payload})
		if err != nil {
			b.Fatal(err)
		}
		head = done.Position
	}
	head.Offset -= 10
	b.ReportAllocs()
	for b.Loop() {
		if h, err := e.History(b.Context(), "c", head, 100); err != nil || len(h.Messages) != 10 {
			b.Fatal(len(h.Messages), err)
		}
	}
}

// BenchmarkChannelMemory reports what the engine itself keeps of a channel with
// a few messages, their data and the channels' names apart.
func BenchmarkChannelMemory(b *testing.B) {
	const n = 1_000_000
	names := channels(n)
	for _, c := range []struct {
		name     string
		messages int
		id       string
	}{{"messages=1", 1, ""}, {"messages=1/id", 1, "7f3a"}, {"messages=10", 10, ""}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				before := heap()
				e := memengine.New(memengine.Config{})
				for range c.messages {
					for _, name := range names {
						if _, err := e.Publish(b.Context(), name, surewire.Publication{Data: payload, ID: c.id}); err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(heap()-before)/n, "B/channel")
				e.Close(b.Context())
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
