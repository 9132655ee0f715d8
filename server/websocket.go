package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/server/internal/peer"
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
		s.turnAway(w, r, foreignOrigin)
		return
	}
	if s.State() != Serving {
		s.turnAway(w, r, draining)
		return
	}
	p, network := s.peer(r)
	if why := s.doors.enter(&s.config, network); why != admitted {
		s.turnAway(w, r, why)
		return
	}
	c, err := socket.Accept(w, r, socket.Options{Subprotocols: []string{"centrifuge-json"}, Deflate: s.config.Compression})
	if err != nil {
		s.doors.leave(network)
		s.doors.refused[noHandshake].total.Add(1)
		s.config.Logger.LogAttrs(r.Context(), slog.LevelDebug, "WebSocket handshake failed", slog.String("error", err.Error()))
		return
	}
	s.doors.accepted.Add(1)
	format := websocketJSON
	if c.Deflated() {
		format = websocketDeflated
	}
	go func() { // ends with the connection
		defer s.doors.leave(network)
		s.hub.Serve(context.Background(), c, format, p)
	}()
}

// allowedOrigin reports whether the page that sent r may use the server. A
// request without an Origin does not come from a page; no browser sends one that
// is empty, or two.
func (s *Server) allowedOrigin(r *http.Request) bool {
	sent := r.Header["Origin"]
	if len(sent) == 0 || slices.Contains(s.config.Origins, "*") {
		return true
	}
	if len(sent) > 1 {
		return false
	}
	origin := sent[0]
	if slices.ContainsFunc(s.config.Origins, func(o string) bool { return strings.EqualFold(o, origin) }) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// peer is what is known of who sent r, and the network whose limits are its own;
// empty if it has no address.
func (s *Server) peer(r *http.Request) (p access.Peer, network string) {
	p = access.Peer{Address: r.RemoteAddr, Header: s.peers.Header(r)}
	if a, ok := s.peers.Address(r); ok {
		p.Address, network = a.String(), peer.Network(a)
	}
	return p, network
}
