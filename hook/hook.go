package hook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire/access"
)

// Config configures a [Client]. URL is required.
type Config struct {
	Name    string        // in the log; empty means the host and path of URL
	URL     string        // http or https, without credentials
	Timeout time.Duration // of a call, with all its attempts; 0 means 4 s, as SDKs wait for 5
	Retries int           // attempts after the first; 0 means 2, less than 0 none

	MaxConcurrent int // requests at a time; 0 means 64. Who finds no slot waits, within Timeout
	MaxResponse   int // longest answer, in bytes; 0 means 1 MiB

	Secret Secret            // signs the requests; empty: they are not signed
	Header map[string]Secret // sent with each request; one may be a key

	// PassHeaders names the headers of the client's HTTP request that go with
	// connect and refresh. PassClientHeaders names those of the headers that it
	// writes in its connect command instead: it can write anything, and no proxy
	// in between has seen them. Header comes before both, and the HTTP request
	// before the command.
	PassHeaders       []string
	PassClientHeaders []string

	// Defaults is what a subscription may do where the backend does not say;
	// nil means nothing but to read.
	Defaults func(channel string) access.Grant

	OpenAfter  int           // failed requests in a row that open the breaker; 0 means 5
	OpenFor    time.Duration // how long it stays open; 0 means 30 s
	CloseAfter int           // successful requests in a row that close it again; 0 means 2

	Transport http.RoundTripper                         // nil means one of its own, for HTTP/1.1 and without a proxy
	Wrap      func(http.RoundTripper) http.RoundTripper // returns what is used in place of Transport, for tracing; may be nil
	Logger    *slog.Logger                              // nil means [slog.Default]
}

// A Client asks one endpoint of a backend. Its methods may be called
// concurrently. They return the backend's refusal, a [*wire.Error] or a
// [surewire.Disconnect]; [wire.ErrBadRequest] for data that is not JSON, of which
// nothing is sent; the context's error if it was cancelled; and else
// [wire.ErrInternal], with the reason in the log. What they return holds no bytes
// of the caller's.
type Client struct {
	// Static after construction.
	config    Config
	transport http.RoundTripper   // makes the requests
	inner     http.RoundTripper   // has the connections
	header    http.Header         // of every request; not modified
	pass      []string            // canonical
	client    map[string]struct{} // canonical
	slots     chan struct{}       // as many as may be full
	ctx       context.Context     // done when the Client closes
	cancel    context.CancelFunc

	breaker breaker
	calls   counters

	mu     sync.Mutex // guards closed, and that nothing enters afterwards
	closed bool
	inside sync.WaitGroup // calls
}

type counters struct{ calls, failures, retries, rejected atomic.Uint64 }

// Stats counts what a [Client] has done.
type Stats struct {
	Calls    uint64 // of its methods
	Failures uint64 // calls without an answer, those that were rejected too
	Rejected uint64 // attempts not made, for an open breaker or want of a slot
	Retries  uint64 // attempts after the first of a call
	Opened   uint64 // how often the breaker opened
	State    State  // of the breaker, now
}

// New returns a Client. It fails where cfg makes no sense, and says which field.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.URL)
	switch {
	case err != nil:
		return nil, errors.New("hook: URL is not one") // and may hold a secret, which the error would quote
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, errors.New("hook: URL: want http:// or https://, and a host")
	case u.User != nil:
		return nil, errors.New("hook: URL has credentials: they belong in Header")
	case cfg.Timeout < 0 || cfg.MaxConcurrent < 0 || cfg.MaxResponse < 0 || cfg.OpenAfter < 0 || cfg.OpenFor < 0 || cfg.CloseAfter < 0:
		return nil, errors.New("hook: times, sizes and counts are not less than 0")
	}
	cfg.Name = cmp.Or(cfg.Name, u.Host+u.Path)
	cfg.Timeout = cmp.Or(cfg.Timeout, 4*time.Second)
	cfg.Retries = max(cmp.Or(cfg.Retries, 2), 0)
	cfg.MaxConcurrent = cmp.Or(cfg.MaxConcurrent, 64)
	cfg.MaxResponse = cmp.Or(cfg.MaxResponse, 1<<20)
	if cfg.Defaults == nil {
		cfg.Defaults = func(string) access.Grant { return access.Grant{} }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	c := &Client{
		config: cfg, inner: cfg.Transport, header: http.Header{}, client: map[string]struct{}{},
		slots: make(chan struct{}, cfg.MaxConcurrent),
		breaker: breaker{
			openAfter: cmp.Or(cfg.OpenAfter, 5), openFor: cmp.Or(cfg.OpenFor, 30*time.Second), closeAfter: cmp.Or(cfg.CloseAfter, 2),
		},
	}
	if err := c.setHeaders(); err != nil {
		return nil, err
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if c.inner == nil {
		c.inner = c.newTransport()
	}
	if c.transport = c.inner; cfg.Wrap != nil {
		c.transport = cfg.Wrap(c.inner)
	}
	return c, nil
}

// newTransport returns a transport with at most as many connections as there are
// slots, which reads no environment variable.
func (c *Client) newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:         c.dial,
		TLSHandshakeTimeout: c.config.Timeout,
		Protocols:           protocols,
		MaxConnsPerHost:     c.config.MaxConcurrent,
		MaxIdleConnsPerHost: c.config.MaxConcurrent,
		// Common backends close an idle connection after 5 s. A request that
		// meets the end of its connection may not be repeated, and is lost:
		// so it is better to be first.
		IdleConnTimeout:        4 * time.Second,
		DisableCompression:     true, // the bound of an answer is one of what is read, too
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// dial connects. The transport goes on dialling when the request that wanted the
// connection has gone; it ends with the timeout, or with the Client.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// notPassed are headers that are the transport's or ours. Of idempotency keys
// net/http thinks that they allow to repeat any request.
var notPassed = []string{
	"Accept-Encoding", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Expect", "Host", "Idempotency-Key", "Keep-Alive",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "X-Idempotency-Key", SignatureHeader,
}

func (c *Client) setHeaders() error {
	for name, v := range c.config.Header {
		canonical, err := headerName(name)
		if err != nil {
			return fmt.Errorf("hook: Header: %w", err)
		}
		if !printable(string(v)) {
			return fmt.Errorf("hook: Header: the value of %s has characters that no header may have", canonical)
		}
		c.header[canonical] = []string{string(v)}
	}
	for _, name := range c.config.PassHeaders {
		canonical, err := headerName(name)
		if err != nil {
			return fmt.Errorf("hook: PassHeaders: %w", err)
		}
		c.pass = append(c.pass, canonical)
	}
	for _, name := range c.config.PassClientHeaders {
		canonical, err := headerName(name)
		if err != nil {
			return fmt.Errorf("hook: PassClientHeaders: %w", err)
		}
		c.client[canonical] = struct{}{}
	}
	c.header["Content-Type"] = []string{"application/json"}
	return nil
}

// headerName returns name in canonical form, if it may be passed.
func headerName(name string) (string, error) {
	canonical := http.CanonicalHeaderKey(name)
	switch {
	case name == "" || strings.ContainsFunc(name, func(r rune) bool { return !isToken(r) }):
		return "", fmt.Errorf("%q is not the name of a header", name)
	case slices.Contains(notPassed, canonical), strings.HasPrefix(canonical, "Proxy-"), strings.HasPrefix(canonical, "Sec-Websocket-"):
		return "", fmt.Errorf("%s is of the connection, not of what it carries", canonical)
	}
	return canonical, nil
}

// isToken reports whether r may be in the name of a header: RFC 9110, section 5.6.2.
func isToken(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// printable reports whether v may be the value of a header.
func printable(v string) bool {
	return !strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// headers returns what a client's request passes on, nil for nothing.
func (c *Client) headers(r access.ConnectRequest) http.Header {
	h := http.Header{}
	for name, v := range r.Headers {
		name = http.CanonicalHeaderKey(name)
		if _, ok := c.client[name]; ok && printable(v) {
			h[name] = []string{v}
		}
	}
	for _, name := range c.pass {
		if vs := r.Peer.Header[name]; len(vs) > 0 && !slices.ContainsFunc(vs, func(v string) bool { return !printable(v) }) {
			h[name] = vs
		}
	}
	return h
}

// Stats returns what c has done.
func (c *Client) Stats() Stats {
	state, opened := c.breaker.now(time.Now())
	return Stats{
		Calls: c.calls.calls.Load(), Failures: c.calls.failures.Load(), Rejected: c.calls.rejected.Load(), Retries: c.calls.retries.Load(),
		Opened: opened, State: state,
	}
}

// Close ends the calls that are at work, which fail, waits for them, and closes
// the connections. Later calls fail.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.inside.Wait()
	if t, ok := c.inner.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// enter reports whether a call may begin. If so, c.inside.Done must follow.
func (c *Client) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.inside.Add(1)
	}
	return !c.closed
}
