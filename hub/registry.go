package hub

import (
	"context"
	"slices"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/wire"
)

// A Target names connections of a hub.
type Target struct {
	User   string   // all of a user's; "" is the anonymous one, unless Client is set
	Client string   // one, by its ID; if User is set too, only if it is that user's
	Except []string // not these, by ID
}

// find returns the connections that t names.
func (h *Hub) find(t Target) []*conn {
	return slices.DeleteFunc(h.roster.Find(t.User, t.Client), func(c *conn) bool { return slices.Contains(t.Except, c.id) })
}

// Disconnect ends connections and tells the clients d. It returns how many.
func (h *Hub) Disconnect(t Target, d surewire.Disconnect) int {
	all := h.find(t)
	for _, c := range all {
		c.link.Close(d)
	}
	return len(all)
}

// Review ends the connections of those clients that end says so of, and tells
// them d. It returns how many. Who is connecting meanwhile is seen by
// [Config.Revoked].
func (h *Hub) Review(end func(access.Client) bool, d surewire.Disconnect) (n int) {
	for _, c := range h.roster.All() {
		if end(c.who()) {
			c.link.Close(d)
			n++
		}
	}
	return n
}

// Unsubscribe ends the subscriptions of channel and tells the clients why. It
// returns how many there were.
func (h *Hub) Unsubscribe(t Target, channel string, why wire.SubscriptionEnded) (n int) {
	for _, c := range h.find(t) {
		if s := c.subscription(channel); s != nil && c.end(s, why) {
			n++
		}
	}
	return n
}

// Subscribe begins subscriptions that the clients have not asked for: they are
// told, and get what is published from now on, or after a position if since is
// not nil and everything from there is kept. Who reads the channel already is
// passed over. A client that comes back has what its [access.Session] says, not
// these. It returns how many began, and the first error.
func (h *Hub) Subscribe(ctx context.Context, t Target, channel string, g access.Grant, since *surewire.Position) (n int, err error) {
	if err := surewire.CheckChannel(channel); err != nil {
		return 0, err
	}
	for _, c := range h.find(t) {
		ok, e := c.beginUnasked(ctx, channel, g, since)
		if ok {
			n++
		}
		if err == nil {
			err = e
		}
	}
	return n, err
}

// Refresh sets when connections expire; the zero time is never. A time that is
// over ends them. centrifuge-js heeds a later time, and not an earlier one: it
// is told to come back when that is over. It returns how many.
func (h *Hub) Refresh(t Target, expires time.Time) int {
	all := h.find(t)
	for _, c := range all {
		c.setExpiry(expires)
	}
	return len(all)
}

// Send sends v, any value, outside of channels: a message that is not kept, to
// those who are connected now. It returns to how many.
func (h *Hub) Send(ctx context.Context, t Target, v any) (int, error) {
	data, _, err := h.config.Publisher.Encode(ctx, "message", v)
	if err != nil {
		return 0, err
	}
	all := h.find(t)
	for _, c := range all {
		c.link.Queue(wire.AppendSend(nil, data))
		c.link.Flush()
	}
	return len(all), nil
}

// ConnInfo is what can be said of one connection. It is for people and
// programs that look after the server.
type ConnInfo struct {
	ID        string        `json:"id"`
	User      string        `json:"user"`
	State     State         `json:"state"`
	Transport string        `json:"transport"`
	Name      string        `json:"name"`    // of the client's software, as it says
	Version   string        `json:"version"` // of the client's software, as it says
	Address   string        `json:"address"`
	Since     time.Time     `json:"since"`
	RTT       time.Duration `json:"rtt_ns"`   // of the last ping; 0 before the first
	Idle      time.Duration `json:"idle_ns"`  // since the client last said anything
	Channels  int           `json:"channels"` // subscriptions
	Lag       int           `json:"lag"`      // durable publications it has not been sent yet
	BytesOut  uint64        `json:"bytes_out"`
	FramesOut uint64        `json:"frames_out"`
}

// Conns returns what can be said of each connection, in no order.
func (h *Hub) Conns() []ConnInfo {
	conns := h.roster.All()
	all := make([]ConnInfo, len(conns))
	for i, c := range conns {
		all[i] = c.describe()
	}
	return all
}

// Channels returns the names of the channels that somebody reads here, in no
// order, and for each how many do.
func (h *Hub) Channels() map[string]int { return h.channels.Readers() }

// members returns who reads channel here and is listed, by connection ID.
func (h *Hub) members(channel string) map[string]surewire.ClientInfo {
	all := make(map[string]surewire.ClientInfo)
	if ch := h.channels.Find(channel); ch != nil {
		for _, r := range ch.Readers() {
			if s := r.(*subscription); s.listed {
				all[s.conn.id] = *s.info.Load()
			}
		}
	}
	return all
}

// Presence returns who reads channel and is listed, by connection ID; those of
// other processes too, if the engine is a [surewire.PresenceKeeper].
func (h *Hub) Presence(ctx context.Context, channel string) map[string]surewire.ClientInfo {
	return h.present.All(ctx, channel)
}

// Stats returns how many clients and users Presence has.
func (h *Hub) Stats(ctx context.Context, channel string) wire.Stats {
	all, users := h.Presence(ctx, channel), make(map[string]struct{})
	for _, info := range all {
		users[info.User] = struct{}{}
	}
	return wire.Stats{Clients: len(all), Users: len(users)}
}
