package negotiate

import "testing"

const offer = "permessage-deflate; client_max_window_bits"

func TestDeflate(t *testing.T) {
	const yes = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	const full = yes + "; server_max_window_bits=15"
	for _, x := range []struct {
		headers []string
		want    string
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"permessage-deflate"}, yes},
		{[]string{offer}, yes},
		{[]string{"permessage-deflate; server_no_context_takeover; client_no_context_takeover"}, yes},
		{[]string{" permessage-deflate ;client_max_window_bits = 10 ; server_no_context_takeover "}, yes},
		{[]string{`permessage-deflate; client_max_window_bits="15"`}, yes},
		{[]string{"permessage-deflate; server_max_window_bits=15"}, full},
		{[]string{`permessage-deflate; server_max_window_bits="15"; server_no_context_takeover`}, full},

		// The window of compress/flate is 32 KiB.
		{[]string{"permessage-deflate; server_max_window_bits=8"}, ""},
		{[]string{"permessage-deflate; server_max_window_bits=14"}, ""},
		{[]string{"permessage-deflate; server_max_window_bits=9, permessage-deflate"}, yes},
		{[]string{"permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_max_window_bits=15", "permessage-deflate"}, full},

		// What must be declined (RFC 7692 §7).
		{[]string{"permessage-deflate; server_max_window_bits"}, ""},
		{[]string{"permessage-deflate; server_max_window_bits=16"}, ""},
		{[]string{"permessage-deflate; server_max_window_bits=015"}, ""},
		{[]string{"permessage-deflate; client_max_window_bits=7"}, ""},
		{[]string{"permessage-deflate; client_max_window_bits=16"}, ""},
		{[]string{"permessage-deflate; client_max_window_bits="}, ""},
		{[]string{"permessage-deflate; client_max_window_bits; client_max_window_bits"}, ""},
		{[]string{"permessage-deflate; server_no_context_takeover=1"}, ""},
		{[]string{"permessage-deflate; client_no_context_takeover; client_no_context_takeover"}, ""},
		{[]string{"permessage-deflate; unknown"}, ""},
		{[]string{"permessage-deflate;"}, ""},
		{[]string{"permessage-deflate; unknown, permessage-deflate"}, yes},

		// Other extensions.
		{[]string{"x-webkit-deflate-frame"}, ""},
		{[]string{"permessage-bzip2", "permessage-deflate"}, yes},
		{[]string{`x; a="1, permessage-deflate, 2"`}, ""},
		{[]string{`x; a="1, 2", permessage-deflate`}, yes},
		{[]string{`x; a="permessage-deflate`}, ""},
	} {
		if got := Deflate(x.headers); got != x.want {
			t.Errorf("%q: %q, want %q", x.headers, got, x.want)
		}
	}
}
