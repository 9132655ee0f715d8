package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/surewire/surewire/surejson"
)

type publishCmd struct {
	Channel string `arg:"" help:"Where to publish, for example chat:lobby."`
	Data    string `arg:"" optional:"" help:"One JSON value. Without it, or with -, standard input is read."`

	URL       string `default:"http://127.0.0.1:8000" env:"SUREWIRE_URL" help:"The server."`
	APIKey    string `env:"SUREWIRE_API_KEY" help:"Key of its API."`
	ID        string `help:"Publish it only once: a second publication with the same ID is not stored."`
	Ephemeral bool   `help:"Only for those who listen now: it is not stored."`
}

// asIs writes numbers as they came: what a browser would make of them is the
// server's to judge.
var asIs = &surejson.Encoder{Integers: surejson.IntegersAsNumbers}

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
	body, _ := asIs.Append(nil, map[string]any{
		"channel": c.Channel, "data": json.RawMessage(data), "idempotency_key": c.ID, "skip_history": c.Ephemeral,
	})
	result, err := c.post(ctx, body)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, string(result))
	return err
}

func (c *publishCmd) post(ctx context.Context, body []byte) (json.RawMessage, error) {
	endpoint, err := url.JoinPath(c.URL, "/api/publish")
	if err != nil {
		return nil, fmt.Errorf("--url %q: %w", c.URL, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("--url %q: %w", c.URL, err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.APIKey != "" {
		req.Header.Set("X-API-Key", c.APIKey)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w\nis the server running? start one with: surewire serve --dev", err)
	}
	defer resp.Body.Close()
	var reply struct {
		Error  *struct{ Message string }
		Result json.RawMessage
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&reply); err != nil {
		return nil, fmt.Errorf("%s answered %s, and not in JSON: is that a Surewire server?", c.URL, resp.Status)
	}
	if reply.Error != nil {
		return nil, errors.New(reply.Error.Message)
	}
	return reply.Result, nil
}
