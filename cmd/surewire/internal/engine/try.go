package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/surewire/surewire/natsengine"
)

// tryTimeout is how long an engine has to answer.
const tryTimeout = 10 * time.Second

// Try opens what keeps the channels, and says how it is; a node of a cluster and a
// folder that is not there stay as they are.
func (e *Flags) Try(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	switch {
	case e.Engine == "memory":
		fmt.Fprintln(out, "\nChannels are kept in memory: what was published ends with the process.")
		return nil
	case len(e.Peers) > 0:
		fmt.Fprintf(out, "\nNode %s is not started for this: the others would take it into their cluster. Once it runs, GET /readyz says how it is.\n", e.Node)
		return nil
	case len(e.NATS) > 0:
		return e.tryNATS(ctx, out)
	}
	if _, err := os.Stat(e.Data); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(out, "\nChannels are kept in %s, which is not there yet: serve makes it.\n", e.Data)
		return nil
	}
	s, err := e.embed(slog.New(slog.DiscardHandler))
	if err != nil {
		return fmt.Errorf("--data %s: %w", e.Data, err)
	}
	n := s.Stats()
	fmt.Fprintf(out, "\nChannels are kept in %s: %d MiB, and %d MiB of the disk are free.\n", e.Data, n.Used>>20, n.Free>>20)
	if err = s.Healthy(); err != nil {
		err = fmt.Errorf("--data %s: nothing can be published: %w", e.Data, err)
	}
	return errors.Join(err, s.Close(ctx))
}

// tryNATS tries a NATS that exists.
func (e *Flags) tryNATS(ctx context.Context, out io.Writer) error {
	var shown []string // a URL may hold a password
	for _, text := range e.NATS {
		u, err := url.Parse(text)
		if err != nil {
			return errors.New("--nats: want URLs such as nats://10.0.0.1:4222")
		}
		shown = append(shown, u.Redacted())
	}
	urls := strings.Join(shown, ", ")
	engine, err := natsengine.Open(ctx, natsengine.Config{URLs: e.NATS, Credentials: e.Credentials, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("--nats %s: %w", urls, err)
	}
	if err = engine.Healthy(ctx); err == nil {
		fmt.Fprintf(out, "\nChannels are kept in the NATS at %s: it answers, and has JetStream.\n", urls)
	}
	return errors.Join(err, engine.Close(ctx))
}
