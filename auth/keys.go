package auth

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/surewire/surewire/auth/internal/keyset"
)

// A Key checks signatures: a Secret those of HMAC, a public key in PEM those of
// RSA, ECDSA or Ed25519. It checks no others, whatever a token says.
type Key struct {
	ID     string // the kid of tokens that it is for; empty for those with any or none
	Secret Secret // at least 32 bytes, random; used as they are
	PEM    []byte // PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE; only the key of a certificate counts
}

// A JWKS is a set of public keys that an issuer publishes, RFC 7517. It is
// fetched at the start and then in the background; until a fetch succeeds, the
// keys of the last one serve. A token whose kid is not among them makes for
// another fetch. The zero JWKS is none.
type JWKS struct {
	URL     string        // https, or http on a loopback address; redirects stay under this rule
	Refresh time.Duration // between fetches in the background; 0 means 1h
	Pause   time.Duration // between any two fetches, however many tokens name unknown keys; 0 means 10s
	Client  *http.Client  // fetches it; nil means one without a proxy
}

const minSecret = 32 // bytes: as many as the hash of HS256 has

var hmacAlgorithms = []string{"HS256", "HS384", "HS512"}

func (k Key) parse() (keyset.Key, error) {
	if len(k.ID) > keyset.MaxID {
		return keyset.Key{}, fmt.Errorf("its ID has more than %d bytes", keyset.MaxID)
	}
	switch {
	case (len(k.Secret) == 0) == (len(k.PEM) == 0):
		return keyset.Key{}, errors.New("it needs either a secret or a public key in PEM")
	case len(k.Secret) > 0:
		if err := checkSecret(k.Secret); err != nil {
			return keyset.Key{}, err
		}
		return keyset.Key{ID: k.ID, Algorithms: hmacAlgorithms, Material: bytes.Clone(k.Secret)}, nil
	}
	public, err := parsePEM(k.PEM)
	if err != nil {
		return keyset.Key{}, err
	}
	algs, err := keyset.Algorithms(public)
	return keyset.Key{ID: k.ID, Algorithms: algs, Material: public}, err
}

func checkSecret(secret []byte) error {
	if len(secret) < minSecret {
		return fmt.Errorf("the secret has %d bytes and can be guessed, it needs %d: make one with `openssl rand -hex 32`", len(secret), minSecret)
	}
	// Whoever has the public key could sign with it.
	if bytes.Contains(secret, []byte("-----BEGIN ")) {
		return errors.New("the secret is a key in PEM: name it as such")
	}
	return nil
}

func parsePEM(text []byte) (any, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, errors.New("the public key is not in PEM")
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("something follows the public key: give each its own entry")
	case strings.Contains(block.Type, "PRIVATE KEY"):
		return nil, errors.New("this is a private key: keep it where tokens are signed, and give its public key")
	}
	var public any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var c *x509.Certificate
		if c, err = x509.ParseCertificate(block.Bytes); err == nil {
			public = c.PublicKey
		}
	default:
		return nil, errors.New("the PEM block is not a public key")
	}
	if err != nil {
		return nil, fmt.Errorf("the public key cannot be read: %w", err)
	}
	return public, nil
}
