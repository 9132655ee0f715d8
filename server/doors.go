package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/surewire/surewire/limit"
)

// A reason is why a request was turned away at a door. It travels by name.
type reason uint8

const (
	admitted      reason = iota // it was not
	foreignOrigin               // the page that sent it may not
	draining                    // the server is told to stop
	tooFast                     // its network opens connections too fast
	tooMany                     // there are too many connections
	tooManyOfOne                // its network has too many
	noHandshake                 // it is not one of a WebSocket
	badKey                      // of the API: none, or another

	reasons // how many there are
)

var reasonNames = [reasons]string{
	"none", "origin", "draining", "connect_rate", "connections", "connections_per_ip", "handshake", "api_key",
}

// String returns the reason's name, as metrics have it.
func (r reason) String() string {
	if r < reasons {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// MarshalText implements [encoding.TextMarshaler].
func (r reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// doors count who is inside, and who was turned away. The zero value is empty.
type doors struct {
	open     atomic.Int64  // connections
	networks limit.Counts  // connections by network
	rates    limit.Buckets // of connecting, by network

	accepted atomic.Uint64 // handshakes
	refused  [reasons]struct {
		total, unlogged atomic.Uint64
		log             limit.Bucket
	}
}

// enter admits one more connection of a network, for which leave must be called,
// or says why not.
func (d *doors) enter(c *Config, network string) reason {
	if network != "" && !d.rates.Take(network, c.ConnectRate) {
		return tooFast
	}
	if n := d.open.Add(1); c.MaxConns > 0 && n > int64(c.MaxConns) {
		d.open.Add(-1)
		return tooMany
	}
	if network != "" && !d.networks.Add(network, c.MaxConnsPerIP) {
		d.open.Add(-1)
		return tooManyOfOne
	}
	return admitted
}

// leave gives back what enter has admitted.
func (d *doors) leave(network string) {
	d.open.Add(-1)
	if network != "" {
		d.networks.Done(network)
	}
}

// refusals says how each reason is answered where connections are opened.
var refusals = [reasons]struct {
	status int
	retry  int // after so many seconds; 0 says nothing of it
	text   string
}{
	foreignOrigin: {http.StatusForbidden, 0, "origin is not allowed: see the server's list of origins"},
	draining:      {http.StatusServiceUnavailable, 1, "the server is stopping: come back"},
	tooFast:       {http.StatusTooManyRequests, 1, "too many connections are opened from this address: come back later"},
	tooMany:       {http.StatusServiceUnavailable, 10, "the server has as many connections as it takes: come back later"},
	tooManyOfOne:  {http.StatusTooManyRequests, 10, "too many connections are open from this address"},
}

// turnAway answers a request that is not admitted.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, why reason) {
	s.refused(r, why)
	refusal := refusals[why]
	if refusal.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(refusal.retry))
	}
	http.Error(w, refusal.text, refusal.status)
}

// refusalLog is how often a line is logged of each reason: who is turned away
// must not be able to fill the log.
var refusalLog = limit.Rate{PerSecond: 1, Burst: 10}

// refused counts and logs a request that is turned away. What the log has of the
// request is what anybody may send.
func (s *Server) refused(r *http.Request, why reason) {
	count := &s.doors.refused[why]
	count.total.Add(1)
	if !count.log.Take(refusalLog) {
		count.unlogged.Add(1)
		return
	}
	p, _ := s.peer(r)
	attrs := []slog.Attr{slog.Any("reason", why), slog.String("address", inLog(p.Address))}
	if why == foreignOrigin {
		attrs = append(attrs, slog.String("origin", inLog(r.Header.Get("Origin"))), slog.String("host", inLog(r.Host)))
	}
	if n := count.unlogged.Swap(0); n > 0 {
		attrs = append(attrs, slog.Uint64("unlogged", n)) // of this reason, since the last line
	}
	s.config.Logger.LogAttrs(r.Context(), slog.LevelWarn, "request refused", attrs...)
}

// inLog returns what of text is worth a place in the log. What does not print, a
// line break or what a terminal obeys, becomes U+FFFD.
func inLog(text string) string {
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, text)
}
