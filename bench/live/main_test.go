//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/surewire/surewire/bench/live/internal/control"
	"github.com/surewire/surewire/bench/live/internal/report"
	"github.com/surewire/surewire/bench/live/internal/subject"
)

func TestMain(m *testing.M) {
	serveIfAsked() // the servers of these tests are this program too
	os.Exit(m.Run())
}

// All servers deliver all messages to all clients, once and in order, live and
// after all clients were cut off; what they take for it is no question here.
func TestQuick(t *testing.T) {
	file := filepath.Join(t.TempDir(), "live.md")
	var stdout, stderr bytes.Buffer
	s, err := measure(t.Context(), []string{"-quick", "-servers", ".", "-out", file}, &stdout, &stderr)
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if len(s.failed) > 0 {
		t.Errorf("failed: %q", s.failed)
	}
	for _, c := range scenes() {
		for _, step := range c.steps {
			for _, sub := range subject.All() {
				n := len(s.samples[report.Key{Subject: sub.Name, Step: step.Name}])
				if can := c.can(sub, step); can != (n == 1) {
					t.Errorf("%s of %s was measured %d times", step.Name, sub.Name, n)
				}
			}
		}
	}
	if s.checked < 100_000 {
		t.Errorf("only %d messages were checked", s.checked)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(written)
	for _, want := range []string{"this was a quick run", "centrifuge v0.", "melody v1.", "1,000 readers, 64 on their way", "limit |"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if !strings.Contains(text, report.ExcerptBegin+"\n"+stdout.String()+report.ExcerptEnd) {
		t.Errorf("printed something else than the excerpt:\n%s", &stdout)
	}
	if !strings.Contains(stderr.String(), "round 1 of 1 is done") {
		t.Errorf("no progress: %q", &stderr)
	}
}

func TestProfiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "p")
	args := []string{"-quick", "-servers", "surewire", "-cases", "handshake|idle|fan10k-w1$", "-profile", dir}
	if err := run(t.Context(), args, &bytes.Buffer{}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"surewire-handshake.cpu.pprof", "surewire-idle.heap.pprof", "surewire-fan10k-w1.cpu.pprof"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The rest of the file that is committed is made in the same way; what this
// finds is a part of it that somebody edited, or a command that moved on.
func TestCommittedResults(t *testing.T) {
	text, err := os.ReadFile("../LIVE.md")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"go run ./live -out LIVE.md", report.ExcerptBegin, report.ExcerptEnd}
	for _, c := range scenes() {
		for _, step := range c.steps {
			want = append(want, "| "+step.About)
		}
	}
	for _, s := range subject.All() {
		if !s.Asked {
			want = append(want, "- `"+s.Name+"`")
		}
	}
	for _, want := range want {
		if !strings.Contains(string(text), want) {
			t.Errorf("LIVE.md lacks %q: was it written by the whole command?", want)
		}
	}
	for _, no := range []string{"left out by flags", "a quick run", "writing profiles"} {
		if strings.Contains(string(text), no) {
			t.Errorf("LIVE.md is of a run that %q", no)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"-rounds 0", "-rounds: at least 1"},
		{"-cases nosuch", `no case matches "nosuch"`},
		{"-servers nosuch", `no server matches "nosuch"`},
		{"-cases [", "missing closing ]"},
		{"fan1k", `"fan1k" is not a flag`},
	} {
		err := run(t.Context(), strings.Fields(c.args), nil, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.args, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, []string{"-quick"}, nil, &bytes.Buffer{}); err == nil || err.Error() != "interrupted" {
		t.Errorf("after an interrupt: %v", err)
	}
}

// What a server's process fails of is told by its end.
func TestNoServer(t *testing.T) {
	_, err := control.Start(t.Context(), "nosuch")
	if err == nil || !strings.Contains(err.Error(), "the server's process ended: exit status 1") {
		t.Errorf("a server that does not exist: %v", err)
	}
}

func TestTooManyFiles(t *testing.T) {
	err := raiseLimit(1 << 40)
	if err == nil || !strings.Contains(err.Error(), "ulimit -Hn") {
		t.Errorf("a trillion connections: %v", err)
	}
}

func TestHelp(t *testing.T) {
	var stderr bytes.Buffer
	if err := run(t.Context(), []string{"--help"}, nil, &stderr); !errors.Is(err, flag.ErrHelp) {
		t.Fatal(err)
	}
	for _, want := range []string{"go run ./live", "-rounds", "-cases", "-quick", "open files"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("lacks %q", want)
		}
	}
}
