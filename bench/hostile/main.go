//go:build linux

// Hostile measures what clients that mean harm cost the others: what arrives, and
// how late it is.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	rounds := flag.Int("rounds", 5, "how often each attack is measured")
	length := flag.Duration("duration", 6*time.Second, "how long one measurement takes")
	out := flag.String("out", "", "file for the report; empty for the standard output")
	one := flag.Int("attack", 0, "attack with this one of the list, until interrupted; for the command itself")
	address := flag.String("address", "", "whom to attack")
	flag.Parse()
	if *one > 0 {
		fmt.Println(attacks[*one].run(ctx, *address))
		return
	}
	if err := run(ctx, *rounds, *length, *out); err != nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		os.Exit(1)
	}
}

// A sample is what the well-behaved had, as surewire bench tells it.
type sample struct {
	Published int     `json:"published"`
	Delivered int     `json:"delivered"`
	Lost      int     `json:"lost"`
	Doubled   int     `json:"doubled"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	attempts  int64   // of the attackers
}

func run(ctx context.Context, rounds int, length time.Duration, out string) error {
	folder, err := os.MkdirTemp("", "hostile")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	binary := filepath.Join(folder, "surewire")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/surewire")
	build.Dir, build.Stderr = "..", os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("surewire cannot be built; this command runs in the folder bench: %w", err)
	}
	address, server, err := serve(ctx, binary)
	if err != nil {
		return err
	}
	defer server.Wait()
	defer server.Process.Signal(os.Interrupt)
	if _, err := measure(ctx, binary, address, attacks[0], length); err != nil { // warms up
		return err
	}
	samples := make(map[string][]sample)
	for round := range rounds {
		for _, a := range attacks {
			s, err := measure(ctx, binary, address, a, length)
			if err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
			samples[a.name] = append(samples[a.name], s)
			fmt.Fprintf(os.Stderr, "round %d of %d, %s: %+v\n", round+1, rounds, a.name, s)
		}
	}
	text := report(samples, rounds)
	if out == "" {
		fmt.Print(text)
		return nil
	}
	return os.WriteFile(out, []byte(text), 0o644)
}

// serve starts the server.
func serve(ctx context.Context, binary string) (address string, _ *exec.Cmd, err error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address = l.Addr().String()
	l.Close()
	cmd := exec.CommandContext(ctx, binary, "serve", "--dev", "--address", address, "--log-level", "error")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	for range 100 {
		if conn, err := net.Dial("tcp4", address); err == nil {
			conn.Close()
			return address, cmd, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return "", nil, fmt.Errorf("nobody answers at %s", address)
}

// measure has 100 clients read 10 channels with 100 messages a second in all,
// while a is at work.
func measure(ctx context.Context, binary, address string, a attack, length time.Duration) (s sample, err error) {
	end, err := a.begin(ctx, address)
	if err != nil {
		return s, err
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, "bench", "--url", "http://"+address, "--json",
		"--connections", "100", "--channels", "10", "--rate", "100", "--duration", length.String())
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	err = cmd.Run()
	attempts := end()
	if err != nil {
		return s, err
	}
	err = json.Unmarshal(out.Bytes(), &s)
	s.attempts = attempts
	return s, err
}

func report(samples map[string][]sample, rounds int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Among clients that mean harm

Written by `+"`go run ./hostile -out HOSTILE.md`"+`; see [README.md](README.md).

100 clients read 10 channels with 100 messages a second in all, through `+"`surewire serve --dev`"+`; latency is from the call of the API to the client, by `+"`surewire bench`"+`. Server, these clients and the attackers share %d cores, but the attackers get only what the others leave: they are to be elsewhere. Medians of %d rounds.

| meanwhile | attempts | half within, ms | 99 %% within, ms | × | lost | doubled |
|:--|--:|--:|--:|--:|--:|--:|
`, runtime.NumCPU(), rounds)
	base := 0.0
	for _, a := range attacks {
		of := samples[a.name]
		p99 := median(of, func(s sample) float64 { return s.P99 })
		if base == 0 {
			base = p99
		}
		lost, doubled := 0, 0
		for _, s := range of {
			lost, doubled = lost+s.Lost, doubled+s.Doubled
		}
		fmt.Fprintf(&b, "| %s | %.0f | %.2f | %.2f | %.2f | %d | %d |\n", a.name, median(of, func(s sample) float64 { return float64(s.attempts) }),
			median(of, func(s sample) float64 { return s.P50 }), p99, p99/base, lost, doubled)
	}
	return b.String()
}

func median(samples []sample, of func(sample) float64) float64 {
	var all []float64
	for _, s := range samples {
		all = append(all, of(s))
	}
	slices.Sort(all)
	return all[len(all)/2]
}
