package keyset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Config says where a [Remote] set is, and how often it is fetched.
type Config struct {
	URL     string        // https, or http on a loopback address
	Refresh time.Duration // between fetches in the background; 0 means 1h
	Pause   time.Duration // between any two fetches; 0 means 10s
	Client  *http.Client  // nil means one without a proxy
	Log     *slog.Logger
}

const (
	maxSet       = 256 << 10 // bytes of a JWKS
	fetchTimeout = 5 * time.Second
	maxRedirects = 3
)

// Public are the algorithms that a key of a JWKS may have. A secret in a place
// that is public is none, so there is no HMAC.
var Public = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// Errors of [Remote.Pick].
var (
	ErrFailed = errors.New("the JWKS could not be fetched, and may have the key")
	ErrLate   = errors.New("the JWKS did not come in time")
)

var errClosed = errors.New("closed")

// A Remote is a JWKS, RFC 7517: keys that an issuer publishes.
//
// One goroutine, run, fetches it. Tokens are checked with the keys of the last
// good fetch, without a lock. One that names another key asks run for a fetch
// and waits for its end, with all who ask meanwhile; in the pause after a fetch
// nobody is heard, and nobody waits. So wrong tokens cost neither fetches nor
// the time of others, however many there are.
type Remote struct {
	// Static after construction.
	url     *url.URL
	client  *http.Client
	log     *slog.Logger
	refresh time.Duration
	pause   time.Duration
	stop    context.CancelFunc // ends run
	stopped chan struct{}      // closed by run
	asked   chan struct{}      // holds one: a fetch is wanted

	keys atomic.Pointer[[]Key] // of the last good fetch

	// mu guards the following.
	mu     sync.Mutex
	round  chan struct{} // closed when the fetch that is wanted or under way ends; nil if there is none
	paused bool          // no fetch may be asked for
	failed bool          // the last fetch did
}

// Fetch returns a Remote, and begins to fetch it. Its Close ends the goroutine
// that does.
func Fetch(c Config) (*Remote, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, errors.New("the URL cannot be parsed") // err quotes it
	}
	if err := checkURL(u); err != nil {
		return nil, err
	}
	r := &Remote{url: u, log: c.Log.With("host", u.Host), refresh: c.Refresh, pause: c.Pause,
		stopped: make(chan struct{}), asked: make(chan struct{}, 1)}
	if r.refresh <= 0 {
		r.refresh = time.Hour
	}
	if r.pause <= 0 {
		r.pause = 10 * time.Second
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: maxSet}}
	if c.Client != nil {
		client = *c.Client
	}
	client.CheckRedirect = checkRedirect
	r.client = &client
	r.keys.Store(&[]Key{})
	r.begin() // so that the first tokens wait for the first fetch
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go r.run(ctx) // ends when stop is called
	return r, nil
}

// checkURL refuses keys that somebody on the way could have changed.
func checkURL(u *url.URL) error {
	if u.User != nil {
		return errors.New("the URL holds a password, which would end up in logs")
	}
	if u.Scheme == "https" && u.Host != "" {
		return nil
	}
	address, err := netip.ParseAddr(u.Hostname())
	if u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && address.IsLoopback()) {
		return nil
	}
	return errors.New("the URL must be https, but for a loopback address")
}

// checkRedirect also keeps an issuer from sending us to what listens on this
// host only.
func checkRedirect(next *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errors.New("too many redirects")
	}
	if via[0].URL.Scheme == "https" && next.URL.Scheme != "https" {
		return errors.New("redirected away from https")
	}
	return checkURL(next.URL)
}

// Close ends the fetching; the keys known then still serve.
func (r *Remote) Close() {
	r.stop()
	<-r.stopped
}

// Pick returns the key that may have signed a token, none if the issuer is
// known to have no such key, or one of [ErrFailed] and [ErrLate].
func (r *Remote) Pick(ctx context.Context, kid, alg string) ([]any, error) {
	if found, known := r.find(kid, alg); known {
		return found, nil
	}
	if round := r.ask(); round != nil {
		select {
		case <-round:
		case <-ctx.Done():
			return nil, ErrLate
		}
		if found, known := r.find(kid, alg); known {
			return found, nil
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed {
		return nil, ErrFailed
	}
	return nil, nil
}

// find reports also whether another fetch could not help. Where several keys
// fit, none does: to try them all would multiply what a wrong token costs.
func (r *Remote) find(kid, alg string) (found []any, known bool) {
	keys := *r.keys.Load()
	if found = Pick(keys, kid, alg); len(found) > 1 {
		return nil, true
	}
	if kid == "" {
		return found, len(keys) > 0
	}
	return found, len(found) > 0 || slices.ContainsFunc(keys, func(k Key) bool { return k.ID == kid })
}

// ask wants a fetch, and returns what is closed at its end; nil if there will
// be none for now.
func (r *Remote) ask() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.round == nil && !r.paused {
		r.round = make(chan struct{})
		r.asked <- struct{}{} // there is room: begin took the last one
	}
	return r.round
}

// run fetches until ctx is done.
func (r *Remote) run(ctx context.Context) {
	defer close(r.stopped)
	for {
		r.begin()
		keys, err := r.fetch(ctx)
		if ctx.Err() != nil {
			r.end(nil, errClosed)
			return
		}
		r.end(keys, err)
		wait := r.refresh - r.pause
		if err != nil {
			wait = 0
		}
		select {
		case <-ctx.Done():
		case <-time.After(r.pause):
			r.resume()
			select {
			case <-ctx.Done():
			case <-r.asked:
			case <-time.After(wait):
			}
		}
	}
}

func (r *Remote) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.round == nil {
		r.round = make(chan struct{})
	}
	select {
	case <-r.asked:
	default:
	}
}

func (r *Remote) end(keys []Key, err error) {
	if err == nil {
		r.keys.Store(&keys)
		r.log.Info("JWKS fetched", "keys", len(keys))
	} else if err != errClosed {
		r.log.Warn("JWKS not fetched: the keys known before still serve", "error", err, "keys", len(*r.keys.Load()))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.round)
	r.round, r.paused, r.failed = nil, true, err != nil
}

func (r *Remote) resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paused = false
}

// fetch returns the usable keys of the set, at least one. Its errors do not
// quote the URL, whose query may hold a secret.
func (r *Remote) fetch(ctx context.Context) ([]Key, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url.String(), nil)
	if err != nil {
		return nil, errors.New("no request can be made of the URL")
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	answer, err := r.client.Do(request)
	if err != nil {
		var quoting *url.Error
		if errors.As(err, &quoting) {
			err = quoting.Err
		}
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer has status %d", answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxSet+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxSet {
		return nil, fmt.Errorf("the answer has more than %d bytes", maxSet)
	}
	return r.parse(body)
}

// parse leaves out keys that are not for signatures or cannot be read: one of
// them must not cost the others.
func (r *Remote) parse(body []byte) ([]Key, error) {
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, errors.New("the answer is not a JWKS")
	}
	var keys []Key
	for i, raw := range set.Keys {
		k, err := parseJWK(raw)
		if err != nil {
			r.log.Warn("JWKS: key left out", "index", i, "error", err)
			continue
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("the answer has no key for signatures")
	}
	return keys, nil
}
