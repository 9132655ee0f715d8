package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/surewire/surewire/bench/encode/internal/measure"
	"github.com/surewire/surewire/bench/encode/internal/peer"
	"github.com/surewire/surewire/bench/encode/internal/report"
	"github.com/surewire/surewire/bench/encode/internal/values"
	"github.com/surewire/surewire/bench/encode/internal/worker"
	"github.com/surewire/surewire/surejson"
)

// A session is what will be measured, and what is known before.
type session struct {
	options options
	tasks   []measure.Task
	results report.Results
	close   func() error
}

// open prepares what o asks for: encoders are checked, and the second process
// is started.
func open(ctx context.Context, o options, stderr io.Writer) (*session, error) {
	s := &session{options: o, close: func() error { return nil }}
	s.results = report.Results{
		Command: "go run ./encode -out RESULTS.md", Machine: machine(),
		Rounds: o.rounds, Budget: o.budget,
	}
	var chosen []values.Value
	for _, v := range values.All() {
		if !o.value.MatchString(v.Name) {
			continue
		}
		chosen = append(chosen, v)
		done, _ := surejson.Marshal(v.Data)
		s.results.Values = append(s.results.Values, report.Value{Name: v.Name, About: v.About, Size: len(done)})
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("-value: no value matches %q", o.value)
	}
	s.addOwn(ctx, chosen)
	if o.jsonv2 && !peer.Experiment {
		if err := s.addWorker(ctx, chosen, stderr); err != nil {
			return nil, err
		}
	}
	if len(chosen) < len(values.All()) || o.encoder.String() != "" || !o.jsonv2 {
		s.note("some values or encoders were left out by flags.")
	}
	s.sort(chosen)
	return s, nil
}

// addOwn adds the encoders of this binary.
func (s *session) addOwn(ctx context.Context, chosen []values.Value) {
	for _, e := range peer.All() {
		if !s.wants(e.Info) {
			continue
		}
		entry := report.Encoder{Info: e.Info, Version: version(e.Module), Differences: map[string]string{}}
		for _, v := range chosen {
			codec, ok := e.New(v)
			if !ok {
				continue
			}
			entry.Differences[v.Name] = e.Check(v)
			for _, mode := range peer.Modes {
				f := codec.Mode(mode)
				s.add(ctx, measure.Key{Encoder: e.Name, Value: v.Name, Mode: mode}, func(measure.Key) (measure.Sample, error) {
					return measure.Run(f, s.options.budget)
				})
			}
		}
		s.results.Encoders = append(s.results.Encoders, entry)
	}
}

// addWorker adds the encoders of the second process. Where there can be none,
// the report says so.
func (s *session) addWorker(ctx context.Context, chosen []values.Value, stderr io.Writer) error {
	if !slices.ContainsFunc(peer.EngineNames, s.options.encoder.MatchString) {
		return nil // not worth a second process
	}
	fmt.Fprintln(stderr, "building the part for encoding/json/v2")
	client, stop, err := worker.Start(ctx, stderr)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprintln(stderr, "encode: leaving out encoding/json/v2:", err)
		s.note("`encoding/json/v2` is left out, since this command could not be built under `GOEXPERIMENT=jsonv2`.")
		return nil
	}
	s.close = stop
	for _, info := range client.Encoders() {
		if !s.wants(info) {
			continue
		}
		entry := report.Encoder{Info: info, Differences: map[string]string{}}
		for _, v := range chosen {
			entry.Differences[v.Name] = client.Difference(info.Name, v.Name)
			for _, mode := range peer.Modes {
				s.add(ctx, measure.Key{Encoder: info.Name, Value: v.Name, Mode: mode}, func(k measure.Key) (measure.Sample, error) {
					return client.Measure(k, s.options.budget)
				})
			}
		}
		s.results.Encoders = append(s.results.Encoders, entry)
	}
	return nil
}

// wants reports whether info was asked for. What others are compared with
// always is.
func (s *session) wants(info peer.Info) bool {
	return info.Name == info.Class.Base() || s.options.encoder.MatchString(info.Name)
}

func (s *session) add(ctx context.Context, k measure.Key, take func(measure.Key) (measure.Sample, error)) {
	s.tasks = append(s.tasks, measure.Task{Key: k, Measure: func() (measure.Sample, error) {
		if err := ctx.Err(); err != nil {
			return measure.Sample{}, errors.New("interrupted")
		}
		sample, err := take(k)
		if err != nil {
			err = fmt.Errorf("%s on %s: %w", k.Encoder, k.Value, err)
		}
		return sample, err
	}})
}

func (s *session) note(text string) { s.results.Notes = append(s.results.Notes, text) }

// sort puts the tasks of one value together, so that what is compared is
// measured within seconds, and the rows of one library.
func (s *session) sort(chosen []values.Value) {
	rank := func(t measure.Task) int {
		i := slices.IndexFunc(chosen, func(v values.Value) bool { return v.Name == t.Key.Value })
		return i*len(peer.Modes) + slices.Index(peer.Modes, t.Key.Mode)
	}
	slices.SortStableFunc(s.tasks, func(a, b measure.Task) int { return rank(a) - rank(b) })
	library := func(e report.Encoder) int {
		return slices.IndexFunc([]string{"surejson", "std-", ""}, func(prefix string) bool { return strings.HasPrefix(e.Name, prefix) })
	}
	slices.SortStableFunc(s.results.Encoders, func(a, b report.Encoder) int { return library(a) - library(b) })
}
