// Package client is a Go client of the Centrifuge client protocol, for command
// line tools, tests, and Go programs that read channels. Like the SDKs for
// other languages it remembers where it stands and goes on from there.
package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	"github.com/gobwas/ws"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/wire"
)

// A Client reads channels of a server. Its methods may be called concurrently.
type Client struct {
	// Endpoint is the URL of the server, "http://localhost:8000", or of its
	// WebSocket, "ws://localhost:8000/connection/websocket".
	Endpoint string
	Token    string // of the connection; may be empty

	// OnSubscribed hears where a subscription stands, each time it has begun. May be nil.
	OnSubscribed func(channel string, at surewire.Position)

	// OnRetry hears why a connection ended, and when the next is tried. May be nil.
	OnRetry func(err error, after time.Duration)
}

// ErrGap says that messages were missed that are no longer kept: what follows
// does not follow what came before.
var ErrGap = errors.New("messages were missed that are no longer kept")

// Bounds of the delay before a new connection, which doubles each time.
const (
	minRetry = 200 * time.Millisecond
	maxRetry = 20 * time.Second
)

// Tail yields what is published to channel, for as long as ctx lasts. With a
// since it begins after that position, with a nil one at the end of the log. It
// reconnects by itself and goes on where it stood. Where that cannot be, it
// yields [ErrGap] with a nil message and goes on with what is next. Any other
// error is the last: the server refused, and trying again would not help.
// Messages have their full Position.
func (c *Client) Tail(ctx context.Context, channel string, since *surewire.Position) iter.Seq2[*surewire.Message, error] {
	return func(yield func(*surewire.Message, error) bool) {
		endpoint, err := c.endpoint()
		if err != nil {
			yield(nil, err)
			return
		}
		t := &tailer{client: c, endpoint: endpoint, channel: channel, yield: yield}
		if since != nil {
			at := *since
			t.since = &at
		}
		for retry := minRetry; ; retry = min(2*retry, maxRetry) {
			heard, err := t.connection(ctx)
			var stop *stopError
			switch {
			case ctx.Err() != nil:
				return
			case errors.As(err, &stop):
				if stop.err != nil {
					yield(nil, stop.err)
				}
				return
			case heard:
				retry = minRetry
			}
			if !c.pause(ctx, err, retry) {
				return
			}
		}
	}
}

// pause waits about d, so that clients that lost one server do not come back as one.
func (c *Client) pause(ctx context.Context, err error, d time.Duration) bool {
	d = d/2 + rand.N(d/2)
	if c.OnRetry != nil {
		c.OnRetry(err, d)
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// endpoint returns the URL of the WebSocket.
func (c *Client) endpoint() (string, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil {
		return "", fmt.Errorf("endpoint %q: %w", c.Endpoint, err)
	}
	switch u.Scheme {
	case "http", "https":
		u.Scheme = "ws" + strings.TrimPrefix(u.Scheme, "http")
	case "ws", "wss":
	default:
		return "", fmt.Errorf("endpoint %q: want a URL that begins with http, https, ws or wss", c.Endpoint)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/connection/websocket"
	}
	return u.String(), nil
}

// A stopError ends a Tail: with an error, or because nobody listens any more.
type stopError struct{ err error }

func (e *stopError) Error() string { return fmt.Sprint(e.err) }

// A tailer is one Tail at work.
type tailer struct {
	// Static after construction.
	client   *Client
	endpoint string
	channel  string
	yield    func(*surewire.Message, error) bool

	since          *surewire.Position // where it stands; nil: at the end, wherever that is
	subscribedHere bool               // this connection's subscribe has been answered
}

// Command IDs of a connection.
const (
	connectID   = 1
	subscribeID = 2
)

// connection reads one connection to its end, and reports whether the server
// let it in.
func (t *tailer) connection(ctx context.Context) (heard bool, err error) {
	s, err := dial(ctx, t.endpoint)
	if err != nil {
		return false, err
	}
	defer s.close()
	t.subscribedHere = false
	defer context.AfterFunc(ctx, s.close)()
	if err := s.send(wire.Command{ID: connectID, Connect: &wire.Connect{Token: t.client.Token, Name: "surewire-go"}}, t.subscribe()); err != nil {
		return false, err
	}
	for {
		frame, err := s.read()
		if err != nil {
			return heard, ended(err)
		}
		for r, err := range wire.Replies(frame) {
			if err == nil {
				err = t.handle(s, r)
			}
			if err != nil {
				return heard, err
			}
			heard = heard || r.Subscribed != nil
		}
	}
}

// ended turns a close that asks not to come back into a stop.
func ended(err error) error {
	var d surewire.Disconnect
	if errors.As(err, &d) && (!d.Reconnect() || d.Code == uint16(ws.StatusMessageTooBig)) {
		return &stopError{d}
	}
	return err
}

func (t *tailer) subscribe() wire.Command {
	r := &wire.Subscribe{Channel: t.channel}
	if t.since != nil {
		r.Recover, r.Since = true, *t.since
	}
	return wire.Command{ID: subscribeID, Subscribe: r}
}

func (t *tailer) handle(s *session, r wire.Reply) error {
	switch {
	case r.Ping():
		return s.send(wire.Command{})
	case r.Error != nil && r.Error.Temporary:
		return r.Error
	case r.Error != nil:
		return &stopError{r.Error}
	case r.Connected != nil:
		s.patience = time.Duration(r.Connected.PingInterval)*time.Second + handshakeTimeout
		if r.Connected.PingInterval == 0 {
			s.patience = 365 * 24 * time.Hour // the server does not ping
		}
		return nil
	case r.Subscribed != nil:
		return t.subscribed(r.Subscribed)
	case r.Channel != t.channel:
		return nil
	case r.Ended != nil && r.Ended.Code >= wire.InsufficientState.Code:
		return r.Ended // a new connection asks again, after a pause
	case r.Ended != nil:
		return &stopError{r.Ended}
	case r.Publication != nil && t.subscribedHere:
		return t.message(r.Publication)
	}
	return nil
}

// subscribed takes what was missed. The epoch of pushes is that of the subscription.
func (t *tailer) subscribed(s *wire.Subscribed) error {
	if s.WasRecovering && !s.Recovered && !t.yield(nil, ErrGap) {
		return &stopError{}
	}
	at := s.Position
	t.since, t.subscribedHere = &at, true
	if t.client.OnSubscribed != nil {
		t.client.OnSubscribed(t.channel, at)
	}
	for _, m := range s.Publications {
		if err := t.message(m); err != nil {
			return err
		}
	}
	return nil
}

// message yields the next. What it has is passed over; for what is missing, a
// new connection asks.
func (t *tailer) message(m *surewire.Message) error {
	m.Position.Epoch = t.since.Epoch
	switch at := m.Position.Offset; {
	case at == 0:
	case at <= t.since.Offset:
		return nil
	case at > t.since.Offset+1:
		return fmt.Errorf("after offset %d the server sent %d", t.since.Offset, at)
	default:
		t.since.Offset = at
	}
	if !t.yield(m, nil) {
		return &stopError{}
	}
	return nil
}
