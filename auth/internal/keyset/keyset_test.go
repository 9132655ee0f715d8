package keyset

import (
	"log/slog"
	"slices"
	"testing"
)

// Whatever an issuer publishes, what is taken of it is a key for signatures,
// bound to algorithms of its kind.
func FuzzParse(f *testing.F) {
	f.Add(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a"}]}`)
	f.Add(`{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig"}]}`)
	f.Add(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"RSA","n":"-_8","e":"AAAAAAAAAAAAAAAB"},{"kty":"oct","k":"AAAA"}]}`)
	f.Add(`{"keys":[{"kty":"EC","crv":"P-521","x":"","y":"AQ","x5c":["AA"],"x5u":"http://a/"},null,[],7]}`)
	r := &Remote{log: slog.New(slog.DiscardHandler)}
	f.Fuzz(func(t *testing.T, body string) {
		keys, err := r.parse([]byte(body))
		if (err == nil) != (len(keys) > 0) {
			t.Fatalf("%d keys and %v", len(keys), err)
		}
		for _, k := range keys {
			algs, err := Algorithms(k.Material)
			if err != nil || len(k.Algorithms) == 0 || len(k.ID) > MaxID {
				t.Fatalf("%v of %+v", err, k)
			}
			for _, alg := range k.Algorithms {
				if !slices.Contains(algs, alg) || !slices.Contains(Public, alg) {
					t.Fatalf("%s of %T", alg, k.Material)
				}
			}
		}
	})
}
