// Package auth reads and makes the JSON Web Tokens that open connections and
// subscriptions, with the claims that Centrifugo gave them; it remembers which
// of them were revoked, and trades one-shot tickets for clients that cannot
// send a token. It decides who somebody is, not what they may do.
package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Errors that a caller branches on. Test with [errors.Is]. Their texts say why,
// for the log of the server: they hold no token, no ticket and no secret.
var (
	// ErrExpired: the token was good; the client may fetch a new one.
	ErrExpired = errors.New("token has expired")

	// ErrInvalid: the token is not one, or not for this server, or not yet; to
	// bring it again is no use.
	ErrInvalid = errors.New("token is invalid")

	// ErrRevoked: the token is good, but was revoked.
	ErrRevoked = errors.New("token is revoked")

	// ErrUnavailable: no key is known that the token could be checked with, and
	// the JWKS that may have it could not be fetched; the same token may do later.
	ErrUnavailable = errors.New("keys are unavailable")

	// ErrTicket: the ticket is unknown, has expired or was redeemed before.
	ErrTicket = errors.New("ticket is invalid")

	// ErrFull: as many revocations or tickets are kept as are allowed.
	ErrFull = errors.New("too many are kept already")
)

// MaxToken is the longest token that is read, in bytes.
const MaxToken = 8 << 10

// A Token is what tokens of both kinds say.
type Token struct {
	User       string    // claim sub; empty if anonymous
	ID         string    // claim jti; may be empty
	IssuedAt   time.Time // claim iat; zero if the token does not say
	ValidUntil time.Time // claim exp; zero for ever
}

// A Connection is what a connection token says.
type Connection struct {
	Token
	Info    json.RawMessage    // claim info or b64info: what others may see; nil for nothing
	Meta    json.RawMessage    // claim meta: for the server only, a JSON object; nil for nothing
	Expires time.Time          // claim expire_at, else exp: when the connection needs a new token; zero for never
	Subs    map[string]Options // claim subs, or channels if there is none: what it reads without asking; may be nil
}

// Options are of one subscription.
type Options struct {
	Info     json.RawMessage // claim info or b64info: what others may see of it in the channel; nil for nothing
	Data     json.RawMessage // claim data or b64data: for the client; nil for nothing
	Expires  time.Time       // claim expire_at; zero for never
	Presence *bool           // override.presence: it is listed in presence; nil as the channel has it
	Joins    *bool           // override.join_leave: the channel is told that it comes and goes; nil as the channel has it
}

// A Subscription is what a subscription token says. Without the claim expire_at
// its Expires is exp.
type Subscription struct {
	Token
	Options
	Channel string // claim channel
	Client  string // claim client: the one connection that may use it; empty for any of the user
}

// Allows returns nil if s is for this connection and this channel, and an error
// that wraps [ErrInvalid] if not.
func (s Subscription) Allows(user, client, channel string) error {
	switch {
	case s.Channel != channel:
		return invalid("it is for another channel")
	case s.User != user:
		return invalid("it is for another user")
	case s.Client != "" && s.Client != client:
		return invalid("it is for another connection")
	}
	return nil
}

// A Secret does not show what it holds, however it is printed or logged.
type Secret []byte

const masked = "[secret]"

// Format implements [fmt.Formatter].
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// LogValue implements [slog.LogValuer].
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText implements [encoding.TextMarshaler].
func (Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// A failure is one of the sentinels, and why. The reason is never made of what
// a token holds, but for names that are quoted and short.
type failure struct {
	kind   error
	reason string
}

func (f *failure) Error() string { return f.kind.Error() + ": " + f.reason }
func (f *failure) Unwrap() error { return f.kind }

func invalid(format string, args ...any) error {
	return &failure{ErrInvalid, fmt.Sprintf(format, args...)}
}
