//go:build linux

// Live compares a whole Surewire server with other servers for WebSockets.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"

	"github.com/surewire/surewire/bench/live/internal/control"
	"github.com/surewire/surewire/bench/live/internal/subject"
)

func main() {
	serveIfAsked()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "live:", err)
		os.Exit(1)
	}
}

// serveIfAsked does not return in a process that another one started to be a
// server.
func serveIfAsked() {
	if len(os.Args) != 3 || os.Args[1] != control.Argument {
		return
	}
	if err := subject.Serve(os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "live: server %s: %v\n", os.Args[2], err)
		os.Exit(1)
	}
	os.Exit(0)
}

// options are the flags.
type options struct {
	rounds         int
	cases, servers *regexp.Regexp
	out, profile   string
	quick          bool
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	o.cases, o.servers = regexp.MustCompile(""), regexp.MustCompile("")
	set := flag.NewFlagSet("live", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() {
		fmt.Fprint(stderr, help)
		set.PrintDefaults()
	}
	set.IntVar(&o.rounds, "rounds", 5, "measure everything `n` times; 1 with -quick, unless given")
	set.StringVar(&o.out, "out", "", "write the Markdown to `file`, and print only the excerpt")
	set.StringVar(&o.profile, "profile", "", "write CPU and heap profiles of the servers into `folder`; they cost time")
	set.BoolVar(&o.quick, "quick", false, "few clients, for a short time")
	set.Func("cases", "only cases whose name matches `regexp`", into(&o.cases))
	set.Func("servers", "only servers whose name matches `regexp`", into(&o.servers))
	if err := set.Parse(args); err != nil {
		return o, err
	}
	given := false
	set.Visit(func(f *flag.Flag) { given = given || f.Name == "rounds" })
	if o.quick && !given {
		o.rounds = 1
	}
	switch {
	case set.NArg() > 0:
		return o, fmt.Errorf("%q is not a flag; see -help", set.Arg(0))
	case o.rounds < 1:
		return o, errors.New("-rounds: at least 1")
	}
	return o, nil
}

func into(r **regexp.Regexp) func(string) error {
	return func(s string) (err error) {
		*r, err = regexp.Compile(s)
		return err
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	_, err := measure(ctx, args, stdout, stderr)
	return err
}

// measure is run, and returns what was measured besides.
func measure(ctx context.Context, args []string, stdout, stderr io.Writer) (*session, error) {
	o, err := parse(args, stderr)
	if err != nil {
		return nil, err
	}
	s, err := newSession(o, stderr)
	if err != nil {
		return nil, err
	}
	if err := s.measure(ctx); err != nil {
		return nil, err
	}
	results := s.results()
	if o.out == "" {
		_, err = io.WriteString(stdout, results.Markdown())
		return s, err
	}
	if err := os.WriteFile(o.out, []byte(results.Markdown()), 0o644); err != nil {
		return nil, err
	}
	_, err = io.WriteString(stdout, results.Excerpt())
	return s, err
}
