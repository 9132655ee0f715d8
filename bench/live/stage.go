//go:build linux

package main

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/surewire/surewire/bench/live/internal/control"
	"github.com/surewire/surewire/bench/live/internal/load"
	"github.com/surewire/surewire/bench/live/internal/report"
	"github.com/surewire/surewire/bench/live/internal/subject"
)

// A stage is one server that runs, with its clients.
type stage struct {
	subject subject.Subject
	clients int
	own     bool
	bare    bool
	secure  bool
	quick   bool
	profile string // the folder of profiles; empty for none

	connecting string // the step that connecting the clients is; empty if it is none

	server *control.Process
	load   *load.Load

	before    control.Memory // without clients
	connected report.Sample  // what it cost to connect the clients
}

// open starts the server and connects the clients.
func (s *stage) open(ctx context.Context) (err error) {
	token, err := subject.Token()
	if err != nil {
		return err
	}
	name := s.subject.Name
	if s.secure {
		name += subject.Secure
	}
	if s.server, err = control.Start(ctx, name); err != nil {
		return err
	}
	s.load, err = load.Open(load.Options{
		Address: s.server.Address, Clients: s.clients, Own: s.own, Bare: s.bare, Secure: s.secure, Channel: subject.Channel, Token: token, Recover: s.subject.Recovery,
	})
	if err != nil {
		s.server.Stop()
		return err
	}
	settled, err := s.server.Ask(control.Request{Do: control.Settle})
	if err == nil {
		s.before = settled.Memory
		s.connected, err = s.cost(s.connecting, func() (uint64, error) { return uint64(s.clients), s.load.Connect() })
	}
	if err != nil {
		s.close()
	}
	return err
}

func (s *stage) close() {
	s.load.Close()
	s.server.Stop()
}

// channels is how many are published to.
func (s *stage) channels() int {
	if s.own {
		return max(s.clients, 1)
	}
	return 1
}

// readers is how many clients get each message.
func (s *stage) readers() uint64 { return uint64(s.clients / s.channels()) }

// cost returns what the server uses for f, which returns the number of units.
func (s *stage) cost(name string, f func() (units uint64, err error)) (report.Sample, error) {
	before, err := s.server.Ask(s.profiling(name))
	if err != nil {
		return report.Sample{}, err
	}
	start := time.Now()
	bytes, reads := s.load.Bytes()
	received := s.load.Received()
	units, err := f()
	if err != nil {
		return report.Sample{}, err
	}
	took := time.Since(start)
	after, err := s.server.Ask(s.profiling(""))
	if err != nil {
		return report.Sample{}, err
	}
	used, n := after.Usage.Sub(before.Usage), float64(units)
	sample := report.Sample{
		Units: units, Seconds: took.Seconds(), CPU: micro(used.CPU()) / n, User: micro(used.User) / n, Allocs: float64(used.Allocs) / n,
	}
	if got := float64(s.load.Received() - received); got > 0 {
		b, r := s.load.Bytes()
		sample.Wire, sample.Joined = float64(b-bytes)/got, got/float64(r-reads)
	}
	return sample, nil
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// profiling is a request to measure, and to write a profile from then on if
// there is a name and profiles are wanted.
func (s *stage) profiling(name string) control.Request {
	if s.profile == "" {
		return control.Request{Do: control.Measure}
	}
	r := control.Request{Do: control.Profile}
	if name != "" {
		r.File = filepath.Join(s.profile, s.subject.Name+"-"+name+".cpu.pprof")
	}
	return r
}

// span is the length of a measurement.
func (s *stage) span(length time.Duration) time.Duration {
	if s.quick {
		return length / 40
	}
	return length
}

func (s *stage) handshake() (report.Sample, error) { return s.connected, nil }

// idle measures what the server keeps for clients that do nothing.
func (s *stage) idle() (report.Sample, error) {
	now, err := s.server.Ask(control.Request{Do: control.Settle})
	if err != nil {
		return report.Sample{}, err
	}
	if s.profile != "" {
		if _, err := s.server.Ask(control.Request{Do: control.Heap, File: filepath.Join(s.profile, s.subject.Name+"-idle.heap.pprof")}); err != nil {
			return report.Sample{}, err
		}
	}
	more, n := now.Memory.Sub(s.before), float64(s.clients)
	return report.Sample{
		Units: uint64(s.clients), Memory: float64(more.Resident) / n, Heap: float64(more.Heap) / n,
		Stacks: float64(more.Stacks) / n, Goroutines: float64(more.Goroutines) / n,
	}, s.load.Quiet(0)
}

// closed measures messages of which so many are on their way at any time.
func (s *stage) closed(name string, window int, length time.Duration) (report.Sample, error) {
	publish := func(n int) error {
		return s.server.Send(control.Request{Do: control.Burst, Channels: 1, Messages: n})
	}
	if err := s.burst(); err != nil { // warms up
		return report.Sample{}, err
	}
	sample, err := s.cost(name, func() (uint64, error) {
		n, err := s.load.Closed(window, s.span(length), publish)
		return n * s.readers(), err
	})
	return sample, s.settled(err)
}

// paced measures messages at a rate on each channel.
func (s *stage) paced(name string, rate float64, length time.Duration) (report.Sample, error) {
	if err := s.burst(); err != nil { // warms up
		return report.Sample{}, err
	}
	before := s.load.Received()
	s.load.Delays(true)
	sample, err := s.cost(name, func() (uint64, error) {
		err := s.server.Send(control.Request{
			Do: control.Pace, Channels: s.channels(), Rate: rate * float64(s.channels()), For: s.span(length),
		})
		if err != nil {
			return 0, err
		}
		reply, ok, err := load.While(s.load, s.server.Replies())
		if err != nil {
			return 0, err
		}
		if reply, err = s.server.Check(reply, ok); err != nil {
			return 0, err
		}
		err = s.load.Until(reply.Published * s.readers())
		return s.load.Received() - before, err
	})
	delays := s.load.Delays(false)
	slices.Sort(delays)
	if n := len(delays); n > 0 {
		sample.P50, sample.P99 = float64(delays[n/2])/1000, float64(delays[n*99/100])/1000
	}
	return sample, s.settled(err)
}

// burst publishes a message on each channel and waits until all have it.
func (s *stage) burst() error {
	if err := s.server.Send(control.Request{Do: control.Burst, Channels: s.channels(), Messages: 1}); err != nil {
		return err
	}
	return s.load.Until(s.load.Received() + uint64(s.clients))
}

// missed is how many messages a client misses in a storm.
const missed = 10

// storm drops all clients at once, publishes what they miss, and measures how
// long it takes until all are back and have it, with what the clients do
// themselves. The server's CPU includes the drop and the publications.
func (s *stage) storm(name string) (report.Sample, error) {
	if err := s.burst(); err != nil { // so that there is a place to return to
		return report.Sample{}, err
	}
	var took time.Duration
	sample, err := s.cost(name, func() (uint64, error) {
		s.load.Drop()
		if err := s.server.Send(control.Request{Do: control.Burst, Channels: s.channels(), Messages: missed}); err != nil {
			return 0, err
		}
		if _, err := s.server.Ask(control.Request{Do: control.Measure}); err != nil {
			return 0, err
		}
		start, want := time.Now(), s.load.Received()+missed*uint64(s.clients)
		if err := s.load.Connect(); err != nil {
			return 0, err
		}
		err := s.load.Until(want)
		took = time.Since(start)
		return uint64(s.clients), err
	})
	sample.Seconds = took.Seconds()
	return sample, s.settled(err)
}

// alone measures publications that nobody reads.
func (s *stage) alone() (report.Sample, error) {
	length := s.span(time.Second)
	warm, err := s.server.Ask(control.Request{Do: control.Alone, Channels: 1, For: length / 8})
	if err != nil {
		return report.Sample{}, err
	}
	return s.cost("publish", func() (uint64, error) {
		reply, err := s.server.Ask(control.Request{Do: control.Alone, Channels: 1, For: length})
		return reply.Published - warm.Published, err
	})
}

// settled looks whether more comes than should, after a measurement that went
// well.
func (s *stage) settled(err error) error {
	if err != nil {
		return err
	}
	return s.load.Quiet(20 * time.Millisecond)
}
