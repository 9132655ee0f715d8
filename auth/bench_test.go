package auth_test

import (
	"fmt"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/surewire/surewire/auth"
)

// BenchmarkVerify is the cost of a good token, per algorithm; beside it, what
// golang-jwt alone takes to read the same token into a map.
func BenchmarkVerify(b *testing.B) {
	k := keys()
	claims := fmt.Sprintf(`{"sub":"42","exp":%d,"iat":%d,"jti":"7d0c2f","aud":"chat","iss":"idp","info":{"name":"Ada"},"channels":["user:42"]}`, now.Unix()+3600, now.Unix())
	for _, c := range []struct {
		alg    string
		sign   any
		verify any
		key    auth.Key
	}{
		{"HS256", []byte(secret), []byte(secret), hmacKey()[0]},
		{"RS256", k.rsa, k.rsa.Public(), auth.Key{PEM: k.rsaPEM}},
		{"ES256", k.p256, k.p256.Public(), auth.Key{PEM: k.p256PEM}},
		{"EdDSA", k.ed, k.ed.Public(), auth.Key{PEM: k.edPEM}},
	} {
		signed := token(c.alg, c.sign, header(c.alg, ""), claims)
		b.Run(c.alg+"/auth", func(b *testing.B) {
			v := newVerifier(b, auth.Config{Keys: []auth.Key{c.key}, Audience: "chat", Issuer: "idp"})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Connection(b.Context(), signed); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.alg+"/jwt", func(b *testing.B) {
			p := jwt.NewParser(jwt.WithValidMethods([]string{c.alg}), jwt.WithAudience("chat"), jwt.WithIssuer("idp"), jwt.WithTimeFunc(clock))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Parse(signed, func(*jwt.Token) (any, error) { return c.verify, nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRefuse is what a wrong token costs.
func BenchmarkRefuse(b *testing.B) {
	v := newVerifier(b, auth.Config{Keys: hmacKey()})
	good := hs256(`{"sub":"42","channels":["user:42"]}`)
	for name, token := range map[string]string{"signature": good[:len(good)-4] + "AAAA", "long": string(make([]byte, 1<<20)), "garbage": "a.b.c"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Connection(b.Context(), token); err == nil {
					b.Fatal("taken")
				}
			}
		})
	}
}

func BenchmarkRevocationsCheck(b *testing.B) {
	r := auth.NewRevocations(auth.RevocationsConfig{})
	for n := range 10_000 {
		if err := r.Revoke(auth.Revocation{User: fmt.Sprint(n)}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Check("somebody", "7d0c2f", now); err != nil {
			b.Fatal(err)
		}
	}
}
