// Command surewire delivers events from chat and AI-agent backends to people's
// browsers: it is the server, and the tools to look into one.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

type commands struct {
	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Publish publishCmd `cmd:"" help:"Publish one JSON value to a channel."`
	Tail    tailCmd    `cmd:"" help:"Print what is published to a channel, a JSON line each."`
	Bench   benchCmd   `cmd:"" help:"Measure a server: clients connect, publications are awaited at each."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

const description = `Delivers events to browsers: any value, once, in order, or the client is told.

Try it: run "surewire serve --dev", open the URL it prints, and in another
terminal "surewire tail chat:lobby" and "surewire publish chat:lobby '{\"text\":\"hello\"}'".`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	k := kong.Parse(&c, kong.Name("surewire"), kong.Description(description), kong.UsageOnError(),
		kong.Configuration(loadConfig, configFile), kong.BindTo(ctx, (*context.Context)(nil)), kong.BindTo(os.Stdout, (*io.Writer)(nil)))
	k.FatalIfErrorf(k.Run())
}
