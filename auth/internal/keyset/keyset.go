// Package keyset holds the keys that tokens are checked with, each bound to the
// algorithms it is for, and fetches those that an issuer publishes.
package keyset

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/MicahParks/jwkset"
)

// A Key fits some algorithms and no others.
type Key struct {
	ID         string   // kid of its tokens; empty for those with any or none
	Algorithms []string // of RFC 7518 and RFC 8037
	Material   any      // as golang-jwt wants it for them
}

// MaxID is the longest kid, in bytes.
const MaxID = 256

const (
	minRSA = 2048 // bits
	maxRSA = 8192 // bits: larger ones cost milliseconds for each token
)

// Algorithms returns those that a public key can check. An ECDSA key has one:
// golang-jwt would take a key of any curve for each.
func Algorithms(public any) ([]string, error) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n < minRSA || n > maxRSA {
			return nil, fmt.Errorf("an RSA key of %d bits: it must have %d to %d", n, minRSA, maxRSA)
		}
		return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, nil
	case *ecdsa.PublicKey:
		switch k.Curve.Params().BitSize {
		case 256:
			return []string{"ES256"}, nil
		case 384:
			return []string{"ES384"}, nil
		case 521:
			return []string{"ES512"}, nil
		}
		return nil, errors.New("an ECDSA key of a curve other than P-256, P-384 and P-521")
	case ed25519.PublicKey:
		return []string{"EdDSA"}, nil
	}
	return nil, fmt.Errorf("a key of type %T is not for signatures of tokens", public)
}

// Pick returns the keys that may have signed a token: those of its kid, else
// those without an ID; of a token without a kid, all that fit.
func Pick(keys []Key, kid, alg string) (found []any) {
	named := kid != "" && slices.ContainsFunc(keys, func(k Key) bool { return k.ID == kid })
	for _, k := range keys {
		if (kid == "" || named && k.ID == kid || !named && k.ID == "") && slices.Contains(k.Algorithms, alg) {
			found = append(found, k.Material)
		}
	}
	return found
}

func parseJWK(raw []byte) (Key, error) {
	var m jwkset.JWKMarshal
	if json.Unmarshal(raw, &m) != nil {
		return Key{}, errors.New("it is not a JWK")
	}
	verifies := len(m.KEYOPS) == 0 || slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify)
	if m.USE != "" && m.USE != jwkset.UseSig || !verifies || len(m.KID) > MaxID {
		return Key{}, errors.New("it is not a public key for signatures")
	}
	// Certificates and their addresses say nothing that is used here.
	m.X5C, m.X5U, m.X5T, m.X5TS256 = nil, "", "", ""
	// Without Private, neither a secret nor the private half of a key is read.
	jwk, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return Key{}, errors.New("its parameters do not make a key")
	}
	algs, err := Algorithms(jwk.Key())
	if err != nil {
		return Key{}, err
	}
	if m.ALG != "" {
		if !slices.Contains(algs, m.ALG.String()) {
			return Key{}, errors.New("its alg is not one of its type")
		}
		algs = []string{m.ALG.String()}
	}
	return Key{m.KID, algs, jwk.Key()}, nil
}
