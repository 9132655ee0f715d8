package auth_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire/auth"
)

func newSigner(t testing.TB, c auth.SignerConfig) *auth.Signer {
	t.Helper()
	c.Secret, c.Now = auth.Secret(secret), clock
	s, err := auth.NewSigner(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What is signed is read again as it was.
func TestSignerRoundTrip(t *testing.T) {
	s := newSigner(t, auth.SignerConfig{KeyID: "k", Audience: "us", Issuer: "me"})
	v := newVerifier(t, auth.Config{Keys: []auth.Key{{ID: "k", Secret: auth.Secret(secret)}}, Audience: "us", Issuer: "me", MaxLifetime: time.Hour})
	tok := auth.Token{User: "42 \"<&>\" ü", ID: "id", IssuedAt: now.Local(), ValidUntil: now.Add(time.Hour).Local()}
	info, later := json.RawMessage(`{"name":"Ada","n":1.50}`), now.Add(2*time.Hour).Local()
	for _, c := range []auth.Connection{
		{Token: tok, Expires: tok.ValidUntil},
		{Token: tok, Expires: later, Info: info, Meta: json.RawMessage(`{"a":null}`)},
		{Token: tok, Expires: tok.ValidUntil, Subs: map[string]auth.Options{
			"a": {}, "b:c#42": {Info: info, Data: json.RawMessage(`[]`), Expires: later, Presence: ptr(true), Joins: ptr(false)}}},
	} {
		signed := must(s.Connection(c))
		if got, err := v.Connection(t.Context(), signed); err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("got %v\n%+v, want\n%+v", err, got, c)
		}
	}
	for _, c := range []auth.Subscription{
		{Token: tok, Channel: "a", Options: auth.Options{Expires: tok.ValidUntil}},
		{Token: tok, Channel: "a", Client: "c", Options: auth.Options{Info: info, Data: info, Expires: later, Presence: ptr(false), Joins: ptr(true)}},
	} {
		signed := must(s.Subscription(c))
		if got, err := v.Subscription(t.Context(), signed); err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("got %v\n%+v, want\n%+v", err, got, c)
		}
	}
}

func TestSignerDefaults(t *testing.T) {
	s, v := newSigner(t, auth.SignerConfig{}), newVerifier(t, auth.Config{Keys: hmacKey()})
	until := now.Add(time.Minute)
	first := must(v.Connection(t.Context(), must(s.Connection(auth.Connection{Token: auth.Token{User: "42", ValidUntil: until}}))))
	if !first.IssuedAt.Equal(now) || !first.Expires.Equal(until) || len(first.ID) < 20 {
		t.Errorf("got %+v", first)
	}
	second := must(v.Connection(t.Context(), must(s.Connection(auth.Connection{Expires: auth.Never, Token: auth.Token{ValidUntil: until}}))))
	if second.ID == first.ID || !second.Expires.IsZero() || second.User != "" {
		t.Errorf("got %+v", second)
	}
}

func TestSignerRefuses(t *testing.T) {
	if _, err := auth.NewSigner(auth.SignerConfig{Secret: auth.Secret("short")}); err == nil || !strings.Contains(err.Error(), "openssl rand") || strings.Contains(err.Error(), "short") {
		t.Errorf("a short secret: got %v", err)
	}
	if _, err := auth.NewSigner(auth.SignerConfig{Secret: auth.Secret(secret), KeyID: strings.Repeat("k", 257)}); err == nil {
		t.Error("a long key ID was taken")
	}
	s := newSigner(t, auth.SignerConfig{})
	deep := json.RawMessage(strings.Repeat("[", 64) + strings.Repeat("]", 64))
	for name, c := range map[string]auth.Connection{
		"a user that is not UTF-8": {Token: auth.Token{User: "\xff"}},
		"info that is no JSON":     {Info: json.RawMessage(`{`)},
		"info that is empty":       {Info: json.RawMessage{}},
		"info that is not UTF-8":   {Info: json.RawMessage("\"\xff\"")},
		"info that is deep":        {Info: deep},
		"data that is deep":        {Subs: map[string]auth.Options{"a": {Data: deep}}},
		"meta that is a list":      {Meta: json.RawMessage(`[]`)},
		"meta that is empty":       {Meta: json.RawMessage{}},
		"no channel":               {Subs: map[string]auth.Options{"": {}}},
		"bad options":              {Subs: map[string]auth.Options{"a": {Data: json.RawMessage(`x`)}}},
		"a time before 1970":       {Token: auth.Token{ValidUntil: time.Unix(-1, 0)}},
		"a time after 9999":        {Expires: time.Unix(1<<40, 0)},
		"too much":                 {Info: json.RawMessage(`"` + strings.Repeat("x", auth.MaxToken) + `"`)},
	} {
		if signed, err := s.Connection(c); err == nil || signed != "" || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %q, %v", name, signed, err)
		}
	}
	if _, err := s.Subscription(auth.Subscription{Channel: "a b"}); err == nil {
		t.Error("a bad channel was taken")
	}
}
