package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/client"
	"github.com/surewire/surewire/cmd/surewire/internal/histogram"
)

type benchCmd struct {
	api
	Token       string        `env:"SUREWIRE_TOKEN" help:"Connection token of the clients."`
	Connections int           `short:"c" default:"100" help:"Clients, each with one subscription."`
	Channels    int           `default:"1" help:"Channels that the clients are spread over. 0 gives each its own."`
	Prefix      string        `default:"bench:" help:"How the channels' names begin; a random part and a number follow."`
	Rate        float64       `short:"r" default:"10" help:"Publications per second, over all channels."`
	Size        int           `short:"s" default:"256" help:"Bytes of a publication's data, at least 100."`
	Duration    time.Duration `short:"d" default:"10s" help:"How long to publish."`
	JSON        bool          `help:"Print the result as one JSON line."`
}

// Help is shown below the flags.
func (c *benchCmd) Help() string {
	return `Clients connect and subscribe, then publications go in through the HTTP API and
are awaited at every client. Latency is from before the API call to the client's
handler, by the clock of this machine. It takes its own share of the machine: to
measure a server, run it elsewhere.`
}

// A sample is the data of a publication.
type sample struct {
	Run string `json:"run"` // other programs may publish to the channel too
	N   int    `json:"n"`   // counts from 1 in each channel
	At  int64  `json:"at"`  // when it was published, in microseconds since 1970
	Pad string `json:"pad"`
}

// A load is one run of the benchmark.
type load struct {
	*benchCmd
	run      string
	channels []string

	subscribed, published, delivered, lost, doubled, gaps, retries atomic.Int64
	failed                                                         atomic.Int64 // publications
	failure                                                        atomic.Pointer[error]
	latency                                                        histogram.Histogram
}

// Run runs the benchmark and prints the result.
func (c *benchCmd) Run(ctx context.Context, out io.Writer) error {
	switch {
	case c.Connections < 1 || c.Channels < 0 || c.Rate <= 0 || c.Duration <= 0:
		return errors.New("--connections, --rate and --duration must be more than 0, and --channels not less")
	case c.Channels == 0 || c.Channels > c.Connections:
		c.Channels = c.Connections
	}
	l := &load{benchCmd: c, run: rand.Text()[:8]}
	for i := range c.Channels {
		l.channels = append(l.channels, fmt.Sprintf("%s%s:%d", c.Prefix, l.run, i))
	}
	readers, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	stop := l.progress()
	err := l.subscribe(readers, &wg)
	if err == nil {
		err = l.publish(ctx)
	}
	if err == nil {
		l.drain(ctx)
	}
	stop()
	if err != nil {
		return err
	}
	return l.report(out)
}

// progress tells every second how far it is, until the returned func is called.
func (l *load) progress() func() {
	start, done := time.Now(), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				fmt.Fprintf(os.Stderr, "%4.0fs  %d of %d subscribed, %d published, %d of %d delivered, %d lost, %d doubled, p99 %v\n",
					time.Since(start).Seconds(), l.subscribed.Load(), l.Connections, l.published.Load(), l.delivered.Load(), l.expected(),
					l.lost.Load(), l.doubled.Load(), l.latency.Quantile(0.99))
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// expected is how many deliveries the publications so far must give. Each
// channel has as many readers as the next, or one more.
func (l *load) expected() int64 {
	per, more := int64(l.Connections/l.Channels), int64(l.Connections%l.Channels)
	n := l.published.Load()
	rounds, rest := n/int64(l.Channels), n%int64(l.Channels)
	return n*per + rounds*more + min(rest, more)
}

// dialing is how many clients connect at once.
const dialing = 64

// subscribe starts the clients and waits until each is subscribed. They read
// until ctx is done.
func (l *load) subscribe(ctx context.Context, wg *sync.WaitGroup) error {
	slots, failed := make(chan struct{}, dialing), make(chan error, l.Connections)
	for i := range l.Connections {
		select {
		case slots <- struct{}{}:
		case err := <-failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
		wg.Go(func() { // ends with ctx, or when the server refuses
			var once sync.Once
			free := func() { once.Do(func() { l.subscribed.Add(1); <-slots }) }
			if err := l.read(ctx, l.channels[i%l.Channels], free); err != nil {
				failed <- err
			}
		})
	}
	for l.subscribed.Load() < int64(l.Connections) {
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// read is one client. It comes back when its connection ends, but the first must
// succeed.
func (l *load) read(ctx context.Context, channel string, ready func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	in := false
	c := &client.Client{
		Endpoint: l.URL, Token: l.Token,
		OnSubscribed: func(string, surewire.Position) { in = true; ready() },
		OnRetry: func(err error, _ time.Duration) {
			if l.retries.Add(1); !in {
				cancel(fmt.Errorf("%w\nis the server running? start one with: surewire serve --dev", err))
			}
		},
	}
	last := 0
	for m, err := range c.Tail(ctx, channel, nil) {
		if errors.Is(err, client.ErrGap) {
			l.gaps.Add(1)
			continue
		}
		if err != nil {
			return fmt.Errorf("channel %q: %w", channel, err)
		}
		var s sample
		if json.Unmarshal(m.Data, &s) != nil || s.Run != l.run {
			continue
		}
		l.latency.Add(time.Since(time.UnixMicro(s.At)))
		l.delivered.Add(1)
		switch {
		case s.N <= last:
			l.doubled.Add(1)
			continue
		case s.N > last+1:
			l.lost.Add(int64(s.N - last - 1))
		}
		last = s.N
	}
	if !in {
		return context.Cause(ctx)
	}
	return nil
}

// publish publishes at the rate for the duration. Each channel has one publisher
// at a time, so that its samples are in order.
func (l *load) publish(ctx context.Context) error {
	type turn struct{ channel, n int }
	workers := min(l.Channels, dialing)
	queues := make([]chan turn, workers)
	var wg sync.WaitGroup
	for i := range queues {
		queues[i] = make(chan turn, 1024)
		wg.Go(func() { // ends when its queue is closed
			for t := range queues[i] {
				l.one(ctx, t.channel, t.n)
			}
		})
	}
	start := time.Now()
	total := int(l.Rate * l.Duration.Seconds())
	for i := range total {
		due := start.Add(time.Duration(float64(i) / l.Rate * float64(time.Second)))
		select {
		case <-ctx.Done():
		case <-time.After(time.Until(due)):
		}
		if ctx.Err() != nil {
			break
		}
		channel := i % l.Channels
		queues[channel%workers] <- turn{channel, i/l.Channels + 1}
	}
	for _, q := range queues {
		close(q)
	}
	wg.Wait()
	if err := l.failure.Load(); err != nil {
		return fmt.Errorf("%d publications failed: %w", l.failed.Load(), *err)
	}
	return ctx.Err()
}

// one publishes one sample.
func (l *load) one(ctx context.Context, channel, n int) {
	s := sample{Run: l.run, N: n, At: time.Now().UnixMicro()}
	empty, _ := asIs.Append(nil, s)
	s.Pad = strings.Repeat("x", max(l.Size-len(empty), 0))
	_, err := l.call(ctx, "publish", map[string]any{"channel": l.channels[channel], "data": s})
	if err != nil {
		l.failed.Add(1)
		l.failure.Store(&err)
		return
	}
	l.published.Add(1)
}

// quiet is how long nothing may arrive before what is missing counts as lost.
const quiet = 5 * time.Second

// drain waits for what is still on its way.
func (l *load) drain(ctx context.Context) {
	for had, since := int64(-1), time.Now(); l.delivered.Load() < l.expected() && time.Since(since) < quiet && ctx.Err() == nil; {
		if now := l.delivered.Load(); now != had {
			had, since = now, time.Now()
		}
		time.Sleep(10 * time.Millisecond)
	}
	if missing := l.expected() - l.delivered.Load() + l.doubled.Load(); missing > l.lost.Load() {
		l.lost.Store(missing)
	}
}

// A benchResult is what a run came to.
type benchResult struct {
	Connections int     `json:"connections"`
	Channels    int     `json:"channels"`
	Published   int64   `json:"published"`
	Delivered   int64   `json:"delivered"`
	Lost        int64   `json:"lost"`
	Doubled     int64   `json:"doubled"`
	Gaps        int64   `json:"gaps"`    // that clients were told of
	Retries     int64   `json:"retries"` // connections that ended
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	Max         float64 `json:"max_ms"`
}

// report prints the result. It is an error if something was lost or doubled.
func (l *load) report(out io.Writer) error {
	ms := func(q float64) float64 { return float64(l.latency.Quantile(q).Microseconds()) / 1000 }
	r := benchResult{
		l.Connections, l.Channels, l.published.Load(), l.delivered.Load(), l.lost.Load(), l.doubled.Load(),
		l.gaps.Load(), l.retries.Load(), ms(0.5), ms(0.99), ms(1),
	}
	if l.JSON {
		b, _ := asIs.Append(nil, r)
		fmt.Fprintln(out, string(b))
	} else {
		fmt.Fprintf(out, "%d connections on %d channels\n%d published, %d delivered, %d lost, %d doubled\nlatency p50 %.2f ms, p99 %.2f ms, at most %.2f ms\n",
			r.Connections, r.Channels, r.Published, r.Delivered, r.Lost, r.Doubled, r.P50, r.P99, r.Max)
	}
	if r.Lost > 0 || r.Doubled > 0 {
		return fmt.Errorf("%d lost, %d doubled; clients were told of %d gaps, and %d connections ended early", r.Lost, r.Doubled, r.Gaps, r.Retries)
	}
	return nil
}
