package auth_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/surewire/surewire/auth"
)

// Each key takes the algorithms of its kind, and nothing that another signed.
func TestAlgorithms(t *testing.T) {
	k := keys()
	type signer struct {
		name string
		key  any
		algs []string
	}
	signers := []signer{
		{"HMAC", []byte(secret), []string{"HS256", "HS384", "HS512"}},
		{"RSA", k.rsa, []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}},
		{"P-256", k.p256, []string{"ES256"}},
		{"P-384", k.p384, []string{"ES384"}},
		{"P-521", k.p521, []string{"ES512"}},
		{"Ed25519", k.ed, []string{"EdDSA"}},
		{"another RSA", k.otherRSA, []string{"RS256", "PS512"}},
	}
	configured := map[string]auth.Key{
		"HMAC": hmacKey()[0], "RSA": {PEM: k.rsaPEM}, "P-256": {PEM: k.p256PEM}, "P-384": {PEM: k.p384PEM},
		"P-521": {PEM: k.p521PEM}, "Ed25519": {PEM: k.edPEM},
	}
	var every []auth.Key
	for _, c := range configured {
		every = append(every, c)
	}
	all := newVerifier(t, auth.Config{Keys: every})
	for name, key := range configured {
		one := newVerifier(t, auth.Config{Keys: []auth.Key{key}})
		for _, s := range signers {
			for _, alg := range s.algs {
				signed := token(alg, s.key, header(alg, ""), `{"sub":"42"}`)
				check(t, one, signed, s.name == name, alg+" of "+s.name+" by "+name)
				check(t, all, signed, s.name != "another RSA", alg+" of "+s.name+" by all")
			}
		}
	}
}

func check(t *testing.T, v *auth.Verifier, token string, good bool, what string) {
	t.Helper()
	c, err := v.Connection(t.Context(), token)
	if good && (err != nil || c.User != "42") {
		t.Errorf("%s: got %v", what, err)
	}
	if !good && !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("%s: got %v, want ErrInvalid", what, err)
	}
}

func TestKeyID(t *testing.T) {
	k := keys()
	other := strings.Repeat("s", 32)
	v := newVerifier(t, auth.Config{Keys: []auth.Key{
		{ID: "a", Secret: auth.Secret(secret)}, {ID: "b", Secret: auth.Secret(other)}, {ID: "r", PEM: k.rsaPEM},
	}})
	nameless := newVerifier(t, auth.Config{Keys: []auth.Key{{Secret: auth.Secret(secret)}, {ID: "b", Secret: auth.Secret(other)}}})
	for _, c := range []struct {
		v    *auth.Verifier
		key  string
		kid  string
		good bool
	}{
		{v, secret, "a", true}, {v, other, "b", true}, {v, secret, "", true}, {v, other, "", true},
		{v, secret, "b", false}, {v, secret, "c", false}, {v, secret, "r", false}, {v, secret, "A", false},
		{nameless, secret, "whatever", true}, {nameless, other, "whatever", false}, {nameless, secret, "b", false},
	} {
		check(t, c.v, token("HS256", []byte(c.key), header("HS256", c.kid), `{"sub":"42"}`), c.good, fmt.Sprintf("%.1s signed, kid %q", c.key, c.kid))
	}
}

func ptr[T any](v T) *T { return &v }

func unix(s int64) time.Time { return time.Unix(s, 0) }

func TestConnectionClaims(t *testing.T) {
	v := newVerifier(t, auth.Config{Keys: hmacKey()})
	n := now.Unix()
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	for _, c := range []struct {
		name, claims string
		want         auth.Connection
	}{
		{"nothing", `{}`, auth.Connection{}},
		{"a user", `{"sub":"42","jti":"x"}`, auth.Connection{Token: auth.Token{User: "42", ID: "x"}}},
		{"null is absent", `{"sub":null,"exp":null,"aud":null,"info":null,"meta":null,"subs":null,"channels":null,"expire_at":null,"b64info":null,"channel":null}`, auth.Connection{}},
		{"names in another case are other names", `{"sub":"42","SUB":"43","Exp":1}`, auth.Connection{Token: auth.Token{User: "42"}}},
		{"exp ends the connection", fmt.Sprintf(`{"exp":%d,"iat":%d}`, n+60, n), auth.Connection{
			Token: auth.Token{ValidUntil: unix(n + 60), IssuedAt: unix(n)}, Expires: unix(n + 60)}},
		{"expire_at stands in for exp", fmt.Sprintf(`{"exp":%d,"expire_at":%d}`, n+60, n+3600), auth.Connection{
			Token: auth.Token{ValidUntil: unix(n + 60)}, Expires: unix(n + 3600)}},
		{"expire_at without exp", fmt.Sprintf(`{"expire_at":%d}`, n+3600), auth.Connection{Expires: unix(n + 3600)}},
		{"expire_at 0 is never", fmt.Sprintf(`{"exp":%d,"expire_at":0}`, n+60), auth.Connection{Token: auth.Token{ValidUntil: unix(n + 60)}}},
		{"expire_at -1 is never", fmt.Sprintf(`{"exp":%d,"expire_at":-1}`, n+60), auth.Connection{Token: auth.Token{ValidUntil: unix(n + 60)}}},
		{"times with a fraction", fmt.Sprintf(`{"exp":%d.5,"iat":%d.25,"nbf":1.7e9}`, n+60, n), auth.Connection{
			Token: auth.Token{ValidUntil: unix(n + 60).Add(500 * time.Millisecond), IssuedAt: unix(n).Add(250 * time.Millisecond)}, Expires: unix(n + 60).Add(500 * time.Millisecond)}},
		{"expired, but clocks are apart", fmt.Sprintf(`{"exp":%d}`, n-4), auth.Connection{Token: auth.Token{ValidUntil: unix(n - 4)}, Expires: unix(n - 4)}},
		{"issued to come, but clocks are apart", fmt.Sprintf(`{"iat":%d,"nbf":%d}`, n+5, n+5), auth.Connection{Token: auth.Token{IssuedAt: unix(n + 5)}}},
		{"info and meta", `{"info": {"name":"Ada <&>"}, "meta":{"ip":[1]}}`, auth.Connection{Info: raw(`{"name":"Ada <&>"}`), Meta: raw(`{"ip":[1]}`)}},
		{"info of any JSON", `{"info":"x"}`, auth.Connection{Info: raw(`"x"`)}},
		{"b64info before info", `{"info":1,"b64info":"eyJhIjoyfQ=="}`, auth.Connection{Info: raw(`{"a":2}`)}},
		{"channels", `{"channels":["a","b","a"]}`, auth.Connection{Subs: map[string]auth.Options{"a": {}, "b": {}}}},
		{"subs before channels", `{"channels":["a"],"subs":{"b":{}}}`, auth.Connection{Subs: map[string]auth.Options{"b": {}}}},
		{"empty subs", `{"channels":["a"],"subs":{}}`, auth.Connection{Subs: map[string]auth.Options{"a": {}}}},
		{"options", fmt.Sprintf(`{"subs":{"a":{"info":{"x":1},"b64data":"WzFd","expire_at":%d,"override":{
			"presence":{"value":false},"join_leave":{"value":true},"force_recovery":{"value":false},"recover":7}},"b":null}}`, n+60),
			auth.Connection{Subs: map[string]auth.Options{"a": {Info: raw(`{"x":1}`), Data: raw(`[1]`), Expires: unix(n + 60), Presence: ptr(false), Joins: ptr(true)}}}},
		{"an override without a value", `{"subs":{"a":{"override":{"presence":{},"join_leave":null}}}}`, auth.Connection{Subs: map[string]auth.Options{"a": {}}}},
		{"unknown claims", `{"scope":"x","roles":[{"a":{}}],"data":1,"client":"c"}`, auth.Connection{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := v.Connection(t.Context(), hs256(c.claims))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got\n%+v, want\n%+v", got, c.want)
			}
		})
	}
}

func TestSubscriptionClaims(t *testing.T) {
	v := newVerifier(t, auth.Config{Keys: hmacKey()})
	n := now.Unix()
	got, err := v.Subscription(t.Context(), hs256(fmt.Sprintf(
		`{"sub":"42","channel":"run:1","client":"c","exp":%d,"info":1,"data":[2],"override":{"presence":{"value":true}}}`, n+60)))
	want := auth.Subscription{
		Token: auth.Token{User: "42", ValidUntil: unix(n + 60)}, Channel: "run:1", Client: "c",
		Options: auth.Options{Info: json.RawMessage("1"), Data: json.RawMessage("[2]"), Expires: unix(n + 60), Presence: ptr(true)},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\n%+v, want\n%+v", err, got, want)
	}
	for _, c := range []struct{ user, client, channel, want string }{
		{"42", "c", "run:1", ""},
		{"43", "c", "run:1", "another user"},
		{"", "c", "run:1", "another user"},
		{"42", "d", "run:1", "another connection"},
		{"42", "c", "run:2", "another channel"},
	} {
		if err := got.Allows(c.user, c.client, c.channel); (err == nil) != (c.want == "") ||
			err != nil && (!errors.Is(err, auth.ErrInvalid) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: got %v", c, err)
		}
	}
	if err := (auth.Subscription{Channel: "a"}).Allows("", "any", "a"); err != nil {
		t.Errorf("an anonymous user, and any client: %v", err)
	}
	// One kind of token does not do for the other.
	if _, err := v.Subscription(t.Context(), hs256(`{"sub":"42"}`)); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("a connection token for a subscription: got %v", err)
	}
	if _, err := v.Subscription(t.Context(), hs256(`{"sub":"42","channel":""}`)); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("a token for no channel: got %v", err)
	}
	for _, channel := range []string{"run:1", ""} {
		if _, err := v.Connection(t.Context(), hs256(`{"sub":"42","channel":"`+channel+`"}`)); !errors.Is(err, auth.ErrInvalid) {
			t.Errorf("a subscription token for a connection: got %v", err)
		}
	}
	// A one-time subscription token.
	if s, err := v.Subscription(t.Context(), hs256(fmt.Sprintf(`{"channel":"a","exp":%d,"expire_at":0}`, n+60))); err != nil || !s.Expires.IsZero() {
		t.Errorf("expire_at 0: got %v, %v", s.Expires, err)
	}
	if _, err := v.Subscription(t.Context(), hs256(fmt.Sprintf(`{"channel":"a","exp":%d,"expire_at":%d}`, n+60, n-60))); !errors.Is(err, auth.ErrExpired) {
		t.Errorf("expire_at in the past: got %v", err)
	}
}

// badClaims are signed well, and refused.
func badClaims() map[string]struct {
	claims string
	kind   error
	reason string
} {
	n := now.Unix()
	deep := strings.Repeat("[", 64) + strings.Repeat("]", 64)
	type bad = struct {
		claims string
		kind   error
		reason string
	}
	return map[string]bad{
		"expired":                      {fmt.Sprintf(`{"exp":%d}`, n-5), auth.ErrExpired, "exp"},
		"expired at the epoch":         {`{"exp":0}`, auth.ErrExpired, "exp"},
		"expire_at passed":             {fmt.Sprintf(`{"exp":%d,"expire_at":%d}`, n+60, n-60), auth.ErrExpired, "connection"},
		"expire_at of a sub":           {fmt.Sprintf(`{"subs":{"a":{"expire_at":%d}}}`, n-60), auth.ErrExpired, "subscription"},
		"expired, and not yet valid":   {fmt.Sprintf(`{"exp":%d,"nbf":%d}`, n-60, n+60), auth.ErrInvalid, "nbf"},
		"not yet valid":                {fmt.Sprintf(`{"nbf":%d}`, n+6), auth.ErrInvalid, "nbf"},
		"not yet issued":               {fmt.Sprintf(`{"iat":%d}`, n+6), auth.ErrInvalid, "iat"},
		"exp in milliseconds":          {fmt.Sprintf(`{"exp":%d}`, now.UnixMilli()), auth.ErrInvalid, `"exp": not a number of seconds`},
		"a huge exp":                   {`{"exp":1e300}`, auth.ErrInvalid, `"exp"`},
		"an infinite exp":              {`{"exp":1e999}`, auth.ErrInvalid, `"exp"`},
		"an exp that overflows":        {`{"exp":9223372036854775808}`, auth.ErrInvalid, `"exp"`},
		"a negative exp":               {`{"exp":-1}`, auth.ErrInvalid, `"exp"`},
		"exp in a string":              {fmt.Sprintf(`{"exp":"%d"}`, n+60), auth.ErrInvalid, `"exp"`},
		"exp in a list":                {`{"exp":[1]}`, auth.ErrInvalid, `"exp"`},
		"iat true":                     {`{"iat":true}`, auth.ErrInvalid, `"iat"`},
		"a huge nbf":                   {`{"nbf":1e18}`, auth.ErrInvalid, `"nbf"`},
		"a huge expire_at":             {`{"expire_at":1e18}`, auth.ErrInvalid, `"expire_at"`},
		"sub is a number":              {`{"sub":42}`, auth.ErrInvalid, `"sub": not a string`},
		"sub comes twice":              {`{"sub":"42","sub":"43"}`, auth.ErrInvalid, "twice"},
		"sub comes twice, once in \\u": {`{"sub":"42","s\u0075b":"43"}`, auth.ErrInvalid, "twice"},
		"exp comes twice":              {fmt.Sprintf(`{"exp":%d,"exp":%d}`, n-60, n+60), auth.ErrInvalid, "twice"},
		"any claim comes twice":        {`{"x":1,"x":1}`, auth.ErrInvalid, "twice"},
		"a channel comes twice":        {`{"subs":{"a":{},"a":{"info":1}}}`, auth.ErrInvalid, "twice"},
		"an override comes twice":      {`{"subs":{"a":{"override":{"presence":{"value":true},"presence":{}}}}}`, auth.ErrInvalid, "twice"},
		"jti is an object":             {`{"jti":{}}`, auth.ErrInvalid, `"jti"`},
		"aud is a number":              {`{"aud":1}`, auth.ErrInvalid, `"aud"`},
		"aud is a list of others":      {`{"aud":["a",1]}`, auth.ErrInvalid, `"aud"`},
		"meta is a list":               {`{"meta":[]}`, auth.ErrInvalid, `"meta"`},
		"channels is a string":         {`{"channels":"a"}`, auth.ErrInvalid, `"channels"`},
		"an empty channel":             {`{"channels":[""]}`, auth.ErrInvalid, `"channels"`},
		"a channel with a newline":     {`{"channels":["a\nb"]}`, auth.ErrInvalid, `"channels"`},
		"a long channel":               {`{"subs":{"` + strings.Repeat("x", 256) + `":{}}}`, auth.ErrInvalid, `"subs"`},
		"subs is a list":               {`{"subs":["a"]}`, auth.ErrInvalid, `"subs": not an object`},
		"options are a string":         {`{"subs":{"a":""}}`, auth.ErrInvalid, "not an object"},
		"a flag is a string":           {`{"subs":{"a":{"override":{"presence":{"value":"yes"}}}}}`, auth.ErrInvalid, "neither true"},
		"a flag is no object":          {`{"subs":{"a":{"override":{"presence":true}}}}`, auth.ErrInvalid, "not an object"},
		"b64info is not Base64":        {`{"b64info":"*"}`, auth.ErrInvalid, "not Base64"},
		"b64info is a number":          {`{"b64info":1}`, auth.ErrInvalid, "not a string"},
		"b64info is not JSON":          {`{"b64info":"AAEC"}`, auth.ErrInvalid, "not JSON"},
		"b64info is deep":              {`{"b64info":"` + base64.StdEncoding.EncodeToString([]byte("["+deep+"]")) + `"}`, auth.ErrInvalid, "deep"},
		"info is deep":                 {`{"info":` + deep + `}`, auth.ErrInvalid, "nested deeper"},
		"info is not UTF-8":            {"{\"info\":\"\xff\"}", auth.ErrInvalid, "UTF-8"},
		"claims are null":              {`null`, auth.ErrInvalid, "not an object"},
		"claims are a list":            {`[]`, auth.ErrInvalid, "not an object"},
		"claims are no JSON":           {`{"sub":}`, auth.ErrInvalid, "not a JWT"},
		"claims are two values":        {`{}{}`, auth.ErrInvalid, "not a JWT"},
		"claims are empty":             {``, auth.ErrInvalid, "not a JWT"},
	}
}

func TestBadClaims(t *testing.T) {
	v := newVerifier(t, auth.Config{Keys: hmacKey()})
	for name, c := range badClaims() {
		t.Run(name, func(t *testing.T) {
			_, err := v.Connection(t.Context(), hs256(c.claims))
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("got %v, want %v: %s", err, c.kind, c.reason)
			}
		})
	}
	if _, err := v.Connection(t.Context(), hs256(`{"info":`+strings.Repeat("[", 63)+strings.Repeat("]", 63)+`,"x":"[[[[\"{{{{"}`)); err != nil {
		t.Errorf("as deep as is allowed: %v", err)
	}
}

func TestAudienceIssuerLifetime(t *testing.T) {
	at := func(s int64) string { return fmt.Sprint(now.Unix() + s) }
	times := strings.NewReplacer("NOW", at(0), "HOUR", at(3600), "LONGER", at(3601), "BEFORE", at(-1))
	restricted := auth.Config{Keys: hmacKey(), Audience: "chat", Issuer: "idp", MaxLifetime: time.Hour, Leeway: -1}
	for _, c := range []struct {
		claims, reason string
		kind           error
	}{
		{`"aud":"chat","iss":"idp","iat":NOW,"exp":HOUR`, "", nil},
		{`"aud":["x","chat"],"iss":"idp","exp":HOUR`, "", nil},
		{`"aud":"other","iss":"idp","exp":HOUR`, "audience", auth.ErrInvalid},
		{`"aud":["chat2"],"iss":"idp","exp":HOUR`, "audience", auth.ErrInvalid},
		{`"aud":"Chat","iss":"idp","exp":HOUR`, "audience", auth.ErrInvalid},
		{`"aud":"","iss":"idp","exp":HOUR`, "no aud", auth.ErrInvalid},
		{`"aud":[],"iss":"idp","exp":HOUR`, "no aud", auth.ErrInvalid},
		{`"iss":"idp","exp":HOUR`, "no aud", auth.ErrInvalid},
		{`"aud":"chat","exp":HOUR`, "no aud or iss", auth.ErrInvalid},
		{`"aud":"chat","iss":"idp2","exp":HOUR`, "issuer", auth.ErrInvalid},
		{`"aud":"chat","iss":"idp"`, "longer than", auth.ErrInvalid},
		{`"aud":"chat","iss":"idp","exp":LONGER`, "longer than", auth.ErrInvalid},
		{`"aud":"chat","iss":"idp","iat":BEFORE,"exp":HOUR`, "longer than", auth.ErrInvalid},
		{`"aud":"chat","iss":"idp","exp":NOW`, "exp", auth.ErrExpired},
		{`"aud":"chat","iss":"other","exp":NOW`, "issuer", auth.ErrInvalid},
	} {
		v := newVerifier(t, restricted)
		_, err := v.Connection(t.Context(), hs256("{"+times.Replace(c.claims)+"}"))
		if !errors.Is(err, c.kind) || err != nil && !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: got %v, want %v: %s", c.claims, err, c.kind, c.reason)
		}
	}
}

// attacks are tokens that nobody with a key has made as they are.
func attacks() map[string]string {
	k := keys()
	b64 := base64.RawURLEncoding.EncodeToString
	const claims = `{"sub":"admin"}`
	good := hs256(claims)
	part := strings.Split(good, ".")
	unsigned := func(alg string) string { return b64([]byte(header(alg, ""))) + "." + part[1] + "." }
	signed := func(header string) string { return token("HS256", []byte(secret), header, claims) }
	all := map[string]string{
		"empty":                  "",
		"dots":                   "..",
		"two parts":              part[0] + "." + part[1],
		"four parts":             good + "." + part[2],
		"no signature":           part[0] + "." + part[1] + ".",
		"other claims":           part[0] + "." + b64([]byte(`{"sub":"root"}`)) + "." + part[2],
		"a signature cut short":  good[:len(good)-4],
		"padding":                good + "=",
		"base64 of another kind": strings.ReplaceAll(part[0], "e", "+") + "." + part[1] + "." + part[2],
		"spaces":                 " " + good,
		"a bit that is unused":   good[:len(good)-1] + string(good[len(good)-1]+1), // the same signature, unless read strictly
		"a NUL":                  good + "\x00",
		"header is no JSON":      signed(`{"alg"`),
		"header is a list":       signed(`["HS256"]`),
		"header is null":         signed(`null`),
		"alg is missing":         signed(`{}`),
		"alg is a number":        signed(`{"alg":256}`),
		"alg is a list":          signed(`{"alg":["HS256"]}`),
		"alg is unknown":         signed(`{"alg":"HS257"}`),
		"alg in another case":    signed(`{"alg":"hs256"}`),
		"a critical extension":   signed(`{"alg":"HS256","crit":["b64"],"b64":false}`),
		"kid is a number":        signed(`{"alg":"HS256","kid":1}`),
		"kid is a list":          signed(`{"alg":"HS256","kid":["a"]}`),
		"kid is long":            signed(header("HS256", strings.Repeat("k", 257))),
		"HMAC with the RSA key":  token("HS256", k.rsaPEM, header("HS256", ""), claims),
		"HMAC with it, named":    token("HS256", k.rsaPEM, header("HS256", "rsa"), claims),
		"HMAC with nothing":      token("HS256", []byte{}, header("HS256", ""), claims),
		"RSA header, HMAC":       token("HS256", []byte(secret), header("RS256", ""), claims),
		"a key in the header":    token("HS256", []byte("mine"), `{"alg":"HS256","jwk":{"kty":"oct","k":"bWluZQ"},"jku":"http://127.0.0.1:1/","x5u":"http://127.0.0.1:1/"}`, claims),
		"HMAC, RSA's kid":        token("HS256", []byte(secret), header("HS256", "rsa"), claims),
		"too long":               hs256(`{"sub":"` + strings.Repeat("x", auth.MaxToken) + `"}`),
	}
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "", "none "} {
		all["unsigned, alg "+alg] = unsigned(alg)
		all["signed, alg "+alg] = token("HS256", []byte(secret), header(alg, ""), claims)
	}
	for _, kid := range []string{"../../../../dev/null", "' OR 1=1 --", "$(id)", "a\nlevel=ERROR msg=breach", "\x00", "http://127.0.0.1/", "rsa\x00"} {
		all[fmt.Sprintf("kid %q", kid)] = token("HS256", []byte{}, header("HS256", kid), claims)
	}
	return all
}

func TestAttacks(t *testing.T) {
	k := keys()
	v := newVerifier(t, auth.Config{Keys: []auth.Key{{Secret: auth.Secret(secret)}, {ID: "rsa", PEM: k.rsaPEM}, {ID: "ec", PEM: k.p256PEM}}})
	for name, token := range attacks() {
		t.Run(name, func(t *testing.T) {
			if c, err := v.Connection(t.Context(), token); !errors.Is(err, auth.ErrInvalid) {
				t.Errorf("got %+v, %v", c, err)
			}
			if _, err := v.Subscription(t.Context(), token); !errors.Is(err, auth.ErrInvalid) {
				t.Errorf("as a subscription: got %v", err)
			}
		})
	}
	// golang-jwt checks the length of the signature, and not the curve.
	head := base64.RawURLEncoding.EncodeToString([]byte(header("ES512", "ec"))) + ".e30"
	sum := sha512.Sum512([]byte(head))
	r, s, err := ecdsa.Sign(rand.Reader, k.p256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, 66)), s.FillBytes(make([]byte, 66))...)
	if err := jwt.SigningMethodES512.Verify(head, signature, &k.p256.PublicKey); err != nil {
		t.Errorf("the library refuses it by itself now: %v", err)
	}
	if _, err := v.Connection(t.Context(), head+"."+base64.RawURLEncoding.EncodeToString(signature)); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("ES512 of P-256: got %v", err)
	}
}

// What is wrong is said without the token and without the secret.
func TestErrorsShowNothing(t *testing.T) {
	k := keys()
	v := newVerifier(t, auth.Config{Keys: []auth.Key{{Secret: auth.Secret(secret)}, {ID: "rsa", PEM: k.rsaPEM}}, Audience: "us"})
	var tokens []string
	for _, a := range attacks() {
		tokens = append(tokens, a)
	}
	for _, c := range badClaims() {
		tokens = append(tokens, hs256(c.claims), hs256(strings.Replace(c.claims, "{", `{"sub":"swordfish","info":"swordfish",`, 1)))
	}
	for _, claims := range []string{`{"sub":"swordfish"}`, `{"sub":"swordfish","aud":"swordfish"}`, `{"aud":"us","exp":1}`, `{"sub":"swordfish","exp":"swordfish"}`} {
		tokens = append(tokens, hs256(claims), hs256(claims)[3:])
	}
	failed := 0
	for _, token := range tokens {
		_, err := v.Connection(t.Context(), token)
		if err == nil {
			continue
		}
		failed++
		text := err.Error()
		shown := slices.ContainsFunc(strings.Split(token, "."), func(part string) bool { return len(part) > 3 && strings.Contains(text, part) })
		if shown || strings.Contains(text, secret) || strings.Contains(text, "swordfish") || strings.ContainsAny(text, "\n\x00") || len(text) > 300 {
			t.Errorf("%q shows too much of %s", text, token)
		}
	}
	if failed < 100 {
		t.Errorf("only %d tokens were refused", failed)
	}
}

func TestVerifierAsksRevocations(t *testing.T) {
	r := auth.NewRevocations(auth.RevocationsConfig{Now: clock})
	v := newVerifier(t, auth.Config{Keys: hmacKey(), Revocations: r})
	conn, sub := hs256(`{"sub":"42","jti":"a"}`), hs256(`{"sub":"42","jti":"b","channel":"c"}`)
	if _, err := v.Connection(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Revoke(auth.Revocation{ID: "a"}), r.Revoke(auth.Revocation{ID: "b"})); err != nil {
		t.Fatal(err)
	}
	if c, err := v.Connection(t.Context(), conn); !errors.Is(err, auth.ErrRevoked) || c.User != "" {
		t.Errorf("got %+v, %v", c, err)
	}
	if s, err := v.Subscription(t.Context(), sub); !errors.Is(err, auth.ErrRevoked) || s.Channel != "" {
		t.Errorf("got %+v, %v", s, err)
	}
	// A token that is also wrong says so, and not that it was revoked.
	if _, err := v.Connection(t.Context(), conn[:len(conn)-3]+"AAA"); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
