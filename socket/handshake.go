package socket

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gobwas/ws"

	"github.com/surewire/surewire/socket/internal/negotiate"
)

const (
	defaultMaxMessage = 64 << 10
	maxMaxMessage     = 1 << 30 // sums with it do not overflow
	maxEarly          = 4 << 10
	handshakeTimeout  = 5 * time.Second

	defaultMessageTimeout = 30 * time.Second
)

// Options say how [Accept] opens a connection. The zero value is ready to use.
type Options struct {
	MaxMessage   int      // bytes of one message, all fragments together, 1 GiB at most; 0 means 64 KiB
	Subprotocols []string // what the server speaks; the client's order decides

	// MessageTimeout is how long a message may take from when Read has its
	// first bytes to its last, a control frame between messages also; 0 means 30
	// seconds. It bounds for how long a peer can make the server keep part of
	// one. A connection without such a part has no timer.
	MessageTimeout time.Duration

	// Binary lists those of Subprotocols whose messages are binary. On their
	// connections a text message is refused with 1003, on all others a binary one.
	Binary []string

	// Deflate has the server accept offers of permessage-deflate (RFC 7692):
	// messages may come compressed, see [Conn.Deflated] for those that go.
	// MaxMessage counts the bytes that a message unpacks to.
	//
	// It is off by default: it costs time on both sides, and where one message
	// holds a secret beside text of somebody else's choice, its length tells of
	// the secret.
	Deflate bool
}

// Accept answers a WebSocket handshake (RFC 6455 §4.2). If the request is none,
// it answers with an HTTP error that says what is wrong, and returns the error.
//
// Accept does not look at the Origin header: who may connect is the caller's
// question, before Accept.
//
// The HTTP handler that called Accept should return and leave Read to a new
// goroutine: net/http keeps its buffers for as long as the handler runs.
func Accept(w http.ResponseWriter, r *http.Request, o Options) (*Conn, error) {
	if status, text := refusal(r); status != 0 {
		text = "this is a WebSocket endpoint: " + text
		if status == http.StatusUpgradeRequired {
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Sec-WebSocket-Version", "13")
		}
		http.Error(w, text, status)
		return nil, errors.New("socket: handshake: " + text)
	}
	u := ws.HTTPUpgrader{Timeout: handshakeTimeout}
	if len(o.Subprotocols) > 0 {
		u.Protocol = func(p string) bool { return slices.Contains(o.Subprotocols, p) }
	}
	answer := ""
	if o.Deflate {
		answer = negotiate.Deflate(r.Header.Values("Sec-WebSocket-Extensions"))
	}
	if answer != "" {
		u.Header = http.Header{"Sec-WebSocket-Extensions": {answer}}
	}
	conn, rw, hs, err := u.Upgrade(r, w)
	if err != nil {
		if conn != nil {
			conn.Close()
		}
		return nil, fmt.Errorf("socket: handshake: %w", err)
	}
	// The bufio buffers of net/http are 8 KB a connection: what came early is
	// copied, and they are let go.
	early := rw.Reader.Buffered()
	if early > maxEarly {
		conn.Close()
		return nil, fmt.Errorf("socket: handshake: %d bytes came before its end, %d are allowed", early, maxEarly)
	}
	p := parser{max: min(o.MaxMessage, maxMaxMessage), kind: ws.OpText, deflate: answer != ""}
	if p.max <= 0 {
		p.max = defaultMaxMessage
	}
	if slices.Contains(o.Binary, hs.Protocol) {
		p.kind = ws.OpBinary
	}
	if early > 0 {
		p.in = make([]byte, early)
		if _, err := io.ReadFull(rw.Reader, p.in); err != nil {
			conn.Close()
			return nil, fmt.Errorf("socket: handshake: early bytes: %w", err)
		}
	}
	c := newConn(conn, hs.Protocol, p)
	if o.MessageTimeout > 0 {
		c.messageTimeout = o.MessageTimeout
	}
	return c, nil
}

// refusal returns why r is not a WebSocket handshake; status is 0 if it is one.
// The rules are those of RFC 6455 §4.2.1.
func refusal(r *http.Request) (status int, text string) {
	switch key, version := r.Header.Get("Sec-WebSocket-Key"), r.Header.Get("Sec-WebSocket-Version"); {
	case r.Method != http.MethodGet:
		return http.StatusMethodNotAllowed, "the method must be GET, not " + r.Method
	case !r.ProtoAtLeast(1, 1) || r.ProtoMajor > 1:
		return http.StatusHTTPVersionNotSupported, "it needs HTTP/1.1, and the request came by " + r.Proto
	case !strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		return http.StatusUpgradeRequired, `the request has no "Upgrade: websocket" header; use a WebSocket client, and let proxies pass the header on`
	case !hasToken(r.Header.Values("Connection"), "upgrade"):
		return http.StatusBadRequest, `the request has no "Connection: Upgrade" header; proxies must pass it on`
	case version == "":
		return http.StatusBadRequest, "the request has no Sec-WebSocket-Version header"
	case version != "13":
		return http.StatusUpgradeRequired, fmt.Sprintf("it speaks version 13, not %.20q", version)
	case !validKey(key):
		return http.StatusBadRequest, "the Sec-WebSocket-Key header must hold 16 bytes in base64"
	}
	return 0, ""
}

// hasToken reports whether the comma-separated lists of a header hold token, which is in lower case.
func hasToken(lists []string, token string) bool {
	for _, list := range lists {
		for t := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}

func validKey(key string) bool {
	b, err := base64.StdEncoding.DecodeString(key)
	return err == nil && len(b) == 16
}
