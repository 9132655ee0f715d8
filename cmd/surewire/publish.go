package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

type publishCmd struct {
	Channel string `arg:"" help:"Where to publish, for example chat:lobby."`
	Data    string `arg:"" optional:"" help:"One JSON value. Without it, or with -, standard input is read."`

	api
	ID        string `help:"Publish it only once: a second publication with the same ID is not stored."`
	Ephemeral bool   `help:"Only for those who listen now: it is not stored."`
}

// Run publishes through the server's API and prints the answer's result.
func (c *publishCmd) Run(ctx context.Context, out io.Writer) error {
	data := []byte(c.Data)
	if c.Data == "" || c.Data == "-" {
		var err error
		if data, err = io.ReadAll(os.Stdin); err != nil {
			return err
		}
	}
	if !json.Valid(data) {
		return fmt.Errorf("the data is not one JSON value; a text needs quotes of its own: '\"hello\"'")
	}
	result, err := c.call(ctx, "publish", map[string]any{
		"channel": c.Channel, "data": json.RawMessage(data), "idempotency_key": c.ID, "skip_history": c.Ephemeral,
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, string(result))
	return err
}
