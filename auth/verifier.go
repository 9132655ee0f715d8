package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/surewire/surewire/auth/internal/keyset"
)

// Config says which tokens a [Verifier] takes. It needs a key or a JWKS.
type Config struct {
	Keys        []Key
	JWKS        JWKS
	Audience    string           // one that tokens must be for; empty for any
	Issuer      string           // whose tokens must be; empty for any
	Leeway      time.Duration    // how far clocks may be apart; 0 means 5s, negative not at all
	MaxLifetime time.Duration    // longest that a token may be valid, from its iat, else from now; 0 means no limit
	Revocations *Revocations     // asked about each good token; may be nil
	Now         func() time.Time // the clock for tokens; nil means time.Now
	Log         *slog.Logger     // told how fetching the JWKS goes; nil for nobody
}

// A Verifier checks tokens. Its methods may be called concurrently.
type Verifier struct {
	// Static after construction.
	config    Config
	keys      []keyset.Key
	jwks      *keyset.Remote // nil if there is none
	algs      []string       // that a key may have
	parser    *jwt.Parser
	validator *jwt.Validator
}

// New returns a Verifier, or an error that says what is wrong with c. Its Close
// ends the goroutine that fetches the JWKS, the only one it starts.
func New(c Config) (*Verifier, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Leeway == 0 {
		c.Leeway = 5 * time.Second
	}
	c.Leeway = max(c.Leeway, 0)
	v := &Verifier{config: c, validator: validator(c)}
	for i, k := range c.Keys {
		parsed, err := k.parse()
		if err != nil {
			return nil, fmt.Errorf("auth: key %d: %w", i, err)
		}
		// Which of the two would a kid that neither names be looked for in?
		if k.ID == "" && len(k.PEM) > 0 && c.JWKS.URL != "" {
			return nil, fmt.Errorf("auth: key %d: beside a JWKS, a public key needs an ID", i)
		}
		v.keys = append(v.keys, parsed)
		v.algs = append(v.algs, parsed.Algorithms...)
	}
	if c.JWKS.URL != "" {
		var err error
		if v.jwks, err = keyset.Fetch(keyset.Config{URL: c.JWKS.URL, Refresh: c.JWKS.Refresh, Pause: c.JWKS.Pause, Client: c.JWKS.Client, Log: c.Log}); err != nil {
			return nil, fmt.Errorf("auth: JWKS: %w", err)
		}
		v.algs = append(v.algs, keyset.Public...)
	}
	if len(v.algs) == 0 {
		return nil, errors.New("auth: no key and no JWKS: no token could be checked")
	}
	v.parser = jwt.NewParser(jwt.WithValidMethods(v.algs), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	return v, nil
}

func validator(c Config) *jwt.Validator {
	options := []jwt.ParserOption{jwt.WithLeeway(c.Leeway), jwt.WithTimeFunc(c.Now), jwt.WithIssuedAt(), jwt.WithIssuer(c.Issuer)}
	if c.Audience != "" {
		options = append(options, jwt.WithAudience(c.Audience))
	}
	return jwt.NewValidator(options...)
}

// Close ends the fetching of keys; those that are known still serve.
func (v *Verifier) Close() {
	if v.jwks != nil {
		v.jwks.Close()
	}
}

// Connection checks a connection token. The error wraps one of [ErrExpired],
// [ErrInvalid], [ErrRevoked] and [ErrUnavailable]. It waits only for a key that
// is being fetched, and not longer than ctx.
func (v *Verifier) Connection(ctx context.Context, token string) (Connection, error) {
	c, err := v.verify(ctx, token)
	if err != nil {
		return Connection{}, err
	}
	// A token that opens one channel must not open a connection.
	if c.channel != nil {
		return Connection{}, invalid("it is a subscription token")
	}
	out := Connection{Token: c.token(), Info: c.options.Info, Meta: c.meta, Expires: c.expires(), Subs: c.subs}
	if len(out.Subs) == 0 {
		out.Subs = c.channels
	}
	if v.past(out.Expires) {
		return Connection{}, &failure{ErrExpired, "the connection would have expired"}
	}
	for _, o := range out.Subs {
		if v.past(o.Expires) {
			return Connection{}, &failure{ErrExpired, "a subscription would have expired"}
		}
	}
	return out, nil
}

// Subscription checks a subscription token, and its errors are those of
// [Verifier.Connection]. Whether the token is for who brings it, and for the
// channel asked for, is for [Subscription.Allows] to say.
func (v *Verifier) Subscription(ctx context.Context, token string) (Subscription, error) {
	c, err := v.verify(ctx, token)
	if err != nil {
		return Subscription{}, err
	}
	if c.channel == nil || *c.channel == "" {
		return Subscription{}, invalid("it is not a subscription token: it names no channel")
	}
	out := Subscription{Token: c.token(), Options: c.options.Options, Channel: *c.channel, Client: c.client}
	if out.Expires = c.expires(); v.past(out.Expires) {
		return Subscription{}, &failure{ErrExpired, "the subscription would have expired"}
	}
	return out, nil
}

func (c *claims) token() Token {
	return Token{User: c.sub, ID: c.jti, IssuedAt: c.iat, ValidUntil: c.exp}
}

func (c *claims) expires() time.Time {
	if c.options.expires {
		return c.options.Expires
	}
	return c.exp
}

func (v *Verifier) past(t time.Time) bool {
	return !t.IsZero() && !v.config.Now().Before(t.Add(v.config.Leeway))
}

// verify returns the claims of a token whose signature, times, audience and
// issuer are good, and which is not revoked.
func (v *Verifier) verify(ctx context.Context, token string) (claims, error) {
	if len(token) > MaxToken {
		return claims{}, invalid("it has more than %d bytes", MaxToken)
	}
	var raw rawClaims
	parsed, err := v.parser.ParseWithClaims(token, &raw, func(t *jwt.Token) (any, error) { return v.keysFor(ctx, t) })
	if err != nil {
		return claims{}, v.parseFailure(parsed, err)
	}
	c, err := decodeClaims(raw.json)
	if err != nil {
		return claims{}, invalid("claims: %v", err)
	}
	if err := v.validator.Validate(&c); err != nil {
		return claims{}, claimsFailure(err)
	}
	if err := v.lifetime(&c); err != nil {
		return claims{}, err
	}
	return c, v.config.Revocations.Check(c.sub, c.jti, c.iat)
}

// rawClaims keeps the claims until the signature is known to be good: before
// that they are not worth reading.
type rawClaims struct {
	jwt.Claims // nil: nothing is asked of it
	json       []byte
}

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (r *rawClaims) UnmarshalJSON(b []byte) error {
	r.json = bytes.Clone(b)
	return nil
}

// keysFor returns the keys that may have signed t. What else its header says
// (jku, x5u, jwk, x5c) is the sender's word, and not read.
func (v *Verifier) keysFor(ctx context.Context, t *jwt.Token) (any, error) {
	// RFC 7515, section 4.1.11: what must be understood, and is not.
	if _, ok := t.Header["crit"]; ok {
		return nil, invalid("its header has a critical extension")
	}
	kid, ok := t.Header["kid"].(string)
	if given := t.Header["kid"]; given != nil && !ok || len(kid) > keyset.MaxID {
		return nil, invalid("its kid is not a string of at most %d bytes", keyset.MaxID)
	}
	alg := t.Method.Alg()
	found := keyset.Pick(v.keys, kid, alg)
	if len(found) == 0 && v.jwks != nil && slices.Contains(keyset.Public, alg) {
		var err error
		if found, err = v.jwks.Pick(ctx, kid, alg); err != nil {
			return nil, &failure{ErrUnavailable, err.Error()}
		}
	}
	if len(found) == 0 {
		return nil, invalid("no key is for kid %.64q and algorithm %s", kid, alg)
	}
	set := jwt.VerificationKeySet{Keys: make([]jwt.VerificationKey, len(found))}
	for i, k := range found {
		set.Keys[i] = k
	}
	return set, nil
}

// lifetime holds tokens to MaxLifetime. Validate saw that iat is not to come.
func (v *Verifier) lifetime(c *claims) error {
	limit := v.config.MaxLifetime
	if limit <= 0 {
		return nil
	}
	from := c.iat
	if from.IsZero() {
		from = v.config.Now()
	}
	if c.exp.IsZero() || c.exp.Sub(from) > limit {
		return invalid("it is valid for longer than %v", limit)
	}
	return nil
}

// parseFailure says what golang-jwt found, without its text, which may quote
// the token.
func (v *Verifier) parseFailure(t *jwt.Token, err error) error {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, jwt.ErrTokenSignatureInvalid) && !slices.Contains(v.algs, t.Method.Alg()):
		return invalid("algorithm %s is not accepted here", t.Method.Alg())
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return invalid("the signature is wrong")
	case errors.Is(err, jwt.ErrTokenMalformed):
		return invalid("it is not a JWT")
	}
	return invalid("its algorithm is not known")
}

// claimsFailure is ErrExpired only if nothing else is wrong: a new token of the
// same making would not do.
func claimsFailure(err error) error {
	for _, c := range []struct {
		is     error
		reason string
	}{
		{jwt.ErrTokenRequiredClaimMissing, "it has no aud or iss"},
		{jwt.ErrTokenInvalidAudience, "it is for another audience"},
		{jwt.ErrTokenInvalidIssuer, "it is of another issuer"},
		{jwt.ErrTokenNotValidYet, "it is not valid yet, by its nbf"},
		{jwt.ErrTokenUsedBeforeIssued, "it is not issued yet, by its iat"},
	} {
		if errors.Is(err, c.is) {
			return invalid("%s", c.reason)
		}
	}
	if errors.Is(err, jwt.ErrTokenExpired) {
		return &failure{ErrExpired, "by its exp"}
	}
	return invalid("its claims do not hold")
}
