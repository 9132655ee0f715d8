// Encode compares surejson with other JSON encoders.
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
	"time"

	"github.com/surewire/surewire/bench/encode/internal/measure"
	"github.com/surewire/surewire/bench/encode/internal/worker"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "encode:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	rounds         int
	budget         time.Duration
	value, encoder *regexp.Regexp
	out            string
	jsonv2, worker bool
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	o.value, o.encoder = regexp.MustCompile(""), regexp.MustCompile("")
	set := flag.NewFlagSet("encode", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() {
		fmt.Fprint(stderr, usage)
		set.PrintDefaults()
	}
	set.IntVar(&o.rounds, "rounds", 6, "measure each encoder `n` times on each value")
	set.DurationVar(&o.budget, "time", 60*time.Millisecond, "length of one measurement")
	set.StringVar(&o.out, "out", "", "write the Markdown to `file`, and print only the excerpt")
	set.BoolVar(&o.jsonv2, "jsonv2", true, "include encoding/json/v2, in a second process")
	set.BoolVar(&o.worker, "worker", false, "be that second process: read requests from standard input")
	set.Func("value", "only values whose name matches `regexp`", into(&o.value))
	set.Func("encoder", "only encoders whose name matches `regexp`, besides surejson", into(&o.encoder))
	if err := set.Parse(args); err != nil {
		return o, err
	}
	switch {
	case set.NArg() > 0:
		return o, fmt.Errorf("%q is not a flag; see -help", set.Arg(0))
	case o.rounds < 1:
		return o, errors.New("-rounds: at least 1")
	case o.budget <= 0:
		return o, errors.New("-time: must be more than 0")
	}
	return o, nil
}

func into(r **regexp.Regexp) func(string) error {
	return func(s string) (err error) {
		*r, err = regexp.Compile(s)
		return err
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.worker {
		return worker.Serve(stdin, stdout)
	}
	s, err := open(ctx, o, stderr)
	if err != nil {
		return err
	}
	p := newProgress(stderr)
	samples, err := measure.Rounds(s.tasks, o.rounds, p.tick)
	p.done()
	if err := errors.Join(err, s.close()); err != nil {
		return err
	}
	s.results.Samples = samples
	if o.out == "" {
		_, err = io.WriteString(stdout, s.results.Markdown())
		return err
	}
	if err := os.WriteFile(o.out, []byte(s.results.Markdown()), 0o644); err != nil {
		return err
	}
	_, err = io.WriteString(stdout, s.results.Excerpt())
	return err
}
