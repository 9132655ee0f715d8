// Package negotiate answers what a WebSocket client offers in its handshake.
package negotiate

import (
	"strings"

	"github.com/gobwas/ws/wsflate"
)

// deflateAnswer is what the server answers to an offer of permessage-deflate:
// no message needs the context of another, on either side, so that a connection
// holds no window and a publication is compressed once for all (RFC 7692 §7.1.1).
const deflateAnswer = wsflate.ExtensionName + "; server_no_context_takeover; client_no_context_takeover"

// Deflate returns the answer to the first offer of permessage-deflate that can
// be accepted, "" if there is none; headers are the values of
// Sec-WebSocket-Extensions.
//
// [wsflate.Extension] is of no use for it: it refuses the whole handshake for
// an offer that must be declined, and accepts windows that compress/flate
// cannot keep to.
func Deflate(headers []string) string {
	for _, list := range headers {
		for _, offer := range splitList(list, ',') {
			if answer, ok := accept(offer); ok {
				return answer
			}
		}
	}
	return ""
}

// accept returns the answer to offer. It is not ok if that is to be declined:
// because it is another extension's, because a parameter is unknown, malformed
// or doubled (RFC 7692 §7), or because the server is asked for a window below
// 32 KiB, which compress/flate does not have.
func accept(offer string) (answer string, ok bool) {
	parts := splitList(offer, ';')
	if parts[0] != wsflate.ExtensionName {
		return "", false
	}
	answer = deflateAnswer
	seen := map[string]bool{}
	for _, part := range parts[1:] {
		name, value, given := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), unquote(strings.TrimSpace(value))
		if seen[name] {
			return "", false
		}
		seen[name] = true
		switch name {
		case "server_no_context_takeover", "client_no_context_takeover":
			ok = !given
		case "client_max_window_bits": // a smaller window of the client's is no concern here
			ok = !given || validBits(value)
		case "server_max_window_bits":
			ok = value == "15"
			answer += "; server_max_window_bits=15"
		default:
			ok = false
		}
		if !ok {
			return "", false
		}
	}
	return answer, true
}

// validBits reports whether value is the logarithm of a window: 8 to 15.
func validBits(value string) bool {
	return len(value) == 1 && (value == "8" || value == "9") ||
		len(value) == 2 && value[0] == '1' && '0' <= value[1] && value[1] <= '5'
}

// splitList splits s at each sep that is not in a quoted string, and trims space.
func splitList(s string, sep byte) (parts []string) {
	quoted, begin := false, 0
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			parts = append(parts, strings.TrimSpace(s[begin:i]))
			begin = i + 1
		}
	}
	return append(parts, strings.TrimSpace(s[begin:]))
}

// unquote returns the token in a quoted string: a parameter may be written so
// (RFC 6455 §9.1).
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
