//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/surewire/surewire/bench/live/internal/message"
	"github.com/surewire/surewire/bench/live/internal/report"
	"github.com/surewire/surewire/bench/live/internal/subject"
)

// A session is what will be measured, and what has been.
type session struct {
	options  options
	stderr   io.Writer
	scenes   []scene
	subjects []subject.Subject

	machine machine
	samples map[report.Key][]report.Sample
	checked uint64 // messages that clients have checked
	failed  []string
}

func newSession(o options, stderr io.Writer) (*session, error) {
	s := &session{options: o, stderr: stderr, samples: make(map[report.Key][]report.Sample)}
	clients := 0
	for _, c := range scenes() {
		var chosen []step
		for _, step := range c.steps {
			if o.cases.MatchString(step.Name) {
				chosen = append(chosen, step)
			}
		}
		if c.steps = chosen; len(chosen) == 0 {
			continue
		}
		if o.quick {
			c.clients = (c.clients + 49) / 50
		}
		clients = max(clients, c.clients)
		s.scenes = append(s.scenes, c)
	}
	for _, sub := range subject.All() {
		if o.servers.MatchString(sub.Name) && (!sub.Asked || o.servers.String() != "") {
			s.subjects = append(s.subjects, sub)
		}
	}
	switch {
	case len(s.scenes) == 0:
		return nil, fmt.Errorf("-cases: no case matches %q", o.cases)
	case len(s.subjects) == 0:
		return nil, fmt.Errorf("-servers: no server matches %q", o.servers)
	}
	if o.profile != "" {
		if err := os.MkdirAll(o.profile, 0o755); err != nil {
			return nil, err
		}
	}
	return s, raiseLimit(uint64(clients))
}

// spareFiles is how many open files a process has besides its connections.
const spareFiles = 100

// raiseLimit lets this process, and those that it starts, have so many connections.
func raiseLimit(clients uint64) error {
	want := clients + spareFiles
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	had := limit.Max
	limit.Cur, limit.Max = max(limit.Cur, want), max(limit.Max, want)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("%d connections need %d open files, and %d are allowed (%w): raise the hard limit (ulimit -Hn), or measure less (-cases 1k)", clients, want, had, err)
	}
	return nil
}

// measure lets the servers take turns. What fails is surewire's own, or it is
// told in the report.
func (s *session) measure(ctx context.Context) error {
	if err := s.machine.begin(); err != nil {
		return err
	}
	for round := range s.options.rounds {
		for _, c := range s.scenes {
			for i := range s.subjects {
				// Another is first in each round.
				sub := s.subjects[(i+round)%len(s.subjects)]
				if ctx.Err() != nil {
					return errors.New("interrupted")
				}
				err := s.one(ctx, round, c, sub)
				if ctx.Err() != nil {
					return errors.New("interrupted")
				}
				if err = s.judge(sub, c, round, err); err != nil {
					return err
				}
				s.machine.look()
			}
		}
		fmt.Fprintf(s.stderr, "round %d of %d is done after %v\n", round+1, s.options.rounds, s.machine.took().Round(time.Second))
	}
	return s.machine.end()
}

// judge returns an error that ends the session, and notes one that does not.
func (s *session) judge(sub subject.Subject, c scene, round int, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s, %s: %w", sub.Name, c.name, err)
	if strings.HasPrefix(sub.Name, subject.Surewire) || sub.Limit {
		return err
	}
	fmt.Fprintln(s.stderr, "live:", err)
	s.failed = append(s.failed, fmt.Sprintf("round %d failed of %v", round+1, err))
	return nil
}

// one measures the steps of a scene of one server.
func (s *session) one(ctx context.Context, round int, c scene, sub subject.Subject) error {
	var steps []step
	for _, step := range c.steps {
		if c.can(sub, step) {
			steps = append(steps, step)
		}
	}
	if len(steps) == 0 {
		return nil
	}
	st := &stage{subject: sub, clients: c.clients, own: c.own, bare: c.bare, secure: c.secure, quick: s.options.quick, profile: s.options.profile}
	if steps[0].Kind == report.Handshakes {
		st.connecting = steps[0].Name
	}
	if err := st.open(ctx); err != nil {
		return err
	}
	defer st.close()
	var line strings.Builder
	fmt.Fprintf(&line, "%s, %s:", sub.Name, c.name)
	for _, step := range steps {
		sample, err := step.run(st)
		if err != nil {
			return fmt.Errorf("%s: %w", step.Name, err)
		}
		sample.Round = round
		k := report.Key{Subject: sub.Name, Step: step.Name}
		s.samples[k] = append(s.samples[k], sample)
		fmt.Fprintf(&line, " %s %v", step.Name, sample)
	}
	s.checked += st.load.Received()
	fmt.Fprintln(s.stderr, line.String())
	return nil
}

// results is the report of what was measured.
func (s *session) results() report.Results {
	r := report.Results{
		Command: "go run ./live -out LIVE.md", Machine: facts(), Rounds: s.options.rounds,
		Took: s.machine.took(), Checked: s.checked, Message: message.Size, Samples: s.samples,
		Notes: append([]string{s.machine.note()}, s.failed...),
	}
	if s.options.quick {
		r.Notes = append(r.Notes, "this was a quick run with a fiftieth of the clients: the figures mean nothing.")
	}
	if s.options.cases.String() != "" || s.options.servers.String() != "" {
		r.Notes = append(r.Notes, "some cases or servers were left out by flags.")
	}
	if s.options.profile != "" {
		r.Notes = append(r.Notes, "the servers were writing profiles, which costs time.")
	}
	for _, sub := range s.subjects {
		r.Subjects = append(r.Subjects, report.Subject{
			Name: sub.Name, About: sub.About, Module: sub.Module, Version: version(sub.Module), Limit: sub.Limit,
		})
	}
	for _, c := range s.scenes {
		for _, step := range c.steps {
			r.Steps = append(r.Steps, step.Step)
		}
	}
	return r
}
