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

	"github.com/surewire/surewire/bench/encode/internal/report"
)

func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.md")
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), []string{"-rounds", "2", "-time", "1ms", "-value", "a-|b-", "-encoder", "goccy|easyjson", "-jsonv2=false", "-out", file}, nil, &stdout, &stderr)
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(written)
	for _, want := range []string{"| surejson-html ", "| goccy-fast ", "| easyjson ", "b-eventmap", "Medians of 2 rounds", "left out by flags", "GOMAXPROCS"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	for _, no := range []string{"segmentio", "std-v1", "e-chat"} {
		if strings.Contains(text, no) {
			t.Errorf("has %q:\n%s", no, text)
		}
	}
	if !strings.Contains(text, report.ExcerptBegin+"\n"+stdout.String()+report.ExcerptEnd) {
		t.Errorf("printed something else than the excerpt:\n%s", &stdout)
	}
	if !strings.Contains(stderr.String(), "% measured, ") {
		t.Errorf("no progress: %q", &stderr)
	}
}

// The rest of the file that is committed is made in the same way; what this
// finds is a part of it that somebody edited, or a command that moved on.
func TestCommittedResults(t *testing.T) {
	text, err := os.ReadFile("../RESULTS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"go run ./encode -out RESULTS.md", report.ExcerptBegin, report.ExcerptEnd,
		"| std-v2 ", "| std-v1-on-v2 ", "| jsoniter-fast ", "| memcpy ", "e-chat",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("RESULTS.md lacks %q: was it written by the whole command?", want)
		}
	}
	if strings.Contains(string(text), "left out by flags") {
		t.Error("RESULTS.md is of a partial run")
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"-rounds 0", "-rounds: at least 1"},
		{"-time 0s", "-time: must be more than 0"},
		{"-value nosuch", `no value matches "nosuch"`},
		{"-value [", "missing closing ]"},
		{"goccy", `"goccy" is not a flag`},
	} {
		var stderr bytes.Buffer
		err := run(t.Context(), strings.Fields(c.args), nil, nil, &stderr)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.args, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, []string{"-jsonv2=false"}, nil, nil, &bytes.Buffer{}); err == nil || err.Error() != "interrupted" {
		t.Errorf("after an interrupt: %v", err)
	}
}

func TestHelp(t *testing.T) {
	var stderr bytes.Buffer
	if err := run(t.Context(), []string{"--help"}, nil, nil, &stderr); !errors.Is(err, flag.ErrHelp) {
		t.Fatal(err)
	}
	for _, want := range []string{"go run ./encode", "GOEXPERIMENT=jsonv2", "-rounds", "-encoder"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("lacks %q", want)
		}
	}
}
