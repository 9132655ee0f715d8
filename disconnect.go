package surewire

import "fmt"

// A Disconnect ends a connection and tells its client why, and whether to come
// back. It is an error value. Codes follow the Centrifuge client protocol:
// 3000 to 3499 and 4000 to 4499 ask the client to reconnect, 3500 to 3999 and
// 4500 to 4999 are terminal.
type Disconnect struct {
	Code   uint16
	Reason string // at most 123 bytes, so that it fits a WebSocket close frame
}

// Error implements error.
func (d Disconnect) Error() string { return fmt.Sprintf("disconnect %d: %s", d.Code, d.Reason) }

// Reconnect reports whether a client that is told d should come back.
func (d Disconnect) Reconnect() bool {
	return d.Code < 3500 || d.Code >= 4000 && d.Code < 4500
}

// Disconnects of the Centrifuge client protocol that Surewire sends.
var (
	DisconnectNormal            = Disconnect{3000, "connection closed"}
	DisconnectShutdown          = Disconnect{3001, "shutdown"}
	DisconnectServerError       = Disconnect{3004, "internal server error"}
	DisconnectExpired           = Disconnect{3005, "connection expired"}
	DisconnectSubExpired        = Disconnect{3006, "subscription expired"}
	DisconnectSlow              = Disconnect{3008, "slow"}
	DisconnectWriteError        = Disconnect{3009, "write error"}
	DisconnectInsufficientState = Disconnect{3010, "insufficient state"}
	DisconnectForceReconnect    = Disconnect{3011, "force reconnect"}
	DisconnectNoPong            = Disconnect{3012, "no pong"}
	DisconnectTooManyRequests   = Disconnect{3013, "too many requests"}
	DisconnectInvalidToken      = Disconnect{3500, "invalid token"}
	DisconnectBadRequest        = Disconnect{3501, "bad request"}
	DisconnectStale             = Disconnect{3502, "stale"}
	DisconnectForceNoReconnect  = Disconnect{3503, "force disconnect"}
	DisconnectConnectionLimit   = Disconnect{3504, "connection limit"}
	DisconnectProtocol          = Disconnect{3506, "inappropriate protocol"}
	DisconnectDenied            = Disconnect{3507, "permission denied"}
	DisconnectChannelLimit      = Disconnect{3505, "channel limit"}
	DisconnectTooManyErrors     = Disconnect{3509, "too many errors"}
)
