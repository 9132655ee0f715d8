// Package access is who may do what: what a server asks before it lets a client
// connect, read, publish or look, and the simplest answers.
package access

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Client is who is at the other end of a connection.
type Client struct {
	ID   string // of the connection
	User string // empty if anonymous
	Info []byte // one JSON value that others may see, see [Session]; may be nil; read only

	TokenID   string    // of its [Session]
	TokenTime time.Time // of its [Session]
}

// A ConnectRequest is what a client says of itself when it connects, or when it
// brings a new token.
type ConnectRequest struct {
	Client  Client            // its ID; of a refresh, who it is
	Refresh bool              // the client is connected, and brings a new Token
	Token   string            // empty if it has none
	Data    []byte            // one JSON value of the application's; may be nil
	Name    string            // of its software
	Version string            // of its software
	Headers map[string]string // as the client says, in place of those of HTTP; may be nil
	Peer    Peer              // what its transport knows of it
}

// A Peer is what a transport knows of a client.
type Peer struct {
	Address string              // of the client, without a port; may be empty
	Header  map[string][]string // of the HTTP request, in canonical form; may be nil; read only
}

// A Session is what a client has once it is admitted. Info and Data may be any
// value: what JSON cannot hold is repaired.
type Session struct {
	User    string
	Info    any              // what others may see of it, in presence, joins and publications; nil for nothing
	Data    any              // for the client, in the answer to its connect command; nil for nothing
	Expires time.Time        // when a new token must have come; the zero time for never
	Subs    map[string]Grant // channels that it reads without asking; may be nil

	// Renews has the hub ask again when the session expires, with Refresh and no
	// Token, instead of the client, which is not told.
	Renews bool

	TokenID   string    // of the token that let it in, by which it may be revoked; may be empty
	TokenTime time.Time // when that token was issued; may be zero
}

// A SubscribeRequest asks to read a channel, or brings a new token for one.
type SubscribeRequest struct {
	Channel string
	Token   string // empty if the client has none
	Data    []byte // one JSON value of the application's; may be nil
	Refresh bool   // it is subscribed, and brings a new Token
}

// A Grant is what a subscription may do. Info and Data may be any value.
type Grant struct {
	Info     any       // what others may see of it, in presence and joins; nil for nothing
	Data     any       // for the client, in the answer to its subscribe command; nil for nothing
	Expires  time.Time // when a new token must have come; the zero time for never
	Presence bool      // it is listed in the channel's presence
	Joins    bool      // the channel is told that it comes and goes, and it of others if it wants
	Renews   bool      // the hub asks again when it expires, as for a [Session]

	MaxReaders int // of the channel, at this server: who comes when there are as many is refused; 0 does not limit
}

// An ActionRequest asks to do something with a channel.
type ActionRequest struct {
	Action     Action
	Channel    string
	Subscribed bool // the client reads the channel
}

// An Action is something that needs leave, besides connecting and subscribing.
// It travels by name.
type Action uint8

// What a client may ask for.
const (
	Publish  Action = iota + 1
	Presence        // who is in a channel, or how many
	History         // what is kept of it
)

// String returns the action in lower case.
func (a Action) String() string {
	switch a {
	case Publish:
		return "publish"
	case Presence:
		return "presence"
	case History:
		return "history"
	}
	return fmt.Sprintf("Action(%d)", uint8(a))
}

// MarshalText implements [encoding.TextMarshaler].
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// An Authorizer says who may do what. Its methods return nil to allow. A
// surewire.Disconnect ends the connection, and a *wire.Error is what the
// client is told; of any other error it hears that permission is denied, and
// the log, at level debug, has the text. They may be called concurrently, should return soon,
// and must when ctx is done.
type Authorizer interface {
	// Connect admits a client and says who it is. With r.Refresh the client is
	// connected, and must come out as the same user; its TokenID and TokenTime
	// become those of the new session.
	Connect(ctx context.Context, r ConnectRequest) (Session, error)
	// Subscribe allows c to read a channel, and says how. With r.Refresh it
	// reads the channel, and only the Grant's Expires and Info count.
	Subscribe(ctx context.Context, c Client, r SubscribeRequest) (Grant, error)
	// Allow allows c to do what r says.
	Allow(ctx context.Context, c Client, r ActionRequest) error
}

// AllowAll lets anybody do anything, without a name. It is for development and
// for networks where everybody is trusted.
type AllowAll struct {
	Joins bool // channels are told who comes and goes
}

// Connect implements [Authorizer].
func (AllowAll) Connect(context.Context, ConnectRequest) (Session, error) { return Session{}, nil }

// Subscribe implements [Authorizer].
func (a AllowAll) Subscribe(context.Context, Client, SubscribeRequest) (Grant, error) {
	return Grant{Presence: true, Joins: a.Joins}, nil
}

// Allow implements [Authorizer].
func (AllowAll) Allow(context.Context, Client, ActionRequest) error { return nil }

// Funcs is an [Authorizer] of functions. What is nil refuses.
type Funcs struct {
	OnConnect   func(ctx context.Context, r ConnectRequest) (Session, error)
	OnSubscribe func(ctx context.Context, c Client, r SubscribeRequest) (Grant, error)
	OnAllow     func(ctx context.Context, c Client, r ActionRequest) error
}

var errDenied = errors.New("nothing is configured that would allow it")

// Connect implements [Authorizer].
func (f Funcs) Connect(ctx context.Context, r ConnectRequest) (Session, error) {
	if f.OnConnect == nil {
		return Session{}, errDenied
	}
	return f.OnConnect(ctx, r)
}

// Subscribe implements [Authorizer].
func (f Funcs) Subscribe(ctx context.Context, c Client, r SubscribeRequest) (Grant, error) {
	if f.OnSubscribe == nil {
		return Grant{}, errDenied
	}
	return f.OnSubscribe(ctx, c, r)
}

// Allow implements [Authorizer].
func (f Funcs) Allow(ctx context.Context, c Client, r ActionRequest) error {
	if f.OnAllow == nil {
		return errDenied
	}
	return f.OnAllow(ctx, c, r)
}

var (
	_ Authorizer = AllowAll{}
	_ Authorizer = Funcs{}
)
