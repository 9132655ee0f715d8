package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/surewire/surewire/natsembed"
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
	case len(e.NATS) > 0:
		return e.tryNATS(ctx, out)
	}
	place, err := natsembed.Look(e.Data)
	switch {
	case err != nil:
		return e.dataError(err)
	case !place.There:
		fmt.Fprintf(out, "\nChannels are kept in %s, which is not there yet: serve makes it. %d MiB of the disk are free.\n", e.Data, place.Free>>20)
	case len(e.Peers) > 0:
		fmt.Fprintf(out, "\nChannels are kept in %s, which no other process has. %d MiB of the disk are free.\n", e.Data, place.Free>>20)
	default:
		return e.tryData(ctx, out)
	}
	if len(e.Peers) > 0 {
		fmt.Fprintf(out, "Node %s is not started for this: the others would take it into their cluster. Once it runs, GET /readyz says how it is.\n", e.Node)
	}
	return nil
}

// tryData opens a folder that is there.
func (e *Flags) tryData(ctx context.Context, out io.Writer) error {
	s, err := e.embed(slog.New(slog.DiscardHandler))
	if err != nil {
		return e.dataError(err)
	}
	n := s.Stats()
	fmt.Fprintf(out, "\nChannels are kept in %s, which no other process has. JetStream runs on it.\n", e.Data)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "  used\t%d bytes\n  free\t%d MiB of the disk\n", n.Used, n.Free>>20)
	kept, err := s.Contents()
	if err == nil {
		fmt.Fprintf(w, "  channels\t%d, with %d messages in %d streams\n", kept.Subjects, kept.Messages, kept.Streams)
	}
	fmt.Fprintln(w, "  copies\t1: more take a cluster, or a NATS that is one")
	w.Flush()
	if e.Replicas > 1 {
		err = errors.Join(err, fmt.Errorf("--replicas %d: one process keeps one copy; name a cluster with --cluster-peers or --nats", e.Replicas))
	}
	if unwell := s.Healthy(); unwell != nil {
		err = errors.Join(err, fmt.Errorf("--data %s: nothing can be published: %w", e.Data, unwell))
	}
	return errors.Join(err, s.Close(context.WithoutCancel(ctx)))
}

// dataError says what is wrong with the folder, and what to do.
func (e *Flags) dataError(err error) error {
	for _, c := range []struct {
		kind error
		todo string
	}{
		{syscall.EROFS, "mount it for writing, or name another folder"},
		{syscall.ENOTDIR, "a part of its path is a file"},
		{syscall.EWOULDBLOCK, "stop that process, or name another folder"},
		{syscall.ENOSPC, "make room on its disk, or name a folder on another"},
		{fs.ErrPermission, "let the user of this process write there, or name another folder"},
	} {
		if errors.Is(err, c.kind) {
			return fmt.Errorf("--data %s: %w: %s", e.Data, err, c.todo)
		}
	}
	return fmt.Errorf("--data %s: %w", e.Data, err)
}

// tryNATS tries a NATS that exists.
func (e *Flags) tryNATS(ctx context.Context, out io.Writer) error {
	engine, err := natsengine.Open(ctx, natsengine.Config{URLs: e.NATS, Credentials: e.Credentials, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return e.natsError(err)
	}
	if err = engine.Healthy(ctx); err == nil {
		urls, _ := e.urls() // Check has seen them
		fmt.Fprintf(out, "\nChannels are kept in the NATS at %s: it answers, and has JetStream.\n", urls)
	}
	return errors.Join(err, engine.Close(context.WithoutCancel(ctx)))
}

// urls returns those of the NATS, without passwords.
func (e *Flags) urls() (string, error) {
	var shown []string
	for _, text := range strings.Split(strings.Join(e.NATS, ","), ",") {
		if !strings.Contains(text, "://") {
			text = "nats://" + text
		}
		u, err := url.Parse(text)
		if err != nil {
			return "", errors.New("--nats: want URLs such as nats://10.0.0.1:4222") // err has the password
		}
		shown = append(shown, u.Redacted())
	}
	return strings.Join(shown, ", "), nil
}

// natsError says what is wrong with the NATS, and what to do.
func (e *Flags) natsError(err error) error {
	var distrust *tls.CertificateVerificationError
	text, todo := strings.ToLower(err.Error()), ""
	switch {
	case errors.As(err, &distrust):
		todo = ": the system must trust who signed its certificate, and the URL have the name it is for"
	case errors.Is(err, fs.ErrNotExist):
		todo = ": --nats-credentials names no file"
	case strings.Contains(text, "authorization"), strings.Contains(text, "authentication"):
		todo = ": give --nats-credentials, or a user and a password in the URL"
	case strings.Contains(text, "jetstream does not answer"):
		todo = ": start that server with JetStream (nats-server -js), and let this account use it; of a cluster most nodes must run"
	case strings.Contains(text, "no servers available"), errors.Is(err, syscall.ECONNREFUSED):
		todo = ": start it, and let this machine reach its port"
	}
	urls, _ := e.urls() // Check has seen them
	return fmt.Errorf("--nats %s: %w%s", urls, err, todo)
}
