package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/socket"
)

// The wire forms of the clients at /connection/websocket. A publication is
// compressed once for all who take it so.
var (
	websocketJSON     = &hub.Format{Name: "websocket", Frame: socket.AppendText}
	websocketDeflated = &hub.Format{Name: "websocket, deflated", Frame: socket.AppendDeflated}
)

// websocket turns the request into a connection of the Centrifuge client
// protocol. The request's goroutine ends; that of the connection ends with it,
// or with the server.
func (s *Server) websocket(w http.ResponseWriter, r *http.Request) {
	if !s.allowedOrigin(r) {
		s.config.Logger.LogAttrs(r.Context(), slog.LevelWarn, "connection refused: origin is not allowed",
			slog.String("origin", r.Header.Get("Origin")), slog.String("host", r.Host))
		http.Error(w, "origin is not allowed: see the server's list of origins", http.StatusForbidden)
		return
	}
	c, err := socket.Accept(w, r, socket.Options{Subprotocols: []string{"centrifuge-json"}, Deflate: s.config.Compression})
	if err != nil {
		s.config.Logger.LogAttrs(r.Context(), slog.LevelDebug, "WebSocket handshake failed", slog.String("error", err.Error()))
		return
	}
	format := websocketJSON
	if c.Deflated() {
		format = websocketDeflated
	}
	go s.hub.Serve(context.Background(), c, format, access.Peer{Address: address(r)})
}

// allowedOrigin reports whether the page that sent r may use the server. A
// request without an Origin does not come from a page.
func (s *Server) allowedOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(s.config.Origins, "*") {
		return true
	}
	if slices.ContainsFunc(s.config.Origins, func(o string) bool { return strings.EqualFold(o, origin) }) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// address is that of the client, without its port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
