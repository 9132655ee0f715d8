package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/cmd/surewire/internal/engine"
	"github.com/surewire/surewire/namespace"
	"github.com/surewire/surewire/wire"
)

type checkCmd struct {
	Config kong.ConfigFlag `placeholder:"FILE" env:"SUREWIRE_CONFIG" help:"Configuration to explain. surewire.yaml is read where it is."`

	ConnectToken string   `placeholder:"TOKEN" help:"Explain what a client with this connection token may do."`
	SubToken     string   `placeholder:"TOKEN" help:"Subscription token that it shows where it needs one."`
	Channels     []string `arg:"" optional:"" help:"Channels to explain."`

	TryEngine bool `help:"Open what keeps the channels as serve would, and say how it is, or what to do. A server that runs is not disturbed, and no folder is made. The flags that name it are those of serve."`

	Engine engine.Flags `embed:"" envprefix:"SUREWIRE_"`
	Access accessFlags  `embed:"" envprefix:"SUREWIRE_"`
}

// Help is shown by --help.
func (*checkCmd) Help() string {
	return `Says what is wrong with a configuration, and where; and if nothing is, who may do what.

  surewire check
  surewire check --try-engine --nats nats://10.0.0.1:4222
  surewire check --config prod.yaml --connect-token "$(surewire token --user 42)" chat:lobby run:7

With --try-engine it says whether the folder or the NATS can be used, what it
holds and how much room there is. It fails, with exit code 1, where serve would,
or where nothing could be published.

Backends are not asked: where one decides, "backend" is shown.`
}

// Run fails where serve would, and else prints what the configuration means.
func (c *checkCmd) Run(ctx context.Context, out io.Writer) error {
	if err := c.Engine.Check(); err != nil {
		return err
	}
	r, err := c.Access.rules(slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	defer r.Close()
	fmt.Fprintln(out, "The configuration is good.")
	c.explainDoors(out)
	c.explainNamespaces(out)
	if c.TryEngine {
		if err := c.Engine.Try(ctx, out); err != nil {
			return err
		}
	}
	if c.ConnectToken == "" && len(c.Channels) == 0 {
		return nil
	}
	return c.explainClient(ctx, out, r)
}

// explainDoors says how clients and backends get in.
func (c *checkCmd) explainDoors(out io.Writer) {
	var ways []string
	for _, w := range []struct {
		open bool
		text string
	}{
		{c.Access.Token.any(), "by token"}, {c.Access.Tickets, "by ticket"}, {c.Access.Hook.Connect != "", "by the word of a backend"},
		{c.Access.Anonymous, "without a name"},
	} {
		if w.open {
			ways = append(ways, w.text)
		}
	}
	fmt.Fprintf(out, "Clients connect %s.\n", strings.Join(ways, ", "))
	if len(c.Access.APIKey.Secret) == 0 {
		fmt.Fprintln(out, "The HTTP API answers nobody: no API key is set.")
	}
}

// explainNamespaces prints a table.
func (c *checkCmd) explainNamespaces(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nnamespace\tsubscribe\tpublish\tpresence\thistory\tjoins\tkept")
	for _, name := range slices.Sorted(maps.Keys(c.Access.Namespaces)) {
		o := c.Access.Namespaces[name]
		subscribe, publish := o.Subscribe.String(), o.Publish.String()
		if o.SubscribeHook != "" {
			subscribe = "backend"
		}
		if o.PublishHook != "" && o.Publish != namespace.Nobody {
			publish += ", then backend"
		}
		kept := "nothing"
		if !o.Ephemeral {
			kept = "the default"
			if o.HistorySize > 0 || o.HistoryTTL > 0 {
				kept = fmt.Sprintf("%s, %s", cmp.Or(nonZero(o.HistorySize), "default size"), cmp.Or(nonZero(o.HistoryTTL), "default time"))
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%v\t%v\t%v\t%s\n", cmp.Or(name, "(no name)"), subscribe, publish, o.Presence, o.History, o.Joins, kept)
	}
	w.Flush()
}

func nonZero[T int | time.Duration](v T) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprint(v)
}

// explainClient says what one client may do, by asking who would be asked.
func (c *checkCmd) explainClient(ctx context.Context, out io.Writer, r *rules) error {
	client := access.Client{ID: "check"}
	switch {
	case c.ConnectToken == "" && !c.Access.Anonymous:
		return errors.New("give --connect-token: clients without one are not let in, or only by a backend")
	case c.ConnectToken == "":
		fmt.Fprintln(out, "\nA client without a token:")
	default:
		s, err := r.gate.Connect(ctx, access.ConnectRequest{Client: client, Token: c.ConnectToken})
		if err != nil {
			return fmt.Errorf("the connection token is refused: %w", c.reason(ctx, err))
		}
		client.User = s.User
		fmt.Fprintf(out, "\nThe token is of user %q", s.User)
		if !s.Expires.IsZero() {
			fmt.Fprintf(out, ", until %s", s.Expires.Format(time.RFC3339))
		}
		fmt.Fprintln(out, ".")
		for _, channel := range slices.Sorted(maps.Keys(s.Subs)) {
			fmt.Fprintf(out, "It reads %s without asking.\n", channel)
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nchannel\tsubscribe\tpublish\tpresence\thistory")
	for _, channel := range c.Channels {
		if err := surewire.CheckChannel(channel); err != nil {
			return fmt.Errorf("channel %q: %w", channel, err)
		}
		subscribe, reads := c.maySubscribe(ctx, r, client, channel)
		fmt.Fprintf(w, "%s\t%s", channel, subscribe)
		for _, a := range []access.Action{access.Publish, access.Presence, access.History} {
			err := r.gate.Allow(ctx, client, access.ActionRequest{Action: a, Channel: channel, Subscribed: reads})
			fmt.Fprintf(w, "\t%s", verdict(err))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

func (c *checkCmd) maySubscribe(ctx context.Context, r *rules, client access.Client, channel string) (string, bool) {
	o, _ := namespace.Set(c.Access.Namespaces).Of(channel)
	hooked := o.SubscribeHook != "" && surewire.MayRead(client.User, channel) // and the backend is not asked
	if !hooked {
		_, err := r.gate.Subscribe(ctx, client, access.SubscribeRequest{Channel: channel})
		if err == nil || c.SubToken == "" {
			return verdict(err), err == nil
		}
	} else if c.SubToken == "" {
		return "backend", true
	}
	_, err := r.gate.Subscribe(ctx, client, access.SubscribeRequest{Channel: channel, Token: c.SubToken})
	switch {
	case err == nil:
		return "by token", true
	case hooked:
		return "backend", true
	}
	return verdict(err), false
}

// reason is what the server's log would have said.
func (c *checkCmd) reason(ctx context.Context, told error) error {
	v, err := c.Access.Token.verifier(nil, slog.New(slog.DiscardHandler))
	if err != nil || v == nil {
		return told
	}
	defer v.Close()
	if _, err := v.Connection(ctx, c.ConnectToken); err != nil {
		return err
	}
	return told
}

func verdict(err error) string {
	switch {
	case err == nil:
		return "yes"
	case errors.Is(err, wire.ErrPermissionDenied):
		return "no"
	}
	return "no (" + err.Error() + ")"
}
