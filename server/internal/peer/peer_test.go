package peer

import (
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	trusted := []netip.Prefix{
		netip.MustParsePrefix("10.1.2.3/8"), // not masked
		netip.MustParsePrefix("2001:db8:ffff::/48"), netip.MustParsePrefix("::ffff:192.0.2.0/120"),
	}
	for _, c := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"no proxy", "203.0.113.5:1234", nil, "203.0.113.5"},
		{"a proxy that says nothing", "10.0.0.1:1234", nil, "10.0.0.1"},
		{"a proxy", "10.0.0.1:1234", []string{"203.0.113.5"}, "203.0.113.5"},
		{"two proxies", "10.0.0.1:1234", []string{"203.0.113.5, 10.0.0.2"}, "203.0.113.5"},
		{"two proxies, two lines", "10.0.0.1:1234", []string{"203.0.113.5", "10.0.0.2"}, "203.0.113.5"},
		{"what the client wrote before", "10.0.0.1:1234", []string{"1.1.1.1, 203.0.113.5"}, "203.0.113.5"},
		{"what the client wrote in a line before", "10.0.0.1:1234", []string{"1.1.1.1", "203.0.113.5"}, "203.0.113.5"},
		{"the client names a proxy", "10.0.0.1:1234", []string{"10.9.9.9, 203.0.113.5"}, "203.0.113.5"},
		{"a peer that is not trusted", "203.0.113.5:1234", []string{"1.1.1.1"}, "203.0.113.5"},
		{"a peer that names a proxy", "203.0.113.5:1234", []string{"1.1.1.1, 10.0.0.1"}, "203.0.113.5"},
		{"all are proxies", "10.0.0.1:1234", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"with ports", "10.0.0.1:1234", []string{"203.0.113.5:99, 10.0.0.2:1"}, "203.0.113.5"},
		{"IPv6", "[2001:db8:ffff::1]:1234", []string{"2001:db8::5"}, "2001:db8::5"},
		{"IPv6 with a port", "[2001:db8:ffff::1]:1234", []string{"[2001:db8::5]:99"}, "2001:db8::5"},
		{"IPv6 in brackets", "[2001:db8:ffff::1]:1234", []string{"[2001:db8::5]"}, "2001:db8::5"},
		{"IPv6 with a zone", "[fe80::1%eth0]:1234", nil, "fe80::1"},
		{"IPv4 as IPv6", "[::ffff:10.0.0.1]:1234", []string{"::ffff:203.0.113.5"}, "203.0.113.5"},
		{"a range of IPv4 as IPv6", "192.0.2.7:1234", []string{"203.0.113.5"}, "203.0.113.5"},
		{"spaces", "10.0.0.1:1234", []string{" \t203.0.113.5\t ,  10.0.0.2  "}, "203.0.113.5"},
		{"not an address", "10.0.0.1:1234", []string{"203.0.113.5, unknown"}, "10.0.0.1"},
		{"not an address, before a proxy", "10.0.0.1:1234", []string{"203.0.113.5, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"empty", "10.0.0.1:1234", []string{""}, "10.0.0.1"},
		{"a comma at the end", "10.0.0.1:1234", []string{"203.0.113.5,"}, "10.0.0.1"},
		{"control characters", "10.0.0.1:1234", []string{"203.0.113.5\x00"}, "10.0.0.1"},
		{"very long", "10.0.0.1:1234", []string{strings.Repeat("1.1.1.1,", 1<<16) + "203.0.113.5"}, "203.0.113.5"},
		{"a Unix socket", "@", []string{"203.0.113.5"}, ""},
	} {
		req := &http.Request{RemoteAddr: c.remote, Header: http.Header{
			"X-Forwarded-For": c.forwarded, "X-Real-Ip": {"8.8.8.8"}, "Forwarded": {"for=8.8.8.8"},
		}}
		a, ok := NewReader(trusted, nil).Address(req)
		if ok != (c.want != "") || ok && a.String() != c.want {
			t.Errorf("%s: %v, %v, want %q", c.name, a, ok, c.want)
		}
		if a, _ := (Reader{}).Address(req); len(c.forwarded) > 0 && a.IsValid() && a.String() == "203.0.113.5" && !strings.Contains(c.remote, "203") {
			t.Errorf("%s: a Reader that trusts nobody believes the header", c.name)
		}
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("203.0.113.5, 10.0.0.2", "10.0.0.1")
	f.Add("[::1]:80,,", "unknown")
	r := NewReader([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, nil)
	f.Fuzz(func(t *testing.T, first, second string) {
		req := &http.Request{RemoteAddr: "10.0.0.1:80", Header: http.Header{"X-Forwarded-For": {first, second}}}
		a, ok := r.Address(req)
		if !ok || !a.IsValid() {
			t.Fatalf("%q, %q: %v", first, second, a)
		}
		// Whatever a client sends before what the proxy adds has no effect.
		req.Header["X-Forwarded-For"] = []string{first, second + ", 203.0.113.5"}
		if a, _ := r.Address(req); a.String() != "203.0.113.5" {
			t.Errorf("%q, %q: the client's words made it %v", first, second, a)
		}
		req.RemoteAddr = "203.0.113.6:80"
		if a, _ := r.Address(req); a.String() != "203.0.113.6" {
			t.Errorf("%q, %q: a peer that is not trusted made it %v", first, second, a)
		}
	})
}

func TestHeader(t *testing.T) {
	req := &http.Request{Host: "example.com", Header: http.Header{
		"Cookie": {"a=b"}, "Authorization": {"secret"}, "X-Tenant": {"1", "2"}, "Accept-Language": {"de"},
	}}
	for _, c := range []struct {
		headers []string
		want    map[string][]string
	}{
		{nil, nil},
		{[]string{"x-absent"}, nil},
		{[]string{"x-tenant", "ACCEPT-language"}, map[string][]string{"X-Tenant": {"1", "2"}, "Accept-Language": {"de"}}},
		{[]string{"cookie"}, map[string][]string{"Cookie": {"a=b"}}},
		{[]string{"host"}, map[string][]string{"Host": {"example.com"}}},
	} {
		if got := NewReader(nil, c.headers).Header(req); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %v, want %v", c.headers, got, c.want)
		}
	}
	h := NewReader(nil, []string{"X-Tenant"}).Header(req)
	if h["X-Tenant"][0] = "changed"; req.Header.Get("X-Tenant") != "1" {
		t.Error("what is passed on is the request's own")
	}
}

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.5": "203.0.113.5", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::9": "2001:db8:1:2::/64", "2001:db8:1:3::9": "2001:db8:1:3::/64",
	} {
		if got := Network(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
