package hub_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/wire"
)

// A sink is a transport that takes everything at no cost, so that what is
// measured is the hub.
type sink struct {
	in      chan []byte
	done    chan struct{}
	once    sync.Once
	written *atomic.Int64 // frames, for all
}

func newSink(written *atomic.Int64) *sink {
	return &sink{in: make(chan []byte, 2), done: make(chan struct{}), written: written}
}

func (s *sink) Read() ([]byte, error) {
	select {
	case b := <-s.in:
		return b, nil
	case <-s.done:
		return nil, io.EOF
	}
}

func (s *sink) TryWrite(b []byte) (int, error) {
	n := int64(0)
	for _, c := range b {
		if c == '\n' {
			n++
		}
	}
	s.written.Add(n)
	return len(b), nil
}

func (s *sink) Write(b []byte, _ time.Time) error {
	_, err := s.TryWrite(b)
	return err
}

func (s *sink) Close(surewire.Disconnect) error {
	s.once.Do(func() { close(s.done) })
	return nil
}

// A field is a hub with clients that cost nothing.
type field struct {
	testing.TB
	engine  *memengine.Engine
	hub     *hub.Hub
	written atomic.Int64
	served  sync.WaitGroup
}

func newField(tb testing.TB) *field {
	f := &field{TB: tb, engine: memengine.New(memengine.Config{HistorySize: 16})}
	f.hub = hub.New(hub.Config{Engine: f.engine, Authorizer: access.AllowAll{}, PingInterval: time.Hour})
	return f
}

func (f *field) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := f.hub.Shutdown(ctx); err != nil {
		f.Error(err)
	}
	f.served.Wait()
	f.engine.Close(context.Background())
}

// enter has n clients connect, and read the channel that each is given, if any.
func (f *field) enter(n int, channel func(i int) string) {
	f.written.Store(0)
	for i := range n {
		s := newSink(&f.written)
		f.served.Go(func() { f.hub.Serve(context.Background(), s, lines, access.Peer{}) })
		frame := wire.AppendCommand(nil, wire.Command{ID: 1, Connect: &wire.Connect{}})
		if name := channel(i); name != "" {
			frame = wire.AppendCommand(append(frame, '\n'), wire.Command{ID: 2, Subscribe: &wire.Subscribe{Channel: name}})
		}
		s.in <- frame
	}
	each := 2
	if channel(0) == "" {
		each = 1
	}
	f.await(int64(n * each))
	f.written.Store(0)
}

func (f *field) await(frames int64) {
	for f.written.Load() < frames {
		runtime.Gosched()
	}
}

func (f *field) publish(channel string) {
	if _, err := f.engine.Publish(context.Background(), channel, surewire.Publication{Data: []byte(`{"text":"hello, world","n":12345}`)}); err != nil {
		f.Fatal(err)
	}
}

// perDelivery reports what one delivery costs, in allocations and time.
func perDelivery(b *testing.B, deliveries int64, run func()) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	run()
	b.StopTimer()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(deliveries), "allocs/delivery")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(deliveries), "ns/delivery")
	b.ReportMetric(0, "ns/op")
}

// One publication at a time goes to 1,000 clients: nothing is joined.
func BenchmarkFanOut(b *testing.B) {
	const clients = 1000
	f := newField(b)
	defer f.close()
	f.enter(clients, func(int) string { return "c" })
	perDelivery(b, int64(b.N)*clients, func() {
		for i := range b.N {
			f.publish("c")
			f.await(int64(i+1) * clients)
		}
	})
}

// 1,000 clients with a channel each, as agents' runs have.
func BenchmarkOwnChannels(b *testing.B) {
	const clients = 1000
	f := newField(b)
	defer f.close()
	names := make([]string, clients)
	for i := range names {
		names[i] = fmt.Sprint("run:", i)
	}
	f.enter(clients, func(i int) string { return names[i] })
	perDelivery(b, int64(b.N), func() {
		for i := range b.N {
			f.publish(names[i%clients])
			if i%clients == clients-1 {
				f.await(int64(i + 1))
			}
		}
		f.await(int64(b.N))
	})
}

// A client comes, subscribes, and goes. The transport's part is 4 allocations.
func BenchmarkVisit(b *testing.B) {
	f := newField(b)
	defer f.close()
	f.enter(1, func(int) string { return "c" })
	frame := []byte(`{"id":1,"connect":{"name":"js"}}` + "\n" + `{"id":2,"subscribe":{"channel":"c"}}`)
	b.ReportAllocs()
	for b.Loop() {
		s := newSink(&f.written)
		s.in <- frame
		go func() {
			for len(s.in) > 0 {
				runtime.Gosched()
			}
			s.Close(surewire.DisconnectNormal)
		}()
		f.hub.Serve(context.Background(), s, lines, access.Peer{})
	}
}

// BenchmarkIdle reports what 1,000 clients with one subscription hold that do
// nothing, without the stack of the reader and the transport.
func BenchmarkIdle(b *testing.B) {
	const clients = 1000
	for b.Loop() {
		f := newField(b)
		before := heap()
		f.enter(clients, func(int) string { return "c" })
		time.Sleep(10 * time.Millisecond)
		sinks := 200.0 // bytes, about: what newSink makes
		b.ReportMetric(float64(int64(heap())-int64(before))/clients-sinks, "B/conn")
		f.close()
	}
}
