package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/client"
)

type tailCmd struct {
	Channel string `arg:"" help:"What to read, for example chat:lobby."`

	URL   string `default:"http://127.0.0.1:8000" env:"SUREWIRE_URL" help:"The server."`
	Token string `env:"SUREWIRE_TOKEN" help:"Connection token."`
	Since string `help:"Begin after this position, as printed: EPOCH:OFFSET. 0 is the beginning of the log; where that is no longer kept, tail says so and begins with what comes next, as it does without --since."`
	Count int    `short:"n" help:"End after so many publications. 0 goes on until interrupted."`
}

// A line is what tail prints of a message.
type line struct {
	Channel  string            `json:"channel"`
	Position string            `json:"position,omitempty"`
	Offset   uint64            `json:"offset,omitempty"`
	Time     time.Time         `json:"time"`
	Tags     map[string]string `json:"tags,omitempty"`
	Data     json.RawMessage   `json:"data"`
}

// Run prints until it is interrupted. It survives the loss of the connection.
func (c *tailCmd) Run(ctx context.Context, out io.Writer) error {
	since, err := parsePosition(c.Since)
	if err != nil {
		return err
	}
	from := &client.Client{Endpoint: c.URL, Token: c.Token, OnRetry: func(err error, d time.Duration) {
		fmt.Fprintf(os.Stderr, "surewire: %v; trying again in %v\n", err, d.Round(100*time.Millisecond))
	}}
	n := 0
	for m, err := range from.Tail(ctx, c.Channel, since) {
		if errors.Is(err, client.ErrGap) {
			fmt.Fprintln(os.Stderr, "surewire:", err)
			continue
		}
		if err != nil {
			return err
		}
		if err := c.print(out, m); err != nil {
			return err
		}
		if n++; n == c.Count {
			break
		}
	}
	return nil
}

func (c *tailCmd) print(out io.Writer, m *surewire.Message) error {
	l := line{Channel: c.Channel, Time: m.Time, Tags: m.Tags, Data: m.Data}
	if m.Position.Offset != 0 {
		l.Position = positionText(m.Position)
		l.Offset = m.Position.Offset
	}
	b, _ := asIs.Append(nil, l)
	_, err := out.Write(append(b, '\n'))
	return err
}

func positionText(p surewire.Position) string { return fmt.Sprintf("%s:%d", p.Epoch, p.Offset) }

// parsePosition reads EPOCH:OFFSET, or an offset of whatever epoch. It returns
// nil for nothing.
func parsePosition(s string) (*surewire.Position, error) {
	if s == "" {
		return nil, nil
	}
	epoch, offset := "", s
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		epoch, offset = s[:i], s[i+1:]
	}
	n, err := strconv.ParseUint(offset, 10, 53)
	if err != nil {
		return nil, fmt.Errorf("--since %q: want EPOCH:OFFSET, as tail prints it, or an offset", s)
	}
	return &surewire.Position{Epoch: epoch, Offset: n}, nil
}
