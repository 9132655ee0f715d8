//go:build linux

package main

import (
	"time"

	"github.com/surewire/surewire/bench/live/internal/report"
	"github.com/surewire/surewire/bench/live/internal/subject"
)

// A scene is a server with its clients, and what is measured of them, in order.
type scene struct {
	name    string
	clients int
	own     bool // a channel for each client; else one for all
	bare    bool // clients say nothing
	secure  bool // over TLS
	steps   []step
}

// A step is one measurement.
type step struct {
	report.Step
	run func(*stage) (report.Sample, error)
	of  func(subject.Subject) bool // whom it can be measured of
}

func scenes() []scene {
	return []scene{
		{name: "1,000 readers of a channel", clients: 1000, steps: []step{
			closed("fan1k-w1", "1,000 readers, 1 on its way", 1, 2*time.Second),
			closed("fan1k-w16", "1,000 readers, 16 on their way", 16, 1500*time.Millisecond),
			closed("fan1k-w64", "1,000 readers, 64 on their way", 64, 1500*time.Millisecond),
			paced("fan1k-50hz", "1,000 readers, 50 messages a second", 50, 3*time.Second),
		}},
		{name: "10,000 readers of a channel", clients: 10_000, steps: []step{
			{report.Step{Name: "handshake", About: "a connection and its subscription", Kind: report.Handshakes}, (*stage).handshake, all},
			{report.Step{Name: "idle", About: "an idle connection of 10,000", Kind: report.Idle}, (*stage).idle, all},
			closed("fan10k-w1", "10,000 readers, 1 on its way", 1, 3*time.Second),
			closed("fan10k-w16", "10,000 readers, 16 on their way", 16, time.Second),
			closed("fan10k-w64", "10,000 readers, 64 on their way", 64, time.Second),
			storm("storm", "10,000 readers of a channel return"),
		}},
		{name: "10,000 that say nothing", clients: 10_000, bare: true, steps: []step{
			{report.Step{Name: "upgrade", About: "a WebSocket on which nothing is said", Kind: report.Handshakes}, (*stage).handshake, all},
		}},
		{name: "2,000 readers over TLS", clients: 2000, secure: true, steps: []step{
			{report.Step{Name: "idle-tls", About: "an idle connection of 2,000 over TLS", Kind: report.Idle}, (*stage).idle, encrypts},
		}},
		{name: "1,000 channels of one reader", clients: 1000, own: true, steps: []step{
			paced("own1k-40hz", "1,000 channels of one reader, 40 messages a second each", 40, 3*time.Second),
		}},
		{name: "10,000 channels of one reader", clients: 10_000, own: true, steps: []step{
			paced("own10k-1hz", "10,000 channels of one reader, a message a second each", 1, 4*time.Second),
			storm("storm-own", "10,000 readers of their own channels return"),
		}},
		{name: "nobody reads", clients: 0, own: true, steps: []step{
			{report.Step{Name: "publish", About: "a publication", Kind: report.Publications}, (*stage).alone, keeps},
		}},
	}
}

func all(subject.Subject) bool        { return true }
func encrypts(s subject.Subject) bool { return !s.Limit } // whose loop is over bare sockets
func keeps(s subject.Subject) bool    { return s.Recovery }

// closed keeps a number of messages on their way to all clients.
func closed(name, about string, window int, length time.Duration) step {
	run := func(s *stage) (report.Sample, error) { return s.closed(name, window, length) }
	return step{report.Step{Name: name, About: about, Kind: report.Deliveries}, run, all}
}

// paced publishes at so many messages a second on each channel.
func paced(name, about string, rate float64, length time.Duration) step {
	run := func(s *stage) (report.Sample, error) { return s.paced(name, rate, length) }
	return step{report.Step{Name: name, About: about, Kind: report.Paced}, run, all}
}

// storm cuts off all clients, which return.
func storm(name, about string) step {
	run := func(s *stage) (report.Sample, error) { return s.storm(name) }
	return step{report.Step{Name: name, About: about, Kind: report.Storm}, run, keeps}
}

// can reports whether a step can be measured of a subject with the scene's clients.
func (c scene) can(s subject.Subject, step step) bool {
	return step.of(s) && (s.Channels || !c.own)
}
