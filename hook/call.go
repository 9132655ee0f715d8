package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/surejson"
	"github.com/surewire/surewire/wire"
)

// An event is what a backend is asked about.
type event struct {
	name   string
	repeat bool // the backend may hear of it twice
}

var (
	connect    = event{"connect", true}
	refresh    = event{"refresh", true}
	subscribe  = event{"subscribe", true}
	subRefresh = event{"sub_refresh", true}
	publish    = event{"publish", false}
	rpc        = event{"rpc", false}
	message    = event{"message", false}
)

// A fault is why an attempt brought no answer. It is an error whose text is for
// the log: it quotes nothing that the backend said.
type fault struct {
	error
	outcome outcome
	again   bool // another attempt may succeed
	unsent  bool // the backend cannot have heard of it
}

func (f *fault) Unwrap() error { return f.error }

// encoder writes requests. Numbers are for backends, which have integers of 64
// bits, and nesting is what a client's frame allows.
var encoder = surejson.Encoder{Integers: surejson.IntegersAsNumbers, MaxDepth: surejson.DepthCeiling}

// ask sends request, which is of client, and hands the result to use, nil if the
// backend gives none. What use returns is a refusal, or what is wrong with the
// result. h is not kept, nor modified.
func ask[R any](ctx context.Context, c *Client, e event, client string, request any, h http.Header, use func(*R) error) error {
	c.calls.calls.Add(1)
	body, report := encoder.Append(nil, request)
	if !report.Clean() {
		return wire.ErrBadRequest.With("what the client sent is not JSON in UTF-8")
	}
	answer, err := c.call(ctx, e, body, h)
	if err == nil {
		var res *R
		if res, err = decode[R](answer); err == nil {
			err = use(res)
		}
	}
	return c.tell(ctx, e, client, err)
}

// tell returns what a caller is told of err, and puts in the log what it is not.
func (c *Client) tell(ctx context.Context, e event, client string, err error) error {
	var refused *wire.Error
	var bye surewire.Disconnect
	if err == nil || errors.As(err, &refused) || errors.As(err, &bye) {
		return err
	}
	c.calls.failures.Add(1)
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	if !errors.Is(err, errOpen) { // the log has heard when it opened
		c.config.Logger.LogAttrs(ctx, slog.LevelWarn, "hook failed", slog.String("hook", c.config.Name),
			slog.String("event", e.name), slog.String("client", client), slog.String("error", err.Error()))
	}
	return wire.ErrInternal
}

var (
	errOpen   = errors.New("the breaker is open")
	errClosed = errors.New("the hook was closed")
	errFull   = errors.New("no slot came free in time")
)

// call returns the backend's answer to body, which has the shape of one.
func (c *Client) call(ctx context.Context, e event, body []byte, h http.Header) ([]byte, error) {
	if !c.enter() {
		return nil, errClosed
	}
	defer c.inside.Done()
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	for n := 0; ; n++ {
		answer, f := c.attempt(ctx, body, h)
		if f == nil {
			return answer, nil
		}
		if n == c.config.Retries || !f.again || !e.repeat && !f.unsent || !pause(ctx, n) {
			return nil, f
		}
		c.calls.retries.Add(1)
	}
}

// Delays before another attempt.
const (
	firstDelay = 100 * time.Millisecond
	maxDelay   = 2 * time.Second
)

// pause waits before the attempt after the n-th. It reports whether there is time
// for one.
func pause(ctx context.Context, n int) bool {
	d := min(firstDelay<<min(n, 10), maxDelay)
	d = d/2 + rand.N(d/2) // callers that failed together come back apart
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// attempt makes one request, if there is a slot and the breaker lets it.
func (c *Client) attempt(ctx context.Context, body []byte, h http.Header) (answer []byte, f *fault) {
	if c.breaker.refuses(time.Now()) { // without waiting for a slot
		c.calls.rejected.Add(1)
		return nil, &fault{error: errOpen}
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil { // also where both came at once: the backend must not pay for the wait
		c.calls.rejected.Add(1)
		return nil, &fault{error: errFull}
	}
	round, ok := c.breaker.begin(time.Now())
	if !ok {
		c.calls.rejected.Add(1)
		return nil, &fault{error: errOpen}
	}
	f = &fault{error: errors.New("the transport panicked"), outcome: failed}
	defer func() { c.settle(round, f) }()
	answer, f = c.request(ctx, body, h)
	return answer, f
}

// settle tells the breaker how a request ended. Nothing is attempted again if
// that opened it.
func (c *Client) settle(round uint64, f *fault) {
	o := worked
	if f != nil {
		o = f.outcome
	}
	state, changed := c.breaker.end(round, o, time.Now())
	switch {
	case !changed:
	case state == Open:
		f.again = false
		c.config.Logger.Error("hook: the breaker opened", slog.String("hook", c.config.Name), slog.String("error", f.Error()))
	case state == Closed:
		c.config.Logger.Info("hook: the breaker closed", slog.String("hook", c.config.Name))
	}
}

// request sends body, and returns the answer if it has the shape of one.
func (c *Client) request(ctx context.Context, body []byte, h http.Header) ([]byte, *fault) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.URL, bytes.NewReader(body))
	if err != nil {
		return nil, &fault{error: err}
	}
	maps.Copy(r.Header, h)
	maps.Copy(r.Header, c.header)
	if _, ok := r.Header["User-Agent"]; !ok {
		r.Header["User-Agent"] = []string{"surewire"}
	}
	if c.config.Secret != "" {
		r.Header[SignatureHeader] = []string{sign(c.config.Secret, time.Now(), body)}
	}
	res, err := c.transport.RoundTrip(r) // which follows no redirect
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	defer res.Body.Close()
	if f := judge(res.StatusCode); f != nil {
		return nil, f
	}
	answer, err := io.ReadAll(io.LimitReader(res.Body, int64(c.config.MaxResponse)+1))
	switch {
	case err != nil:
		return nil, c.broken(ctx, err)
	case len(answer) > c.config.MaxResponse:
		return nil, &fault{error: fmt.Errorf("the answer is longer than %d bytes", c.config.MaxResponse), outcome: failed}
	}
	if err := checkShape(answer); err != nil {
		return nil, &fault{error: err, outcome: failed}
	}
	return answer, nil
}

// judge returns what a status other than 200 means.
func judge(status int) *fault {
	f := &fault{error: fmt.Errorf("the backend answered with status %d", status)}
	switch {
	case status == http.StatusOK:
		return nil
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooManyRequests:
		f.outcome, f.again = failed, true
	}
	return f
}

// broken returns what an error of the transport means.
func (c *Client) broken(ctx context.Context, err error) *fault {
	var op *net.OpError
	switch {
	case c.ctx.Err() != nil:
		return &fault{error: errClosed}
	case errors.Is(ctx.Err(), context.Canceled):
		return &fault{error: context.Canceled}
	case ctx.Err() != nil:
		return &fault{error: errors.New("no answer came in time"), outcome: failed}
	case errors.As(err, &op) && op.Op == "dial":
		return &fault{error: err, outcome: failed, again: true, unsent: true}
	}
	// From the first quotation mark on, it is the backend that speaks.
	text, _, _ := strings.Cut(err.Error(), `"`)
	return &fault{error: errors.New(text), outcome: failed, again: true}
}
