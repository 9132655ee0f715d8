// Package wire speaks the Centrifuge client protocol, as it is specified in
// client.proto of github.com/centrifugal/protocol: commands of clients, and the
// replies and pushes of the server, in JSON. It knows no connection: what it
// appends is the payload of a frame.
//
// A frame holds one or more objects; in JSON they are separated by a newline.
package wire

import (
	"time"

	"github.com/surewire/surewire"
)

// A Command is what a client asks. At most one of the requests is set. A
// Command without an ID and without a request is a pong.
type Command struct {
	ID            uint32 // echoed in the reply; not 0 where a reply is due
	Connect       *Connect
	Subscribe     *Subscribe
	Unsubscribe   *Unsubscribe
	Publish       *Publish
	Presence      *Presence
	PresenceStats *PresenceStats
	History       *History
	RPC           *RPC
	Send          *Send
	Refresh       *Refresh
	SubRefresh    *SubRefresh
	Other         string // name of a request that is known to the protocol, but not served
}

// Pong reports whether c answers a ping.
func (c *Command) Pong() bool { return *c == Command{} }

// Name is what the protocol calls what c asks; empty for a pong.
func (c *Command) Name() string {
	switch {
	case c.Connect != nil:
		return "connect"
	case c.Subscribe != nil:
		return "subscribe"
	case c.Unsubscribe != nil:
		return "unsubscribe"
	case c.Publish != nil:
		return "publish"
	case c.Presence != nil:
		return "presence"
	case c.PresenceStats != nil:
		return "presence_stats"
	case c.History != nil:
		return "history"
	case c.RPC != nil:
		return "rpc"
	case c.Send != nil:
		return "send"
	case c.Refresh != nil:
		return "refresh"
	case c.SubRefresh != nil:
		return "sub_refresh"
	}
	return c.Other
}

// Connect asks to begin: the first command of a connection.
type Connect struct {
	Token   string
	Data    []byte // one JSON value of the application's; may be nil
	Name    string // of the client's software
	Version string
	Headers map[string]string            // in place of HTTP headers, which browsers cannot set; may be nil
	Subs    map[string]surewire.Position // server-side subscriptions it had, and wants to recover; may be nil
}

// Subscribe asks for the publications of a channel.
type Subscribe struct {
	Channel string
	Token   string
	Data    []byte // one JSON value of the application's; may be nil
	Recover bool   // go on after Since
	Since   surewire.Position
	Joins   bool   // joins and leaves are wanted too
	Flags   uint64 // see FlagRejectUnrecovered
}

// FlagRejectUnrecovered asks for [ErrUnrecoverable] where recovery fails.
const FlagRejectUnrecovered = 2

// Unsubscribe ends a subscription.
type Unsubscribe struct{ Channel string }

// Publish asks to publish one JSON value.
type Publish struct {
	Channel string
	Data    []byte
}

// Presence asks who is in a channel.
type Presence struct{ Channel string }

// PresenceStats asks how many are in a channel.
type PresenceStats struct{ Channel string }

// History asks for what is kept of a channel.
type History struct {
	Channel string
	Limit   int                // publications; 0 asks for the position alone, a negative one for as many as may be
	Since   *surewire.Position // begin after it, or before it if Reverse; nil begins at the oldest, or newest
	Reverse bool               // newest first
}

// RPC asks the application.
type RPC struct {
	Method string
	Data   []byte // one JSON value; may be nil
}

// Send tells the application; there is no reply.
type Send struct{ Data []byte }

// Refresh brings a new token of the connection.
type Refresh struct{ Token string }

// SubRefresh brings a new token of a subscription.
type SubRefresh struct{ Channel, Token string }

// Connected answers [Connect].
type Connected struct {
	Client       string        // the connection's ID
	Version      string        // of the server
	PingInterval uint32        // in seconds: the server pings at least so often, and expects a pong
	TTL          time.Duration // until the connection expires; 0 if it does not
	Data         []byte        // one JSON value of the application's; may be nil
	Subs         map[string]Subscribed
}

// Subscribed answers [Subscribe].
type Subscribed struct {
	Position      surewire.Position   // what comes after it follows: Publications first, then pushes
	Publications  []*surewire.Message // what was missed, or as much of it as a reply holds
	WasRecovering bool                // the client had asked to recover
	Recovered     bool                // and nothing after its position was or will be missed
	TTL           time.Duration       // until the subscription expires; 0 if it does not
	Data          []byte              // one JSON value of the application's; may be nil
}

// Stats answers [PresenceStats].
type Stats struct{ Clients, Users int }

// Refreshed answers [Refresh] and [SubRefresh].
type Refreshed struct{ TTL time.Duration } // until it expires; 0 if it does not

// A Reply is what a server says: the answer to a command, or a push, of a
// channel or not. A Reply with nothing set is a ping.
type Reply struct {
	ID         uint32 // of the command; 0 for pushes and pings
	Error      *Error
	Connected  *Connected
	Subscribed *Subscribed // of a push too: the server has begun a subscription
	Presence   map[string]surewire.ClientInfo
	Stats      *Stats
	History    *surewire.History // its messages' positions have no Epoch
	Refreshed  *Refreshed        // of a push too: the server has set another time
	Data       []byte            // that an RPC returned, or a message to the application; nil if neither

	Push        bool               // what is set has not been asked for
	Channel     string             // of a push
	Publication *surewire.Message  // pushed, a join or leave too; its Position has no Epoch
	Ended       *SubscriptionEnded // pushed
	Bye         *surewire.Disconnect
}

// Ping reports whether r wants a pong.
func (r *Reply) Ping() bool { return r.ID == 0 && !r.Push }

// SubscriptionEnded is a push: the server ended a subscription. Codes of 2500
// and more ask the client to subscribe again.
type SubscriptionEnded struct {
	Code   uint32
	Reason string
}

// Error implements error.
func (e SubscriptionEnded) Error() string { return "subscription ended: " + e.Reason }

// Ends of subscriptions that the protocol knows.
var (
	// Unsubscribed: the application ended it; the client should not come back.
	Unsubscribed = SubscriptionEnded{2000, "server unsubscribe"}
	// InsufficientState: it cannot go on without a gap.
	InsufficientState = SubscriptionEnded{2500, "insufficient state"}
	// Expired: its time was over, and no new token came.
	Expired = SubscriptionEnded{2501, "subscription expired"}
)

// An Error refuses one command. It is an error value.
type Error struct {
	Code      uint32
	Message   string
	Temporary bool // the same command may succeed later
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// With returns e with detail after its message, for the person who reads it.
func (e *Error) With(detail string) *Error {
	return &Error{e.Code, e.Message + ": " + detail, e.Temporary}
}

// Errors of the protocol that Surewire replies with.
var (
	ErrInternal          = &Error{100, "internal server error", true}
	ErrUnauthorized      = &Error{101, "unauthorized", false}
	ErrUnknownChannel    = &Error{102, "unknown channel", false}
	ErrPermissionDenied  = &Error{103, "permission denied", false}
	ErrMethodNotFound    = &Error{104, "method not found", false}
	ErrAlreadySubscribed = &Error{105, "already subscribed", false}
	ErrLimitExceeded     = &Error{106, "limit exceeded", false}
	ErrBadRequest        = &Error{107, "bad request", false}
	ErrNotAvailable      = &Error{108, "not available", false}
	ErrTokenExpired      = &Error{109, "token expired", false}
	ErrExpired           = &Error{110, "expired", false}
	ErrTooManyRequests   = &Error{111, "too many requests", true}
	ErrUnrecoverable     = &Error{112, "unrecoverable position", false}
)
