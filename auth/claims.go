package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/surewire/surewire"
)

// maxDepth is how deep claims may be nested: info is shown to others, whose
// parsers may recurse.
const maxDepth = 64

// claims are those of both kinds of token, as they are written.
type claims struct {
	sub, jti, iss  string
	aud            jwt.ClaimStrings
	exp, iat, nbf  time.Time
	channel        *string // set marks a subscription token
	client         string
	meta           json.RawMessage
	channels, subs map[string]Options
	options        optionClaims
}

// optionClaims are those that a token has, and each entry of its subs.
type optionClaims struct {
	Options
	b64info, b64data json.RawMessage
	expires          bool // the claim expire_at is there
}

func decodeClaims(payload []byte) (claims, error) {
	var c claims
	if !utf8.Valid(payload) {
		return c, errors.New("the claims are not UTF-8")
	}
	if deep(payload) {
		return c, fmt.Errorf("the claims are nested deeper than %d", maxDepth)
	}
	if err := members(payload, c.set); err != nil {
		return c, err
	}
	return c, c.options.finish()
}

func (c *claims) set(name string, value json.RawMessage) error {
	switch name {
	case "sub":
		return text(value, &c.sub)
	case "jti":
		return text(value, &c.jti)
	case "iss":
		return text(value, &c.iss)
	case "aud":
		if json.Unmarshal(value, &c.aud) != nil {
			return errors.New("not a string or a list of strings")
		}
	case "exp":
		return seconds(value, &c.exp)
	case "iat":
		return seconds(value, &c.iat)
	case "nbf":
		return seconds(value, &c.nbf)
	case "channel":
		c.channel = new(string)
		return text(value, c.channel)
	case "client":
		return text(value, &c.client)
	case "meta":
		if value[0] != '{' {
			return errors.New("not an object")
		}
		c.meta = value
	case "channels":
		return c.setChannels(value)
	case "subs":
		return c.setSubs(value)
	default:
		return c.options.set(name, value)
	}
	return nil
}

func (c *claims) setChannels(value json.RawMessage) error {
	var names []string
	if json.Unmarshal(value, &names) != nil {
		return errors.New("not a list of strings")
	}
	c.channels = make(map[string]Options, len(names))
	for _, name := range names {
		if err := surewire.CheckChannel(name); err != nil {
			return err
		}
		c.channels[name] = Options{}
	}
	return nil
}

func (c *claims) setSubs(value json.RawMessage) error {
	c.subs = make(map[string]Options)
	return members(value, func(channel string, value json.RawMessage) error {
		if err := surewire.CheckChannel(channel); err != nil {
			return err
		}
		var o optionClaims
		if err := members(value, o.set); err != nil {
			return err
		}
		err := o.finish()
		c.subs[channel] = o.Options
		return err
	})
}

// set takes a claim. What Surewire always does, or never, cannot be overridden:
// a subscription has a position and recovers, and hears joins if it asks.
func (o *optionClaims) set(name string, value json.RawMessage) error {
	switch name {
	case "info":
		o.Info = value
	case "data":
		o.Data = value
	case "b64info":
		o.b64info = value
	case "b64data":
		o.b64data = value
	case "expire_at":
		o.expires = true
		if value[0] == '-' {
			return nil // never, as 0 is
		}
		err := seconds(value, &o.Expires)
		if o.Expires.Unix() == 0 {
			o.Expires = time.Time{}
		}
		return err
	case "override":
		return members(value, func(name string, value json.RawMessage) error {
			switch name {
			case "presence":
				return flag(value, &o.Presence)
			case "join_leave":
				return flag(value, &o.Joins)
			}
			return nil
		})
	}
	return nil
}

// finish lets what is in Base64 stand for what is not, if there are both.
func (o *optionClaims) finish() error {
	if err := unwrap(o.b64info, &o.Info); err != nil {
		return fmt.Errorf("b64info: %w", err)
	}
	if err := unwrap(o.b64data, &o.Data); err != nil {
		return fmt.Errorf("b64data: %w", err)
	}
	return nil
}

// unwrap decodes a JSON value in Base64.
func unwrap(value json.RawMessage, to *json.RawMessage) error {
	var s string
	if err := text(value, &s); err != nil || s == "" {
		return err
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return errors.New("not Base64")
	}
	if !json.Valid(b) || !utf8.Valid(b) || deep(b) {
		return errors.New("what is in Base64 is not JSON, or nested too deeply")
	}
	*to = b
	return nil
}

// members calls f with each member of a JSON object, whose syntax is known to
// be good, in no order. Names count as they are written and come once: into a
// struct, encoding/json would take SUB for sub, and the last of two where
// another reader takes the first. A member that is null is as good as absent.
func members(object json.RawMessage, f func(name string, value json.RawMessage) error) error {
	var m map[string]json.RawMessage
	if json.Unmarshal(object, &m) != nil || m == nil {
		return errors.New("not an object")
	}
	if len(m) != count(object) {
		return errors.New("a name comes twice")
	}
	for name, value := range m {
		if string(value) == "null" {
			continue
		}
		if err := f(name, value); err != nil {
			return fmt.Errorf("%.40q: %w", name, err)
		}
	}
	return nil
}

// count returns how many members an object has: as many as colons at depth 1.
func count(object []byte) (n int) {
	walk(object, func(c byte, depth int) {
		if c == ':' && depth == 1 {
			n++
		}
	})
	return n
}

// deep reports whether JSON is nested deeper than is allowed.
func deep(b []byte) (is bool) {
	walk(b, func(_ byte, depth int) { is = is || depth > maxDepth })
	return is
}

// walk calls f with each byte of JSON that is not in a string, and how many
// arrays and objects it is in.
func walk(b []byte, f func(c byte, depth int)) {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '\\':
			i++ // only ever in a string
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '}', c == ']':
			depth--
		case c == '{', c == '[':
			depth++
			f(c, depth)
		default:
			f(c, depth)
		}
	}
}

func text(value json.RawMessage, to *string) error {
	switch {
	case value == nil:
	case value[0] == '"' && bytes.IndexByte(value, '\\') < 0:
		*to = string(value[1 : len(value)-1])
	case json.Unmarshal(value, to) != nil:
		return errors.New("not a string")
	}
	return nil
}

// flag reads {"value": true}.
func flag(value json.RawMessage, to **bool) error {
	return members(value, func(name string, value json.RawMessage) error {
		if name != "value" {
			return nil
		}
		if json.Unmarshal(value, to) != nil {
			return errors.New("neither true nor false")
		}
		return nil
	})
}

// maxSeconds is the end of the year 9999. It also catches milliseconds.
const maxSeconds = 253402300799

// seconds reads a NumericDate of RFC 7519, which may have a fraction.
func seconds(value json.RawMessage, to *time.Time) error {
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil || !(f >= 0 && f <= maxSeconds) {
		return errors.New("not a number of seconds since 1970")
	}
	whole, fraction := math.Modf(f)
	*to = time.Unix(int64(whole), int64(fraction*1e9)).Truncate(time.Microsecond)
	return nil
}

func date(t time.Time) (*jwt.NumericDate, error) {
	if t.IsZero() {
		return nil, nil
	}
	return &jwt.NumericDate{Time: t}, nil
}

// GetExpirationTime and the following implement [jwt.Claims].
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return date(c.exp) }
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)       { return date(c.iat) }
func (c *claims) GetNotBefore() (*jwt.NumericDate, error)      { return date(c.nbf) }
func (c *claims) GetIssuer() (string, error)                   { return c.iss, nil }
func (c *claims) GetSubject() (string, error)                  { return c.sub, nil }
func (c *claims) GetAudience() (jwt.ClaimStrings, error)       { return c.aud, nil }

var _ jwt.Claims = (*claims)(nil)
