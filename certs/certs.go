// Package certs serves a TLS certificate from files, and the new one when they
// change.
package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// poll is how long the files are not looked at again.
const poll = time.Second

// A Pair is a certificate and its key, in two files of PEM: the certificate with
// the chain after it, as ACME clients write them. Its methods may be called
// concurrently.
type Pair struct {
	// Static after construction.
	cert, key string
	logger    *slog.Logger

	current atomic.Pointer[tls.Certificate]
	looking atomic.Bool // whoever sets it owns the following
	next    time.Time   // when the files may be looked at again
	seen    stamp       // of the files that current was read from
	fault   string      // what was wrong with them last; empty if nothing
}

// A stamp tells whether files are still those that they were.
type stamp [2]fs.FileInfo

func (s stamp) same(o stamp) bool {
	for i := range s {
		if !os.SameFile(s[i], o[i]) || !s[i].ModTime().Equal(o[i].ModTime()) || s[i].Size() != o[i].Size() {
			return false
		}
	}
	return true
}

// New reads a pair. The error says which file is wrong, and never what the key
// is. A nil logger means [slog.Default].
func New(cert, key string, logger *slog.Logger) (*Pair, error) {
	if logger == nil {
		logger = slog.Default()
	}
	p := &Pair{cert: cert, key: key, logger: logger}
	seen, err := p.look()
	if err != nil {
		return nil, err
	}
	c, err := p.read()
	if err != nil {
		return nil, err
	}
	p.seen, p.next = seen, time.Now().Add(poll)
	p.current.Store(c)
	return p, nil
}

// GetCertificate is for [tls.Config]. Once a second at most it looks whether the
// files have changed, and then reads them: one handshake waits for that, others
// do not. While they cannot be read, are half-written or do not go together, the
// certificate that was read last serves, and the log says why. It returns no
// error.
func (p *Pair) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if p.looking.CompareAndSwap(false, true) {
		if now := time.Now(); !now.Before(p.next) {
			p.renew()
			p.next = now.Add(poll)
		}
		p.looking.Store(false)
	}
	return p.current.Load(), nil
}

// renew reads the files if they have changed. What is wrong is logged once.
func (p *Pair) renew() {
	// Looked at before they are read: what is written meanwhile is seen next time.
	seen, err := p.look()
	if err == nil && p.fault == "" && seen.same(p.seen) {
		return
	}
	var c *tls.Certificate
	if err == nil {
		c, err = p.read()
	}
	switch {
	case err == nil:
		p.seen, p.fault = seen, ""
		p.current.Store(c)
		p.logger.LogAttrs(context.Background(), slog.LevelInfo, "TLS certificate reloaded",
			slog.String("file", p.cert), slog.Time("expires", c.Leaf.NotAfter))
	case err.Error() != p.fault:
		p.fault = err.Error()
		p.logger.LogAttrs(context.Background(), slog.LevelError, "TLS certificate not reloaded: the one before still serves",
			slog.String("error", p.fault), slog.Time("expires", p.current.Load().Leaf.NotAfter))
	}
}

func (p *Pair) look() (s stamp, err error) {
	for i, name := range []string{p.cert, p.key} {
		if s[i], err = os.Stat(name); err != nil {
			return stamp{}, err
		}
	}
	return s, nil
}

// read returns what the files hold.
func (p *Pair) read() (*tls.Certificate, error) {
	cert, err := os.ReadFile(p.cert)
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(p.key)
	if err != nil {
		return nil, err
	}
	if !whole(cert) {
		return nil, fmt.Errorf("%s: a block of PEM is not whole", p.cert)
	}
	c, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", p.cert, p.key, err)
	}
	return &c, nil
}

// whole reports whether each block that begins also ends: a chain that is cut off
// would pass for a shorter one.
func whole(text []byte) bool {
	blocks := 0
	for rest := text; ; blocks++ {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
	}
	return blocks == bytes.Count(text, []byte("-----BEGIN"))
}
