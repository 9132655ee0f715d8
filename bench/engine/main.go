// Command engine measures natsengine against bare JetStream, on the same server
// settings, and against centrifuge with Redis, in one run: publications by one and
// by many, and clients that return. Leave the machine alone meanwhile.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsembed"
	"github.com/surewire/surewire/natsengine"
)

func main() {
	rounds := flag.Int("rounds", 3, "how often each pair is measured, in turn")
	each := flag.Duration("for", 2*time.Second, "how long each measurement takes")
	channels := flag.Int("channels", 1000, "how many channels are published to")
	many := flag.Int("many", 0, "if above 0: fill that many channels with a message each, and time the start")
	redis := flag.Bool("redis", true, "measure centrifuge with a redis-server too")
	flag.Parse()
	if err := run(*rounds, *each, *channels, *many, *redis); err != nil {
		log.Fatal(err)
	}
}

func run(rounds int, each time.Duration, channels, many int, redis bool) error {
	if many > 0 {
		return startUp(many)
	}
	names := channelNames(channels)
	for _, publishers := range []int{1, 128} {
		for range rounds {
			err := compare(fmt.Sprintf("publish x%-3d", publishers),
				func(s *natsembed.Server) (float64, error) { return bareRate(s, names, publishers, each) },
				func(s *natsembed.Server) (float64, error) { return engineRate(s, names, publishers, each) })
			if err != nil {
				return err
			}
			if redis {
				peer, err := withRedis(func(n *centrifuge.Node) (float64, error) { return redisRate(n, names, publishers, each) })
				if err != nil {
					return err
				}
				fmt.Printf("  centrifuge with Redis %7.0f/s", peer)
			}
			fmt.Println()
		}
	}
	for range rounds {
		err := compare(fmt.Sprintf("publish asynchronously, %d on their way", onWay),
			func(s *natsembed.Server) (float64, error) { return bareAsync(s, names, each) },
			func(s *natsembed.Server) (float64, error) { return engineAsync(s, names, each) })
		if err != nil {
			return err
		}
		fmt.Println()
	}
	for range rounds {
		rate, err := inFolder(func(s *natsembed.Server) (float64, error) { return storm(s, names, 5000) })
		if err != nil {
			return err
		}
		fmt.Printf("5,000 clients return, 10 messages each: natsengine %.0f recoveries/s", rate)
		if redis {
			peer, err := withRedis(func(n *centrifuge.Node) (float64, error) { return redisStorm(n, names, 5000) })
			if err != nil {
				return err
			}
			fmt.Printf("  centrifuge with Redis %.0f", peer)
		}
		fmt.Println()
	}
	return nil
}

// compare measures what JetStream does alone and what the engine does, each on a new
// store, and begins a line about it.
func compare(what string, bare, ours func(*natsembed.Server) (float64, error)) error {
	a, err := inFolder(bare)
	if err != nil {
		return err
	}
	b, err := inFolder(ours)
	if err != nil {
		return err
	}
	fmt.Printf("%s  JetStream %7.0f/s  natsengine %7.0f/s  ratio %.2f", what, a, b, b/a)
	return nil
}

// inFolder runs fn with a server on a new store.
func inFolder(fn func(*natsembed.Server) (float64, error)) (float64, error) {
	dir, err := os.MkdirTemp("", "surewire-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	s, err := natsembed.Start(natsembed.Config{Dir: dir})
	if err != nil {
		return 0, err
	}
	defer s.Close(context.Background())
	return fn(s)
}

// payload is a value of the length that the figures are counted with.
var payload = []byte(`"` + string(make256()) + `"`)

func make256() []byte {
	b := make([]byte, 254)
	for i := range b {
		b[i] = 'x'
	}
	return b
}

func channelNames(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprint("chat:", i))
	}
	return out
}

// rate runs publish from so many goroutines at once, for d, and returns how
// often it was done in a second.
func rate(publishers int, d time.Duration, publish func(i int) error) (float64, error) {
	var n atomic.Int64
	var failed atomic.Pointer[error]
	end := time.Now().Add(d)
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for i := p * 7919; time.Now().Before(end); i++ {
				if err := publish(i); err != nil {
					failed.Store(&err)
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(n.Load()) / d.Seconds(), nil
}

// bareRate publishes to streams like the engine's, each with what RePublish
// costs, but without offsets and conditions.
func bareRate(s *natsembed.Server, names []string, publishers int, d time.Duration) (float64, error) {
	js, subjects, end, err := bareStreams(s, names)
	if err != nil {
		return 0, err
	}
	defer end()
	return rate(publishers, d, func(i int) error {
		_, err := js.Publish(context.Background(), subjects[i%len(subjects)], payload)
		return err
	})
}

// onWay is how many publications one goroutine does not wait for.
const onWay = 1024

// bareAsync is bareRate of one publisher that does not wait for the answers.
func bareAsync(s *natsembed.Server, names []string, d time.Duration) (float64, error) {
	js, subjects, end, err := bareStreams(s, names)
	if err != nil {
		return 0, err
	}
	defer end()
	var last jetstream.PubAckFuture
	began := time.Now()
	n := 0
	for ; time.Since(began) < d; n++ { // where too many are on their way, it waits
		if last, err = js.PublishAsync(subjects[n%len(subjects)], payload); err != nil {
			return 0, err
		}
	}
	<-js.PublishAsyncComplete()
	select {
	case err := <-last.Err(): // of the others too, if the server is ill
		return 0, err
	default:
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// engineAsync is engineRate of one publisher that does not wait.
func engineAsync(s *natsembed.Server, names []string, d time.Duration) (float64, error) {
	e, err := natsengine.Open(context.Background(), natsengine.Config{InProcess: s, Guard: s.Healthy})
	if err != nil {
		return 0, err
	}
	defer e.Close(context.Background())
	free := make(chan struct{}, onWay)
	var failed atomic.Pointer[error]
	began := time.Now()
	n := 0
	for ; time.Since(began) < d; n++ {
		free <- struct{}{}
		err := e.PublishAsync(context.Background(), names[n%len(names)], surewire.Publication{Data: payload}, func(_ surewire.Published, err error) {
			if err != nil {
				failed.Store(&err)
			}
			<-free
		})
		if err != nil {
			return 0, err
		}
	}
	for range onWay { // all have been told
		free <- struct{}{}
	}
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// bareStreams makes streams like the engine's, and returns the subjects of names.
func bareStreams(s *natsembed.Server, names []string) (js jetstream.JetStream, subjects []string, end func(), err error) {
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		return nil, nil, nil, err
	}
	if js, err = jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(onWay)); err != nil {
		nc.Close()
		return nil, nil, nil, err
	}
	for p := range 8 {
		_, err := js.CreateStream(context.Background(), jetstream.StreamConfig{
			Name: fmt.Sprint("bare_", p), Subjects: []string{fmt.Sprintf("ch.%d.>", p)}, MaxMsgsPerSubject: 1000, MaxAge: 24 * time.Hour,
			AllowDirect: true, RePublish: &jetstream.RePublish{Source: fmt.Sprintf("ch.%d.>", p), Destination: fmt.Sprintf("rt.%d.>", p)},
		})
		if err != nil {
			nc.Close()
			return nil, nil, nil, err
		}
	}
	for i, name := range names {
		subjects = append(subjects, fmt.Sprintf("ch.%d.%s", i%8, name))
	}
	return js, subjects, nc.Close, nil
}

func engineRate(s *natsembed.Server, names []string, publishers int, d time.Duration) (float64, error) {
	e, err := natsengine.Open(context.Background(), natsengine.Config{InProcess: s, Guard: s.Healthy})
	if err != nil {
		return 0, err
	}
	defer e.Close(context.Background())
	return rate(publishers, d, func(i int) error {
		_, err := e.Publish(context.Background(), names[i%len(names)], surewire.Publication{Data: payload})
		return err
	})
}

// storm has clients return to channels of 100 messages, of which each missed the
// newest 10, and returns how many a second were served.
func storm(s *natsembed.Server, names []string, clients int) (float64, error) {
	ctx := context.Background()
	e, err := natsengine.Open(ctx, natsengine.Config{InProcess: s})
	if err != nil {
		return 0, err
	}
	defer e.Close(ctx)
	if err := fill(names, func(name string) error {
		_, err := e.Publish(ctx, name, surewire.Publication{Data: payload})
		return err
	}); err != nil {
		return 0, err
	}
	// The hub reads for 64 at once.
	return recoveries(clients, 64, func(c int) (int, error) {
		h, err := e.History(ctx, names[c%len(names)], surewire.Position{Offset: 90}, 300)
		if err == nil && !h.Complete {
			err = errors.New("history is not complete")
		}
		return len(h.Messages), err
	})
}

// each calls do for the numbers below n, so many at a time, and returns an error of
// one of them. A worker whose call fails does no more.
func each(n, atOnce int, do func(i int) error) error {
	var failed atomic.Pointer[error]
	var next atomic.Int64
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					failed.Store(&err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// fill publishes 100 messages to each channel, as many channels at a time as there
// are publishers elsewhere.
func fill(names []string, publish func(name string) error) error {
	return each(len(names), 128, func(i int) error {
		for range 100 {
			if err := publish(names[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// recoveries has clients return for the 10 messages that they missed, of whom so
// many are served at once, and returns how many a second were.
func recoveries(clients, atOnce int, recovered func(client int) (int, error)) (float64, error) {
	began := time.Now()
	err := each(clients, atOnce, func(c int) error {
		n, err := recovered(c)
		if err == nil && n != 10 {
			err = fmt.Errorf("recovered %d messages", n)
		}
		return err
	})
	return float64(clients) / time.Since(began).Seconds(), err
}

// startUp fills channels with a message each, and opens the store again.
func startUp(many int) error {
	dir, err := os.MkdirTemp("", "surewire-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	if err := with(dir, func(e *natsengine.Engine, _ *natsembed.Server) error {
		return each(many, 64, func(i int) error {
			_, err := e.Publish(ctx, fmt.Sprint("chat:", i+1), surewire.Publication{Data: payload})
			return err
		})
	}); err != nil {
		return err
	}
	began := time.Now()
	return with(dir, func(e *natsengine.Engine, s *natsembed.Server) error {
		opened := time.Since(began)
		h, err := e.History(ctx, "chat:1", surewire.Position{}, 10)
		if err != nil || len(h.Messages) != 1 {
			return fmt.Errorf("the first channel has %d messages: %w", len(h.Messages), err)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Printf("%d channels: opened in %v, first history after %v, %d MiB of heap, %d MiB of store\n",
			many, opened.Round(time.Millisecond), time.Since(began).Round(time.Millisecond), m.HeapAlloc>>20, s.Stats().Used>>20)
		return nil
	})
}

// with runs fn with an engine on the store in dir, and closes it.
func with(dir string, fn func(*natsengine.Engine, *natsembed.Server) error) error {
	s, err := natsembed.Start(natsembed.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer s.Close(context.Background())
	e, err := natsengine.Open(context.Background(), natsengine.Config{InProcess: s})
	if err != nil {
		return err
	}
	defer e.Close(context.Background())
	return fn(e, s)
}
