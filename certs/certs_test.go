package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// An authority signs the certificates of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t *testing.T) *authority {
	a := &authority{key: newKey(t)}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(100, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue returns a certificate with the authority's after it, and its key.
func (a *authority) issue(t *testing.T, serial int64) (cert, key []byte) {
	k := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{"example.com"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(100, 0, 0),
	}, a.cert, &k.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert = append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), a.pem...)
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b})
}

// A bench has a pair of files, and connects by them.
type bench struct {
	t         *testing.T
	authority *authority
	pair      *Pair
	log       bytes.Buffer
	cert, key string
	written   time.Time
}

func newBench(t *testing.T) *bench {
	dir := t.TempDir()
	b := &bench{t: t, authority: newAuthority(t), cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), written: time.Now()}
	cert, key := b.authority.issue(t, 2)
	b.write(b.cert, cert)
	b.write(b.key, key)
	var err error
	if b.pair, err = New(b.cert, b.key, slog.New(slog.NewTextHandler(&b.log, nil))); err != nil {
		t.Fatal(err)
	}
	return b
}

// write changes a file in place, a second after the last, and waits until it may
// be looked at.
func (b *bench) write(name string, text []byte) {
	b.t.Helper()
	b.written = b.written.Add(time.Second)
	if err := os.WriteFile(name, text, 0o600); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Chtimes(name, b.written, b.written); err != nil {
		b.t.Fatal(err)
	}
	time.Sleep(poll + 1)
}

// replace gives the name of a file to another, which is as old.
func (b *bench) replace(name string, text []byte) {
	b.t.Helper()
	old, err := os.Stat(name)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Chtimes(name+".new", old.ModTime(), old.ModTime()); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		b.t.Fatal(err)
	}
}

// serves demands that a client that trusts the authority gets a certificate, and
// the whole chain.
func (b *bench) serves(what string, serial int64) {
	b.t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	go tls.Server(ours, &tls.Config{GetCertificate: b.pair.GetCertificate, SessionTicketsDisabled: true}).Handshake() // ends with theirs
	roots := x509.NewCertPool()
	roots.AddCert(b.authority.cert)
	client := tls.Client(theirs, &tls.Config{RootCAs: roots, ServerName: "example.com"})
	if err := client.Handshake(); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	chain := client.ConnectionState().PeerCertificates
	if got := chain[0].SerialNumber.Int64(); got != serial || len(chain) != 2 {
		b.t.Errorf("%s: certificate %d in a chain of %d, want %d in one of 2", what, got, len(chain), serial)
	}
}

// logged demands so many lines with a text since the last time.
func (b *bench) logged(n int, text string) {
	b.t.Helper()
	if got := strings.Count(b.log.String(), text); got != n {
		b.t.Errorf("%d lines have %q, want %d: %s", got, text, n, &b.log)
	}
	b.log.Reset()
}

func TestFilesThatChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.serves("at first", 2)
		cert, key := b.authority.issue(t, 3)

		b.write(b.cert, cert[:len(cert)/4])
		b.serves("a certificate that is half-written", 2)
		b.logged(1, "a block of PEM is not whole")
		time.Sleep(2 * poll)
		b.serves("and stays so", 2)
		b.logged(0, "ERROR")
		b.write(b.cert, cert[:len(cert)-100])
		b.serves("a chain that is half-written", 2)
		b.write(b.cert, nil)
		b.serves("an empty file", 2)
		b.logged(1, "failed to find any PEM data")
		b.write(b.cert, cert)
		b.serves("the key is still that of the one before", 2)
		b.logged(1, "private key does not match")
		b.write(b.key, key[:len(key)/2])
		b.serves("a key that is half-written", 2)
		b.log.Reset()
		b.write(b.key, key)
		b.serves("all is written", 3)
		b.logged(1, "TLS certificate reloaded")

		if err := os.Remove(b.key); err != nil {
			t.Fatal(err)
		}
		time.Sleep(poll + 1)
		b.serves("a file is gone", 3)
		b.logged(1, "no such file")
		b.write(b.key, key)
		b.serves("and is back", 3)
		b.logged(1, "reloaded")

		// As cert-manager and certbot do it: another file gets the name. Its time and
		// size may be those of the one before.
		for next, nextKey := []byte{}, []byte{}; len(next) != len(cert) || len(nextKey) != len(key); {
			if next, nextKey = b.authority.issue(t, 4); len(next) == len(cert) && len(nextKey) == len(key) {
				b.replace(b.cert, next)
				b.replace(b.key, nextKey)
			}
		}
		b.serves("less than a second later", 3)
		time.Sleep(poll)
		b.serves("a second later", 4)
		b.logged(1, "reloaded")
	})
}

func TestHandshakesDuringAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 1000 {
					if c, err := b.pair.GetCertificate(nil); c == nil || err != nil {
						t.Errorf("%v, %v", c, err)
					}
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		for serial := range int64(4) {
			cert, key := b.authority.issue(t, serial+3)
			b.write(b.cert, cert)
			b.write(b.key, key)
		}
		all.Wait()
		b.serves("at last", 6)
	})
}

func TestNewRefusesWhatIsBroken(t *testing.T) {
	dir := t.TempDir()
	cert, key := newAuthority(t).issue(t, 2)
	_, other := newAuthority(t).issue(t, 2)
	for _, c := range []struct {
		name      string
		cert, key []byte
		want      string
	}{
		{"no certificate", nil, key, "cert.pem"},
		{"no key", cert, nil, "key.pem"},
		{"half a certificate", cert[:100], key, "not whole"},
		{"half a chain", cert[:len(cert)-100], key, "not whole"},
		{"another key", cert, other, "does not match"},
		{"the wrong way round", key, cert, "cert.pem"},
	} {
		names := [2]string{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
		for i, text := range [][]byte{c.cert, c.key} {
			os.Remove(names[i])
			if text != nil {
				if err := os.WriteFile(names[i], text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, err := New(names[0], names[1], nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if err != nil && len(c.key) > 60 && strings.Contains(err.Error(), string(c.key[40:60])) {
			t.Errorf("%s: the error has the key", c.name)
		}
	}
}
