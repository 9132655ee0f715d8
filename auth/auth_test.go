package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/surewire/surewire/auth"
)

const secret = "kq3vZ9T7c0hJr4uBwX1yLmN5pQ8sDfGa" // 32 bytes

type signingKeys struct {
	rsa, otherRSA     *rsa.PrivateKey
	p256, p384, p521  *ecdsa.PrivateKey
	ed                ed25519.PrivateKey
	rsaPEM, p256PEM   []byte
	p384PEM, p521PEM  []byte
	edPEM, privatePEM []byte
}

// keys are made once: RSA keys take their time.
var keys = sync.OnceValue(func() signingKeys {
	var k signingKeys
	k.rsa, k.otherRSA = must(rsa.GenerateKey(rand.Reader, 2048)), must(rsa.GenerateKey(rand.Reader, 2048))
	k.p256 = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	k.p384 = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	k.p521 = must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	_, k.ed, _ = ed25519.GenerateKey(rand.Reader)
	k.rsaPEM, k.p256PEM, k.p384PEM = publicPEM(k.rsa), publicPEM(k.p256), publicPEM(k.p384)
	k.p521PEM, k.edPEM = publicPEM(k.p521), publicPEM(k.ed)
	k.privatePEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(k.p256))})
	return k
})

func publicPEM(k crypto.Signer) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(k.Public()))})
}

// token signs a header and claims as they are written, with what alg says.
func token(alg string, key any, header, claims string) string {
	head := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	return head + "." + base64.RawURLEncoding.EncodeToString(must(jwt.GetSigningMethod(alg).Sign(head, key)))
}

func header(alg, kid string) string {
	h := map[string]string{"alg": alg, "typ": "JWT"}
	if kid != "" {
		h["kid"] = kid
	}
	return string(must(json.Marshal(h)))
}

func hs256(claims string) string { return token("HS256", []byte(secret), header("HS256", ""), claims) }

func newVerifier(t testing.TB, c auth.Config) *auth.Verifier {
	t.Helper()
	if c.Now == nil {
		c.Now = clock
	}
	v, err := auth.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

func hmacKey() []auth.Key { return []auth.Key{{Secret: auth.Secret(secret)}} }

func TestConfig(t *testing.T) {
	k := keys()
	weak := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(&must(rsa.GenerateKey(rand.Reader, 1024)).PublicKey))})
	p224 := publicPEM(must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)))
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&k.rsa.PublicKey)})
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: must(x509.CreateCertificate(rand.Reader, &x509.Certificate{}, &x509.Certificate{}, k.p256.Public(), k.p256))})
	const url = "https://issuer.example/keys"
	for _, c := range []struct {
		name   string
		config auth.Config
		want   string // in the error; empty for none
	}{
		{"nothing", auth.Config{}, "no key and no JWKS"},
		{"a short secret", auth.Config{Keys: []auth.Key{{Secret: auth.Secret(secret[:31])}}}, "`openssl rand -hex 32`"},
		{"a secret that is the public key", auth.Config{Keys: []auth.Key{{Secret: k.rsaPEM}}}, "a key in PEM"},
		{"a secret", auth.Config{Keys: hmacKey()}, ""},
		{"an empty key", auth.Config{Keys: []auth.Key{{}}}, "either a secret or"},
		{"both at once", auth.Config{Keys: []auth.Key{{Secret: auth.Secret(secret), PEM: k.rsaPEM}}}, "either a secret or"},
		{"RSA", auth.Config{Keys: []auth.Key{{PEM: k.rsaPEM}}}, ""},
		{"RSA in PKCS1", auth.Config{Keys: []auth.Key{{PEM: pkcs1}}}, ""},
		{"RSA of 1024 bits", auth.Config{Keys: []auth.Key{{PEM: weak}}}, "2048"},
		{"ECDSA", auth.Config{Keys: []auth.Key{{PEM: k.p521PEM}}}, ""},
		{"ECDSA of a certificate", auth.Config{Keys: []auth.Key{{PEM: certificate}}}, ""},
		{"ECDSA of P-224", auth.Config{Keys: []auth.Key{{PEM: p224}}}, "curve"},
		{"Ed25519", auth.Config{Keys: []auth.Key{{PEM: k.edPEM}}}, ""},
		{"a private key", auth.Config{Keys: []auth.Key{{PEM: k.privatePEM}}}, "private key"},
		{"two in one", auth.Config{Keys: []auth.Key{{PEM: append(k.rsaPEM[:len(k.rsaPEM):len(k.rsaPEM)], k.edPEM...)}}}, "own entry"},
		{"no PEM", auth.Config{Keys: []auth.Key{{PEM: []byte("ssh-rsa AAAA")}}}, "not in PEM"},
		{"another PEM", auth.Config{Keys: []auth.Key{{PEM: pem.EncodeToMemory(&pem.Block{Type: "X509 CRL"})}}}, "not a public key"},
		{"broken PEM", auth.Config{Keys: []auth.Key{{PEM: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte{1}})}}}, "cannot be read"},
		{"a long ID", auth.Config{Keys: []auth.Key{{ID: strings.Repeat("x", 257), Secret: auth.Secret(secret)}}}, "256"},
		{"http", auth.Config{JWKS: auth.JWKS{URL: "http://issuer.example/keys"}}, "https"},
		{"a name like the loopback", auth.Config{JWKS: auth.JWKS{URL: "http://127.0.0.1.example/keys"}}, "https"},
		{"a file", auth.Config{JWKS: auth.JWKS{URL: "file:///etc/keys"}}, "https"},
		{"a password", auth.Config{JWKS: auth.JWKS{URL: "https://me:hunter2@issuer.example/"}}, "password"},
		{"no URL", auth.Config{JWKS: auth.JWKS{URL: "https://%zz?key=hunter2"}}, "cannot be parsed"},
		{"a nameless key beside a JWKS", auth.Config{Keys: []auth.Key{{PEM: k.edPEM}}, JWKS: auth.JWKS{URL: url}}, "needs an ID"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := auth.New(c.config)
			if v != nil {
				v.Close()
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), secret[:10])) {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

// Printed, logged or written as JSON, a configuration keeps its secrets.
func TestSecretsAreMasked(t *testing.T) {
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	key, signer := auth.Key{Secret: auth.Secret(secret)}, auth.SignerConfig{Secret: auth.Secret(secret)}
	logger.Info("start", "secret", key.Secret, "key", key, "signer", signer)
	fmt.Fprint(&log, key, signer, key.Secret)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&log, verb+verb+verb, key.Secret, key, []auth.Key{key})
	}
	log.Write(must(json.Marshal(key)))
	for _, shown := range []string{
		secret, fmt.Sprintf("%x", secret), fmt.Sprint([]byte(secret))[1:20],
		base64.StdEncoding.EncodeToString([]byte(secret))[:20], fmt.Sprintf("%#v", []byte(secret))[7:30],
	} {
		if strings.Contains(log.String(), shown) {
			t.Errorf("%q is shown in %s", shown, log.String())
		}
	}
	if !strings.Contains(log.String(), "[secret]") {
		t.Error("nothing was written")
	}
}
