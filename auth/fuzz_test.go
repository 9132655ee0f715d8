package auth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/auth"
)

// Nothing makes the verifier panic; it takes no token whose header and claims
// nobody has signed; what it takes of signed claims is fit to be used.
func FuzzVerifier(f *testing.F) {
	k := keys()
	v := newVerifier(f, auth.Config{Keys: []auth.Key{{Secret: auth.Secret(secret)}, {ID: "rsa", PEM: k.rsaPEM}, {ID: "ec", PEM: k.p256PEM}, {PEM: k.edPEM}}})
	signed := map[string]bool{}
	seed := func(token string) {
		signed[head(token)] = true
		f.Add(token, false)
	}
	for alg, key := range map[string]any{"HS256": []byte(secret), "HS512": []byte(secret), "RS256": k.rsa, "PS384": k.rsa, "ES256": k.p256, "EdDSA": k.ed} {
		seed(token(alg, key, header(alg, ""), fmt.Sprintf(`{"sub":"42","exp":%d,"channels":["a"]}`, now.Unix()+60)))
		seed(token(alg, key, header(alg, "rsa"), `{"channel":"a"}`))
	}
	for _, a := range attacks() {
		f.Add(a, false)
	}
	for _, c := range badClaims() {
		f.Add(c.claims, true)
	}
	f.Add(`{"sub":"42","jti":"x","info":{"a":[1]},"b64info":"WzFd","meta":{},"subs":{"a":{"data":1,"expire_at":0,"override":{"presence":{"value":true}}}},"aud":["a"]}`, true)
	f.Add(`{"sub":"42","channel":"a","client":"c","data":null,"b64data":"e30=","expire_at":2e9,"iat":1.7e9,"nbf":1}`, true)
	f.Fuzz(func(t *testing.T, text string, sign bool) {
		token := text
		if sign {
			token = hs256(text)
		}
		c, err := v.Connection(t.Context(), token)
		s, errSub := v.Subscription(t.Context(), token)
		if !sign && (err == nil || errSub == nil) && !signed[head(token)] {
			t.Fatalf("a token that nobody signed was taken: %q", token)
		}
		if err == nil && errSub == nil {
			t.Fatalf("taken for both kinds: %q", token)
		}
		for _, err := range []error{err, errSub} {
			if err != nil && !errors.Is(err, auth.ErrInvalid) && !errors.Is(err, auth.ErrExpired) {
				t.Fatalf("neither sentinel: %v", err)
			}
		}
		fit(t, s.Options, c.Subs)
		fit(t, auth.Options{Info: c.Info, Data: c.Meta, Expires: c.Expires}, nil)
	})
}

// head is what of a token is signed.
func head(token string) string { return token[:max(strings.LastIndex(token, "."), 0)] }

func fit(t *testing.T, o auth.Options, subs map[string]auth.Options) {
	t.Helper()
	for _, j := range []json.RawMessage{o.Info, o.Data} {
		if j != nil && !json.Valid(j) {
			t.Fatalf("not JSON: %q", j)
		}
	}
	if y := o.Expires.Year(); y > 9999 || y < 0 {
		t.Fatalf("a time in the year %d", y)
	}
	for channel, o := range subs {
		if err := surewire.CheckChannel(channel); err != nil {
			t.Fatal(err)
		}
		fit(t, o, nil)
	}
}
