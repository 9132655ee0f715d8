package server

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/server/internal/body"
	"github.com/surewire/surewire/wire"
)

// target names connections.
type target struct {
	User    string `json:"user" doc:"All connections of a user; empty for those without a name, unless client is given."`
	Client  string `json:"client" doc:"One connection, by its ID."`
	Session string `json:"session" doc:"Refused: sessions have no names of their own."`
}

func (t target) Check() error {
	if t.Session != "" {
		return wire.ErrNotAvailable.With(`field "session": name the connection by "client"`)
	}
	return nil
}

func (t target) hub() hub.Target { return hub.Target{User: t.User, Client: t.Client} }

// A flag is true, false or not given.
type flag struct {
	Value bool `json:"value"`
}

func (f *flag) or(otherwise bool) bool {
	if f == nil {
		return otherwise
	}
	return f.Value
}

type subscribeRequest struct {
	target
	Channel      string          `json:"channel" openapi:"required"`
	Info         json.RawMessage `json:"info" doc:"What others may see of the subscription, in presence and joins."`
	B64Info      string          `json:"b64info" doc:"The JSON text of info, in base64."`
	Data         json.RawMessage `json:"data" doc:"For the client."`
	B64Data      string          `json:"b64data" doc:"The JSON text of data, in base64."`
	ExpireAt     int64           `json:"expire_at" doc:"In seconds since 1970; 0 for never."`
	RecoverSince *position       `json:"recover_since" doc:"The client gets what was published after it, if all is kept."`
	Override     *struct {
		Presence           *flag `json:"presence"`
		JoinLeave          *flag `json:"join_leave"`
		ForcePushJoinLeave *flag `json:"force_push_join_leave"`
		ForceRecovery      *flag `json:"force_recovery" doc:"Taken: every subscription can recover."`
		ForcePositioning   *flag `json:"force_positioning" doc:"Taken: every subscription has a position."`
	} `json:"override"`
}

func (s *Server) apiSubscribe(ctx context.Context, r *subscribeRequest) (empty, error) {
	g := access.Grant{Presence: true, Expires: unix(r.ExpireAt)}
	if o := r.Override; o != nil {
		g.Presence, g.Joins = o.Presence.or(true), o.JoinLeave.or(false)
	}
	for _, f := range []struct {
		to    *any
		plain json.RawMessage
		b64   string
		name  string
	}{{&g.Info, r.Info, r.B64Info, "info"}, {&g.Data, r.Data, r.B64Data, "data"}} {
		v, err := body.Either(f.plain, f.b64, f.name)
		if err != nil {
			return empty{}, err
		}
		if v != nil {
			*f.to = v
		}
	}
	_, err := s.hub.Subscribe(ctx, r.hub(), r.Channel, g, r.RecoverSince.surewire())
	return empty{}, err
}

// unix is a time in seconds since 1970; 0 is none.
func unix(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

type unsubscribeRequest struct {
	target
	Channel string `json:"channel" openapi:"required"`
}

func (s *Server) apiUnsubscribe(_ context.Context, r *unsubscribeRequest) (empty, error) {
	if err := surewire.CheckChannel(r.Channel); err != nil {
		return empty{}, err
	}
	s.hub.Unsubscribe(r.hub(), r.Channel, wire.Unsubscribed)
	return empty{}, nil
}

type disconnectRequest struct {
	target
	Whitelist  []string `json:"whitelist" doc:"Connections that stay, by their IDs."`
	Disconnect *struct {
		Code   uint16 `json:"code" doc:"From 3000 to 4999; below 3500, and from 4000 to 4499, the client comes back."`
		Reason string `json:"reason"`
	} `json:"disconnect"`
}

// maxReason is what of a reason fits a WebSocket close frame.
const maxReason = 123

func (s *Server) apiDisconnect(_ context.Context, r *disconnectRequest) (empty, error) {
	d := surewire.DisconnectForceNoReconnect
	if r.Disconnect != nil {
		d = surewire.Disconnect{Code: r.Disconnect.Code, Reason: r.Disconnect.Reason}
		if d.Code < 3000 || d.Code > 4999 || len(d.Reason) > maxReason {
			return empty{}, fmt.Errorf("%w: a disconnect has a code from 3000 to 4999 and a reason of at most %d bytes", body.ErrBad, maxReason)
		}
	}
	t := r.hub()
	t.Except = r.Whitelist
	s.hub.Disconnect(t, d)
	return empty{}, nil
}

type refreshRequest struct {
	target
	Expired  bool  `json:"expired" doc:"They have expired."`
	ExpireAt int64 `json:"expire_at" doc:"In seconds since 1970; 0 for never."`
}

func (s *Server) apiRefresh(_ context.Context, r *refreshRequest) (empty, error) {
	expires := unix(r.ExpireAt)
	if r.Expired {
		expires = time.Unix(0, 0)
	}
	s.hub.Refresh(r.hub(), expires)
	return empty{}, nil
}
