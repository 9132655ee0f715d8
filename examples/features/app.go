package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/server"
	"github.com/surewire/surewire/wire"
)

// An app is the application: it says who may do what, and answers its clients.
// It implements [access.Authorizer].
type app struct {
	server *server.Server // set before the first client comes
}

// A token says who a client is, or that a user may read one channel. THIS IS NO
// SECURITY: it is plain JSON, and a client may write what it likes into it. An
// application has tokens that it signs, and verifies them where this one parses.
type token struct {
	User    string   `json:"user"`
	Name    string   `json:"name"`       // for others to see
	Expires float64  `json:"exp"`        // in seconds since 1970; 0 for never
	Lives   float64  `json:"expires_in"` // in seconds from when it is shown: in place of exp, to play with
	Subs    []string `json:"subs"`       // channels that the user reads without asking
	Channel string   `json:"channel"`    // of a token for a channel
}

var errToken = errors.New("not a token")

func parse(text string) (t token, err error) {
	if json.Unmarshal([]byte(text), &t) != nil {
		return t, errToken
	}
	return t, nil
}

// expires is the zero time for a token without an end.
func (t token) expires() time.Time {
	switch {
	case t.Lives > 0:
		return time.Now().Add(time.Duration(t.Lives * float64(time.Second)))
	case t.Expires == 0:
		return time.Time{}
	}
	return time.UnixMilli(int64(t.Expires * 1000))
}

// A rule is what a channel is for, by the first part of its name. What has no
// rule is closed.
type rule struct {
	publish bool // clients may
	look    bool // clients may ask who is there and what was said
	own     bool // it is the user's whose name follows
	token   bool // reading it needs a token for it
}

var rules = map[string]rule{
	"public": {publish: true, look: true},
	"typing": {publish: true},                          // see [app.publish]
	"news":   {look: true},                             // published by backends
	"blind":  {publish: true},                          // nobody learns who else is there
	"user":   {publish: true, look: true, own: true},   // user:ada is ada's
	"secret": {publish: true, look: true, token: true}, // by invitation
	"audit":  {look: true},                             // see [app.connected]
}

func ruleOf(channel string) (r rule, rest string, ok bool) {
	kind, rest, _ := strings.Cut(channel, ":")
	r, ok = rules[kind]
	return r, rest, ok
}

// Connect admits a client. One without a token is anonymous. Info is what
// others see of it, Data is for itself, and Subs begin without being asked for.
// A refresh must come out as the same user, which the hub sees to.
func (a *app) Connect(_ context.Context, r access.ConnectRequest) (access.Session, error) {
	if r.Token == "" {
		return access.Session{Data: map[string]any{"hello": "stranger"}}, nil
	}
	t, err := parse(r.Token)
	if err != nil || t.User == "" || t.Channel != "" {
		return access.Session{}, surewire.DisconnectInvalidToken
	}
	s := access.Session{
		User: t.User, Info: map[string]any{"name": t.Name}, Expires: t.expires(),
		Data: map[string]any{"hello": t.User, "said": json.RawMessage(r.Data), "software": r.Name},
		Subs: make(map[string]access.Grant),
	}
	for _, channel := range t.Subs {
		s.Subs[channel] = access.Grant{Presence: true, Joins: true, Data: map[string]any{"unasked": true}}
	}
	return s, nil
}

// Subscribe allows a client to read a channel. What it says of itself is what
// others see of it there. An error that is not of the protocol, as the last,
// becomes "permission denied": what it says is for the log.
func (a *app) Subscribe(_ context.Context, c access.Client, r access.SubscribeRequest) (access.Grant, error) {
	g := access.Grant{Presence: true, Joins: true, Data: map[string]any{"channel": r.Channel}}
	if r.Data != nil {
		g.Info = json.RawMessage(r.Data)
	}
	rule, owner, ok := ruleOf(r.Channel)
	switch {
	case ok && rule.token:
		t, err := parse(r.Token)
		if err != nil || t.Channel != r.Channel || t.User != c.User {
			return g, wire.ErrPermissionDenied.With("there is no token for this channel and user")
		}
		if g.Expires = t.expires(); !g.Expires.IsZero() && g.Expires.Before(time.Now()) {
			return g, wire.ErrTokenExpired // the client gets another and comes back
		}
	case ok && rule.own && owner != c.User, !ok:
		return g, fmt.Errorf("user %q may not read %s", c.User, r.Channel)
	}
	return g, nil
}

// Allow allows a client to publish, or to look into a channel.
func (a *app) Allow(_ context.Context, c access.Client, r access.ActionRequest) error {
	rule, owner, _ := ruleOf(r.Channel)
	allowed := rule.look
	if r.Action == access.Publish {
		allowed = rule.publish
	}
	if !allowed || rule.own && owner != c.User {
		return fmt.Errorf("user %q may not %v %s", c.User, r.Action, r.Channel)
	}
	return nil
}

func (a *app) handlers() hub.Handlers {
	return hub.Handlers{
		Publish: a.publish, RPC: a.rpc, Message: a.message, Connected: a.connected, Disconnected: a.disconnected,
	}
}

// errSpam is one of the application's own errors: codes from 400 to 1999 are for those.
var errSpam = &wire.Error{Code: 422, Message: "that looks like spam"}

// publish sees what clients publish before anybody else does. That somebody is
// typing concerns those who look now: it is not kept.
func (a *app) publish(_ context.Context, _ access.Client, channel string, p *surewire.Publication) error {
	if strings.Contains(string(p.Data), "spam") {
		return errSpam
	}
	p.Ephemeral = strings.HasPrefix(channel, "typing:")
	p.Tags = map[string]string{"by": "client"}
	return nil
}

// rpc answers what clients ask, with any value.
func (a *app) rpc(ctx context.Context, c access.Client, method string, data []byte) (any, error) {
	switch method {
	case "whoami":
		return map[string]any{"user": c.User, "client": c.ID, "info": json.RawMessage(c.Info)}, nil
	case "echo":
		return json.RawMessage(data), nil
	case "add":
		var in struct{ A, B float64 }
		if json.Unmarshal(data, &in) != nil {
			return nil, wire.ErrBadRequest.With("add wants numbers a and b")
		}
		return in.A + in.B, nil
	case "hostile":
		return newReading(), nil
	case "slow": // another that is asked later may be answered sooner
		select {
		case <-time.After(300 * time.Millisecond):
			return "done", nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	case "fail":
		return nil, &wire.Error{Code: 1042, Message: "no route to model"}
	case "forbidden":
		return nil, errors.New("only the log learns why")
	case "busy":
		return nil, wire.ErrTooManyRequests
	case "leave":
		return nil, surewire.Disconnect{Code: 4501, Reason: "you asked for it"}
	case "panic":
		panic("this is contained: the client hears of an internal error, and the log of the place")
	}
	return nil, wire.ErrMethodNotFound
}

// message takes what clients send without waiting for an answer; here they get
// one all the same, by the same way back.
func (a *app) message(ctx context.Context, c access.Client, data []byte) error {
	_, err := a.server.Hub().Send(ctx, hub.Target{User: c.User, Client: c.ID}, map[string]any{"heard": json.RawMessage(data)})
	return err
}

// connected and disconnected keep a journal, which is a channel like any other.
func (a *app) connected(c access.Client) { a.note("connected", c, nil) }

func (a *app) disconnected(c access.Client, reason error) { a.note("disconnected", c, reason) }

func (a *app) note(what string, c access.Client, reason error) {
	_, err := a.server.Publish(context.Background(), "audit:connections", map[string]any{
		"what": what, "client": c.ID, "user": c.User, "reason": reason,
	})
	if err != nil {
		slog.Warn("not noted", "client", c.ID, "error", err)
	}
}

// A Trend is an enum: an integer in memory, and a name to people.
type Trend int

// The ways a value can go.
const (
	Falling Trend = iota - 1
	Steady
	Rising
)

// String returns the name of t.
func (t Trend) String() string { return [...]string{"falling", "steady", "rising"}[t+1] }

// A Reading is a value as one writes Go, of which encoding/json says nothing
// but an error: a number that is none, and a way back to itself.
type Reading struct {
	Sensor string            `json:"sensor"`
	Trend  Trend             `json:"trend"`
	At     time.Time         `json:"at"`
	Mean   float64           `json:"mean"`
	Labels map[string]string `json:"labels"`
	Err    error             `json:"err"`
	Next   *Reading          `json:"next"`
}

func newReading() *Reading {
	r := &Reading{
		Sensor: "t-17", Trend: Rising, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Mean: math.NaN(), Err: errors.New("no samples yet"),
	}
	r.Next = r
	return r
}

var _ access.Authorizer = (*app)(nil)
