package auth_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire/auth"
)

// An issuer answers requests for its keys, in the test's time.
type issuer struct {
	fetches atomic.Int64
	answer  atomic.Pointer[func(*http.Request) (*http.Response, error)]
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.fetches.Add(1)
	return (*i.answer.Load())(r)
}

func (i *issuer) answers(f func(*http.Request) (*http.Response, error)) { i.answer.Store(&f) }

func (i *issuer) serves(body string) {
	i.answers(func(*http.Request) (*http.Response, error) { return response(200, body), nil })
}

func (i *issuer) fails() {
	i.answers(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route to host") })
}

func response(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func (i *issuer) verifier(t *testing.T, log io.Writer) *auth.Verifier {
	return newVerifier(t, auth.Config{
		Keys: hmacKey(), Now: time.Now, Log: slog.New(slog.NewTextHandler(log, nil)),
		JWKS: auth.JWKS{URL: "https://issuer.example/keys?token=hunter2", Client: &http.Client{Transport: i}},
	})
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwk writes a public key as an issuer does.
func jwk(kid string, public crypto.PublicKey, more string) string {
	m := map[string]string{"kid": kid}
	switch k := public.(type) {
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"] = "RSA", b64(k.N.Bytes()), b64(big.NewInt(int64(k.E)).Bytes())
	case *ecdsa.PublicKey:
		point := must(k.Bytes())[1:]
		m["kty"], m["crv"], m["x"], m["y"] = "EC", k.Curve.Params().Name, b64(point[:len(point)/2]), b64(point[len(point)/2:])
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", b64(k)
	}
	s := string(must(json.Marshal(m)))
	return s[:len(s)-1] + more + "}"
}

func jwks(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

func es256(kid string) string {
	return token("ES256", keys().p256, header("ES256", kid), `{"sub":"42"}`)
}

func rs256(kid string) string {
	return token("RS256", keys().rsa, header("RS256", kid), `{"sub":"42"}`)
}

// want asks for a token to be taken, or refused as kind.
func want(t *testing.T, v *auth.Verifier, token string, kind error, what string) {
	t.Helper()
	if _, err := v.Connection(t.Context(), token); !errors.Is(err, kind) {
		t.Errorf("%s: got %v, want %v", what, err, kind)
	}
}

func TestJWKSKeys(t *testing.T) {
	k := keys()
	oct := `{"kty":"oct","kid":"oct","k":"` + b64([]byte(secret)) + `"}`
	rsaPublic, ecPublic := k.rsa.Public(), k.p256.Public()
	for _, c := range []struct {
		name  string
		set   string
		token string
		kind  error
	}{
		{"RSA", jwks(jwk("a", rsaPublic, "")), rs256("a"), nil},
		{"PSS", jwks(jwk("a", rsaPublic, "")), token("PS384", k.rsa, header("PS384", "a"), `{}`), nil},
		{"its alg, and no other", jwks(jwk("a", rsaPublic, `,"alg":"PS256"`)), rs256("a"), auth.ErrInvalid},
		{"ECDSA", jwks(jwk("a", ecPublic, `,"use":"sig","alg":"ES256","key_ops":["verify"]`)), es256("a"), nil},
		{"P-521", jwks(jwk("a", k.p521.Public(), "")), token("ES512", k.p521, header("ES512", "a"), `{}`), nil},
		{"Ed25519", jwks(jwk("a", k.ed.Public(), "")), token("EdDSA", k.ed, header("EdDSA", "a"), `{}`), nil},
		{"kid selects", jwks(jwk("b", k.otherRSA.Public(), ""), jwk("a", rsaPublic, "")), rs256("a"), nil},
		{"kid of another key", jwks(jwk("b", k.otherRSA.Public(), ""), jwk("a", rsaPublic, "")), rs256("b"), auth.ErrInvalid},
		{"kid of another type", jwks(jwk("a", ecPublic, ""), jwk("b", rsaPublic, "")), rs256("a"), auth.ErrInvalid},
		{"no kid, one fits", jwks(jwk("a", ecPublic, ""), jwk("b", rsaPublic, "")), rs256(""), nil},
		{"no kid, two fit", jwks(jwk("a", k.otherRSA.Public(), ""), jwk("b", rsaPublic, "")), rs256(""), auth.ErrInvalid},
		{"a key without kid", jwks(jwk("", rsaPublic, "")), rs256("x"), nil},
		{"two keys without kid", jwks(jwk("", rsaPublic, ""), jwk("", k.otherRSA.Public(), "")), rs256("x"), auth.ErrInvalid},
		{"the same kid twice", jwks(jwk("a", rsaPublic, ""), jwk("a", k.otherRSA.Public(), "")), rs256("a"), auth.ErrInvalid},
		{"a published secret is none", jwks(oct, jwk("a", rsaPublic, "")), token("HS256", []byte(secret), header("HS256", "oct"), `{}`), nil /* the configured one */},
		{"a published secret alone", jwks(oct), rs256("a"), auth.ErrUnavailable},
		{"an encryption key", jwks(jwk("a", rsaPublic, `,"use":"enc"`), jwk("b", ecPublic, "")), rs256("a"), auth.ErrInvalid},
		{"a key that may not verify", jwks(jwk("a", rsaPublic, `,"key_ops":["encrypt"]`), jwk("b", ecPublic, "")), rs256("a"), auth.ErrInvalid},
		{"a bad key costs no other", jwks(`{"kty":"EC","kid":"x","crv":"P-256","x":"AQ","y":"AQ"}`, `7`, `{"kty":"what"}`, jwk("b", ecPublic, `,"alg":"ES384"`), jwk("a", rsaPublic, "")), rs256("a"), nil},
		{"a key with an address", jwks(jwk("a", rsaPublic, `,"x5u":"http://127.0.0.1:1/","x5c":["AAAA"]`)), rs256("a"), nil},
		{"another issuer", jwks(jwk("a", k.otherRSA.Public(), "")), rs256("a"), auth.ErrInvalid},
		{"HMAC with what is published", jwks(jwk("a", rsaPublic, "")), token("HS256", k.rsaPEM, header("HS256", "a"), `{}`), auth.ErrInvalid},
		{"no keys", `{"keys":[]}`, rs256("a"), auth.ErrUnavailable},
		{"another document", `{"error":"try later"}`, rs256("a"), auth.ErrUnavailable},
		{"no JSON", `<html>`, rs256("a"), auth.ErrUnavailable},
		{"too much", jwks(jwk("a", rsaPublic, "")) + strings.Repeat(" ", 256<<10), rs256("a"), auth.ErrUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var i issuer
				i.serves(c.set)
				v := i.verifier(t, io.Discard)
				want(t, v, c.token, c.kind, c.name)
				v.Close()
			})
		})
	}
}

// A new key serves as soon as a token names it, an old one until it is gone.
func TestJWKSRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var i issuer
		k := keys()
		i.serves(jwks(jwk("old", k.rsa.Public(), "")))
		v := i.verifier(t, io.Discard)
		want(t, v, rs256("old"), nil, "the first key")
		time.Sleep(time.Minute)
		i.serves(jwks(jwk("old", k.rsa.Public(), ""), jwk("new", k.p256.Public(), "")))
		if n := i.fetches.Load(); n != 1 {
			t.Errorf("%d fetches before a token names another key, want 1", n)
		}
		want(t, v, es256("new"), nil, "the new key")
		want(t, v, rs256("old"), nil, "the old key")
		if n := i.fetches.Load(); n != 2 {
			t.Errorf("%d fetches after one did, want 2", n)
		}
		i.serves(jwks(jwk("new", k.p256.Public(), "")))
		time.Sleep(time.Hour + time.Second)
		want(t, v, rs256("old"), auth.ErrInvalid, "a key that is gone")
		want(t, v, es256("new"), nil, "the key that is left")
	})
}

func TestJWKSOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var i issuer
		var log bytes.Buffer
		k := keys()
		i.fails()
		v := i.verifier(t, &log)
		want(t, v, rs256("a"), auth.ErrUnavailable, "no key was ever known")
		want(t, v, hs256(`{}`), nil, "a configured key")
		i.serves(jwks(jwk("a", k.rsa.Public(), "")))
		time.Sleep(11 * time.Second)
		if n := i.fetches.Load(); n != 2 {
			t.Errorf("%d fetches, want 2: one that fails is repeated after a pause, without a token that asks", n)
		}
		want(t, v, rs256("a"), nil, "the issuer is back")
		for _, bad := range []func(*http.Request) (*http.Response, error){
			func(*http.Request) (*http.Response, error) { return response(503, jwks()), nil },
			func(*http.Request) (*http.Response, error) { return response(200, jwks()), nil },
			func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(strings.NewReader("{"), errReader{}))}, nil
			},
			func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
		} {
			i.answers(bad)
			time.Sleep(time.Hour + time.Minute)
			want(t, v, rs256("a"), nil, "a failed fetch keeps the keys")
			want(t, v, es256("b"), auth.ErrUnavailable, "another key may be there")
			i.serves(jwks(jwk("a", k.rsa.Public(), "")))
			time.Sleep(time.Minute)
			want(t, v, es256("b"), auth.ErrInvalid, "another key is not there")
		}
		v.Close()
		want(t, v, rs256("a"), nil, "closed, with a key that is known")
		want(t, v, es256("b"), auth.ErrUnavailable, "closed, with another")
		v.Close() // again
		if s := log.String(); strings.Contains(s, "hunter2") || !strings.Contains(s, "issuer.example") {
			t.Errorf("the log shows the secret in the URL, or not the host:\n%s", s)
		}
	})
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

// However many wrong tokens come, there is at most one fetch in each pause, and
// nobody with a good token waits.
func TestJWKSFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var i issuer
		k := keys()
		const pause, slow = time.Second, 500 * time.Millisecond
		set := jwks(jwk("a", k.rsa.Public(), ""))
		i.answers(func(*http.Request) (*http.Response, error) {
			time.Sleep(slow)
			return response(200, set), nil
		})
		v := newVerifier(t, auth.Config{Now: time.Now, Keys: hmacKey(), JWKS: auth.JWKS{
			URL: "https://issuer.example/", Pause: pause, Client: &http.Client{Transport: &i}}})
		good := rs256("a")
		want(t, v, good, nil, "the first waits for the keys")
		start := time.Now()
		const perSecond, seconds = 10_000, 4
		wrong := make([]string, 100)
		claims, signature := b64([]byte(`{"sub":"42"}`)), b64(make([]byte, 64))
		for n := range wrong {
			wrong[n] = b64([]byte(header("ES256", fmt.Sprint("kid", n)))) + "." + claims + "." + signature
		}
		var refused atomic.Int64
		var wg sync.WaitGroup
		for second := range seconds {
			for worker := range 10 { // each as many clients one after the other
				wg.Go(func() {
					for n := range perSecond / 10 {
						if _, err := v.Connection(t.Context(), wrong[(n+worker)%len(wrong)]); errors.Is(err, auth.ErrInvalid) {
							refused.Add(1)
						}
					}
				})
			}
			before := time.Now()
			want(t, v, good, nil, "a good token in the flood")
			if waited := time.Since(before); waited != 0 {
				t.Errorf("second %d: a good token waited for %v", second, waited)
			}
			time.Sleep(time.Second)
		}
		wg.Wait()
		if refused.Load() != perSecond*seconds {
			t.Errorf("%d wrong tokens were refused, want %d", refused.Load(), perSecond*seconds)
		}
		// The one at the start, and no two closer than a fetch and a pause.
		if n, most := i.fetches.Load(), 2+int64(time.Since(start)/(pause+slow)); n > most || n < 3 {
			t.Errorf("%d fetches in %v, want 3 to %d", n, time.Since(start), most)
		}
		// Known kids that do not fit, and secrets, ask nobody.
		time.Sleep(time.Minute)
		before := i.fetches.Load()
		want(t, v, es256("a"), auth.ErrInvalid, "a known kid of another type")
		want(t, v, token("HS256", []byte("wrong"), header("HS256", "zzz"), `{}`), auth.ErrInvalid, "HMAC")
		if n := i.fetches.Load(); n != before {
			t.Errorf("%d fetches for tokens that no fetch could help", n-before)
		}
	})
}

// All who ask during a fetch share it, and one who gives up takes nobody along.
func TestJWKSSharedFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var i issuer
		i.answers(func(*http.Request) (*http.Response, error) {
			time.Sleep(3 * time.Second)
			return response(200, jwks(jwk("a", keys().rsa.Public(), ""))), nil
		})
		v := i.verifier(t, io.Discard)
		token := rs256("a")
		start := time.Now()
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := v.Connection(impatient, token); !errors.Is(err, auth.ErrUnavailable) || time.Since(start) != time.Second {
				t.Errorf("who gives up: got %v after %v", err, time.Since(start))
			}
		})
		for range 100 {
			wg.Go(func() { want(t, v, token, nil, "who waits") })
		}
		wg.Wait()
		if n := i.fetches.Load(); n != 1 || time.Since(start) != 3*time.Second {
			t.Errorf("%d fetches in %v, want 1 in 3s", n, time.Since(start))
		}
	})
}

// An issuer that never answers holds nobody for longer than a fetch may take,
// and Close does not wait for it.
func TestJWKSTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var i issuer
		i.answers(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		v := i.verifier(t, io.Discard)
		start := time.Now()
		want(t, v, rs256("a"), auth.ErrUnavailable, "no answer")
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("waited %v, want 5s", waited)
		}
		time.Sleep(11 * time.Second)
		var wg sync.WaitGroup
		wg.Go(func() { want(t, v, rs256("a"), auth.ErrUnavailable, "closed while it waits") })
		synctest.Wait()
		start = time.Now()
		v.Close()
		wg.Wait()
		if waited := time.Since(start); waited != 0 {
			t.Errorf("Close waited %v", waited)
		}
	})
}

func TestJWKSOverHTTP(t *testing.T) {
	set := jwks(jwk("a", keys().rsa.Public(), ""))
	mux := http.NewServeMux()
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, set) })
	mux.Handle("/moved", http.RedirectHandler("/keys", http.StatusFound))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.Handle("/away", http.RedirectHandler("http://issuer.example/keys", http.StatusFound))
	plain, tls := httptest.NewServer(mux), httptest.NewTLSServer(mux)
	defer plain.Close()
	defer tls.Close()
	mux.Handle("/downgrade", http.RedirectHandler(plain.URL+"/keys", http.StatusFound))
	mux.Handle("/upgrade", http.RedirectHandler(tls.URL+"/keys", http.StatusFound))
	for _, c := range []struct {
		url    string
		client *http.Client
		kind   error
	}{
		{plain.URL + "/keys", nil, nil},
		{strings.Replace(plain.URL, "127.0.0.1", "localhost", 1) + "/keys", nil, nil},
		{plain.URL + "/moved", nil, nil},
		{plain.URL + "/loop", nil, auth.ErrUnavailable},
		{plain.URL + "/away", nil, auth.ErrUnavailable},
		{plain.URL + "/nothing", nil, auth.ErrUnavailable},
		{plain.URL + "/upgrade", tls.Client(), nil},
		{tls.URL + "/keys", tls.Client(), nil},
		{tls.URL + "/keys", nil, auth.ErrUnavailable}, // whose certificate nobody has signed
		{tls.URL + "/downgrade", tls.Client(), auth.ErrUnavailable},
	} {
		v := newVerifier(t, auth.Config{JWKS: auth.JWKS{URL: c.url, Client: c.client}})
		want(t, v, rs256("a"), c.kind, c.url)
		v.Close()
	}
}
