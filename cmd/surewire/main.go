// Command surewire delivers events from chat and AI-agent backends to people's
// browsers: it is the server, and the tools to look into one.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/surewire/surewire/cmd/surewire/internal/config"
)

type commands struct {
	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Publish publishCmd `cmd:"" help:"Publish one JSON value to a channel."`
	Tail    tailCmd    `cmd:"" help:"Print what is published to a channel, a JSON line each."`
	Bench   benchCmd   `cmd:"" help:"Measure a server: clients connect, publications are awaited at each."`
	Token   tokenCmd   `cmd:"" help:"Make a token for a client, signed with an HMAC secret."`
	Check   checkCmd   `cmd:"" help:"Explain a configuration: who may do what, and what a token may."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

const description = `Delivers events to browsers: any value, once, in order, or the client is told.

Try it: run "surewire serve --dev", open the URL it prints, and in another
terminal "surewire tail chat:lobby" and "surewire publish chat:lobby '{\"text\":\"hello\"}'".`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	k, err := kong.New(&c, kong.Name("surewire"), kong.Description(description), kong.ShortUsageOnError(),
		kong.Configuration(config.Load, config.File), kong.BindTo(ctx, (*context.Context)(nil)), kong.BindTo(os.Stdout, (*io.Writer)(nil)))
	if err != nil { // of the configuration file: kong has nobody to tell yet
		fmt.Fprintln(os.Stderr, "surewire: error:", err)
		os.Exit(1)
	}
	parsed, err := k.Parse(os.Args[1:])
	k.FatalIfErrorf(err)
	k.FatalIfErrorf(parsed.Run())
}
