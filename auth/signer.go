package auth

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/auth/internal/keyset"
)

// Never, as Expires of what is signed, says that a connection or a subscription
// outlives its token.
var Never = time.Unix(0, 0)

// SignerConfig says how a [Signer] signs.
type SignerConfig struct {
	Secret   Secret           // at least 32 bytes, random
	KeyID    string           // kid of the tokens; may be empty
	Audience string           // aud of the tokens; may be empty
	Issuer   string           // iss of the tokens; may be empty
	Now      func() time.Time // nil means time.Now
}

// A Signer makes tokens, signed with HS256. Its methods may be called
// concurrently.
type Signer struct {
	config SignerConfig
}

// NewSigner returns a Signer, or an error that says what is wrong with c.
func NewSigner(c SignerConfig) (*Signer, error) {
	if err := checkSecret(c.Secret); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	if len(c.KeyID) > keyset.MaxID {
		return nil, fmt.Errorf("auth: the key ID has more than %d bytes", keyset.MaxID)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Secret = bytes.Clone(c.Secret)
	return &Signer{config: c}, nil
}

// Connection returns a connection token. An empty ID becomes a random one, a
// zero IssuedAt now, a zero Expires that of the token; see [Never]. Times are
// cut to seconds. The error says what a [Verifier] would not take.
func (s *Signer) Connection(c Connection) (string, error) {
	b := s.begin(c.Token)
	b.value("info", c.Info)
	b.value("meta", c.Meta)
	if c.Meta != nil && !bytes.HasPrefix(bytes.TrimSpace(c.Meta), []byte("{")) {
		b.fail(errors.New("meta is not an object"))
	}
	b.time("expire_at", c.Expires)
	subs := make(map[string]any, len(c.Subs))
	for channel, o := range c.Subs {
		b.fail(surewire.CheckChannel(channel))
		sub := builder{claims: jwt.MapClaims{}}
		sub.options(o)
		b.fail(sub.err)
		subs[channel] = sub.claims
	}
	if len(subs) > 0 {
		b.claims["subs"] = subs
	}
	return s.sign(b)
}

// Subscription returns a subscription token, with defaults as
// [Signer.Connection] has them.
func (s *Signer) Subscription(t Subscription) (string, error) {
	b := s.begin(t.Token)
	b.fail(surewire.CheckChannel(t.Channel))
	b.claims["channel"] = t.Channel
	b.text("client", t.Client)
	b.options(t.Options)
	return s.sign(b)
}

func (s *Signer) begin(t Token) *builder {
	if t.ID == "" {
		t.ID = rand.Text()
	}
	if t.IssuedAt.IsZero() {
		t.IssuedAt = s.config.Now()
	}
	b := &builder{claims: jwt.MapClaims{}}
	b.text("sub", t.User)
	b.text("jti", t.ID)
	b.time("iat", t.IssuedAt)
	b.time("exp", t.ValidUntil)
	b.text("aud", s.config.Audience)
	b.text("iss", s.config.Issuer)
	return b
}

// A builder collects claims, and the first thing that is wrong with them.
type builder struct {
	claims jwt.MapClaims
	err    error
}

func (b *builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *builder) text(name, value string) {
	if !utf8.ValidString(value) {
		b.fail(fmt.Errorf("%s is not UTF-8", name))
	}
	if value != "" {
		b.claims[name] = value
	}
}

func (b *builder) time(name string, t time.Time) {
	if t.IsZero() {
		return
	}
	if t.Unix() < 0 || t.Unix() > maxSeconds {
		b.fail(fmt.Errorf("%s is not between 1970 and 9999", name))
	}
	b.claims[name] = t.Unix()
}

func (b *builder) value(name string, value json.RawMessage) {
	if value == nil {
		return
	}
	if !json.Valid(value) || !utf8.Valid(value) {
		b.fail(fmt.Errorf("%s is not JSON", name))
	}
	b.claims[name] = value
}

func (b *builder) options(o Options) {
	override := map[string]any{}
	if o.Presence != nil {
		override["presence"] = map[string]bool{"value": *o.Presence}
	}
	if o.Joins != nil {
		override["join_leave"] = map[string]bool{"value": *o.Joins}
	}
	if len(override) > 0 {
		b.claims["override"] = override
	}
	b.value("info", o.Info)
	b.value("data", o.Data)
	b.time("expire_at", o.Expires)
}

func (s *Signer) sign(b *builder) (string, error) {
	if b.err != nil {
		return "", fmt.Errorf("auth: %w", b.err)
	}
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, b.claims)
	if s.config.KeyID != "" {
		t.Header["kid"] = s.config.KeyID
	}
	signed, err := t.SignedString([]byte(s.config.Secret))
	if err != nil {
		return "", errors.New("auth: the claims cannot be written as JSON")
	}
	if payload, err := json.Marshal(b.claims); err != nil || deep(payload) {
		return "", fmt.Errorf("auth: the claims are nested deeper than %d", maxDepth)
	}
	if len(signed) > MaxToken {
		return "", fmt.Errorf("auth: the token would have %d bytes, more than %d", len(signed), MaxToken)
	}
	return signed, nil
}
