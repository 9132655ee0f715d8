// Package peer is who is at the other end of a request, behind the proxies that
// are trusted to say so.
package peer

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// A Reader tells who sent a request. Its zero value believes no header. Its
// methods may be called concurrently.
type Reader struct {
	trusted []netip.Prefix // static after construction
	headers []string       // in canonical form; static after construction
}

// NewReader returns a Reader that believes the proxies in trusted, and passes the
// named headers on.
func NewReader(trusted []netip.Prefix, headers []string) Reader {
	var r Reader
	for _, p := range trusted {
		// One form for each address: a listener for IPv6 shows those of IPv4 in its own.
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		r.trusted = append(r.trusted, p.Masked())
	}
	for _, h := range headers {
		r.headers = append(r.headers, http.CanonicalHeaderKey(h))
	}
	return r
}

// Address returns the client's. Where the request comes from a trusted proxy it
// is the last entry of X-Forwarded-For that no trusted proxy has: what stands
// before that, anybody may have written. An entry that is no address ends the
// search at the proxy that passed it on. Without an address, as of a Unix socket,
// ok is false.
//
// X-Real-IP and Forwarded (RFC 7239) are not read: a proxy that does not set
// them passes on what a client sends.
func (r Reader) Address(req *http.Request) (a netip.Addr, ok bool) {
	a, ok = parse(req.RemoteAddr)
	if !ok || !r.trusts(a) {
		return a, ok
	}
	lines := req.Header["X-Forwarded-For"]
	for _, line := range slices.Backward(lines) {
		for more := true; more; {
			var entry string
			if i := strings.LastIndexByte(line, ','); i >= 0 {
				line, entry = line[:i], line[i+1:]
			} else {
				entry, more = line, false
			}
			hop, ok := parse(strings.Trim(entry, " \t"))
			if !ok {
				return a, true
			}
			if a = hop; !r.trusts(a) {
				return a, true
			}
		}
	}
	return a, true
}

func (r Reader) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(r.trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}

// parse reads an address, with or without a port.
func parse(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		ap, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		a = ap.Addr()
	}
	return a.Unmap().WithZone(""), true
}

// Header returns those headers of req that are passed on; nil if there are none.
func (r Reader) Header(req *http.Request) (h map[string][]string) {
	for _, name := range r.headers {
		values := req.Header[name]
		if name == "Host" {
			values = []string{req.Host} // which net/http takes out of the header
		}
		if len(values) == 0 {
			continue
		}
		if h == nil {
			h = make(map[string][]string)
		}
		h[name] = slices.Clone(values)
	}
	return h
}

// Network is what a client's limits go by: its address, or of an IPv6 address
// the /64, which is what one subscriber has.
func Network(a netip.Addr) string {
	if a.Is6() {
		p, _ := a.Prefix(64)
		return p.String()
	}
	return a.String()
}
