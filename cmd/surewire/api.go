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
	"time"

	"github.com/surewire/surewire/surejson"
)

// api is where a command finds a server's HTTP API.
type api struct {
	URL    string `default:"http://127.0.0.1:8000" env:"SUREWIRE_URL" help:"The server."`
	APIKey string `env:"SUREWIRE_API_KEY" help:"Key of its API."`
}

// asIs writes numbers as they came: what a browser would make of them is the
// server's to judge.
var asIs = &surejson.Encoder{Integers: surejson.IntegersAsNumbers}

// apiTimeout bounds one call, the reading of the answer included.
const apiTimeout = 30 * time.Second

// call posts request, any value, to a method of the API and returns the result.
func (a *api) call(ctx context.Context, method string, request any) (json.RawMessage, error) {
	endpoint, err := url.JoinPath(a.URL, "/api/", method)
	if err != nil {
		return nil, fmt.Errorf("--url %q: %w", a.URL, err)
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	body, _ := asIs.Append(nil, request)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("--url %q: %w", a.URL, err)
	}
	req.Header.Set("Content-Type", "application/json")
	if a.APIKey != "" {
		req.Header.Set("X-API-Key", a.APIKey)
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
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(&reply); err != nil {
		return nil, fmt.Errorf("%s answered %s, and not in JSON: is that a Surewire server?", a.URL, resp.Status)
	}
	if reply.Error != nil {
		return nil, errors.New(reply.Error.Message)
	}
	io.Copy(io.Discard, resp.Body) // so that the connection serves the next call
	return reply.Result, nil
}
