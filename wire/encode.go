package wire

import (
	"bytes"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/centrifugal/protocol"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/surejson"
)

// Ping is the server's ping, and the client's pong. It is shared: read only.
var Ping = []byte("{}")

// AppendMessage appends the push of m, a join or leave too, to the subscribers of
// channel. m.Data must be one valid JSON value, as must what m.Info has.
func AppendMessage(dst []byte, channel string, m *surewire.Message) []byte {
	if plain(m) {
		return appendPlain(dst, channel, m)
	}
	p := &protocol.Push{Channel: channel}
	switch m.Kind {
	case surewire.KindJoin:
		p.Join = &protocol.Join{Info: clientInfo(m.Info)}
	case surewire.KindLeave:
		p.Leave = &protocol.Leave{Info: clientInfo(m.Info)}
	default:
		p.Pub = publication(m)
	}
	return appendPush(dst, p)
}

// AppendFramed appends the push of m as frame makes one frame of a payload.
func AppendFramed(dst []byte, frame func(dst, payload []byte) []byte, channel string, m *surewire.Message) []byte {
	buf := payloads.Get().(*[]byte)
	*buf = AppendMessage((*buf)[:0], channel, m)
	dst = frame(dst, *buf)
	if cap(*buf) <= maxPooled {
		payloads.Put(buf)
	}
	return dst
}

// maxPooled is how long a buffer may be to be kept for the next frame.
const maxPooled = 64 << 10

var payloads = sync.Pool{New: func() any { return new([]byte) }}

// appendPlain writes what the protocol's own encoder writes for a publication
// with nothing but data, which is nearly all there is, at a tenth of the cost.
func appendPlain(dst []byte, channel string, m *surewire.Message) []byte {
	dst = append(dst, `{"push":{"channel":`...)
	dst = appendName(dst, channel)
	dst = append(dst, `,"pub":`...)
	return append(appendPub(dst, m), "}}"...)
}

// plain reports whether a publication has nothing but data, and that without a
// newline, which would separate two objects of a frame.
func plain(m *surewire.Message) bool {
	return m.Kind == surewire.KindData && m.Info == nil && len(m.Tags) == 0 && bytes.IndexByte(m.Data, '\n') < 0
}

func appendPub(dst []byte, m *surewire.Message) []byte {
	dst = append(dst, `{"data":`...)
	dst = append(dst, m.Data...)
	if m.Position.Offset != 0 {
		dst = append(dst, `,"offset":`...)
		dst = strconv.AppendUint(dst, m.Position.Offset, 10)
	}
	if at := m.Time.UnixMilli(); at != 0 {
		dst = append(dst, `,"time":`...)
		dst = strconv.AppendInt(dst, at, 10)
	}
	return append(dst, '}')
}

// appendName writes a channel's name as a JSON string.
func appendName(dst []byte, channel string) []byte {
	for i := range len(channel) {
		if c := channel[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			dst, _ = names.Append(dst, channel)
			return dst
		}
	}
	dst = append(append(dst, '"'), channel...)
	return append(dst, '"')
}

// names writes the names of channels that have more than plain letters, as the
// protocol's encoder does.
var names = &surejson.Encoder{EscapeHTML: true}

func appendPush(dst []byte, p *protocol.Push) []byte {
	r := protocol.Reply{Push: p}
	return r.AppendJSON(dst)
}

// AppendSend appends a message of the application's, one JSON value, which is of no channel.
func AppendSend(dst, data []byte) []byte {
	return appendPush(dst, &protocol.Push{Message: &protocol.Message{Data: data}})
}

// AppendBegun appends the push that tells of a subscription which the server began.
func AppendBegun(dst []byte, channel string, s Subscribed) []byte {
	return appendPush(dst, &protocol.Push{Channel: channel, Subscribe: &protocol.Subscribe{
		Recoverable: true, Positioned: true, Epoch: s.Position.Epoch, Offset: s.Position.Offset, Data: s.Data,
	}})
}

// AppendExpiry appends the push that tells of another time at which the connection expires.
func AppendExpiry(dst []byte, r Refreshed) []byte {
	p := &protocol.Refresh{}
	p.Expires, p.Ttl = seconds(r.TTL)
	return appendPush(dst, &protocol.Push{Refresh: p})
}

// AppendEnded appends the push that ends the subscription of channel.
func AppendEnded(dst []byte, channel string, e SubscriptionEnded) []byte {
	return appendPush(dst, &protocol.Push{
		Channel: channel, Unsubscribe: &protocol.Unsubscribe{Code: e.Code, Reason: e.Reason},
	})
}

// AppendError appends the refusal of command id.
func AppendError(dst []byte, id uint32, e *Error) []byte {
	r := protocol.Reply{Id: id, Error: &protocol.Error{Code: e.Code, Message: e.Message, Temporary: e.Temporary}}
	return r.AppendJSON(dst)
}

// AppendConnected appends the answer to the connect command id.
func AppendConnected(dst []byte, id uint32, c Connected) []byte {
	out := &protocol.ConnectResult{
		Client: c.Client, Version: c.Version, Ping: c.PingInterval, Pong: c.PingInterval > 0, Data: c.Data,
	}
	out.Expires, out.Ttl = seconds(c.TTL)
	for channel, s := range c.Subs {
		if out.Subs == nil {
			out.Subs = make(map[string]*protocol.SubscribeResult, len(c.Subs))
		}
		out.Subs[channel] = subscribeResult(s)
	}
	r := protocol.Reply{Id: id, Connect: out}
	return r.AppendJSON(dst)
}

// AppendSubscribed appends the answer to the subscribe command id.
func AppendSubscribed(dst []byte, id uint32, s Subscribed) []byte {
	missed := s.Publications
	if !s.Recovered || slices.ContainsFunc(missed, func(m *surewire.Message) bool { return !plain(m) }) {
		missed = nil
	}
	if len(missed) > 0 {
		s.Publications = nil // written by hand below: all who return after an outage ask for them
	}
	r := protocol.Reply{Id: id, Subscribe: subscribeResult(s)}
	start := len(dst)
	dst = r.AppendJSON(dst)
	if len(missed) == 0 {
		return dst
	}
	// They stand before what only a reply to who recovers has.
	at := start + bytes.Index(dst[start:], []byte(`,"recovered":true`))
	rest := string(dst[at:])
	dst = append(dst[:at], `,"publications":[`...)
	for i, m := range missed {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendPub(dst, m)
	}
	return append(append(dst, ']'), rest...)
}

func subscribeResult(s Subscribed) *protocol.SubscribeResult {
	out := &protocol.SubscribeResult{
		Recoverable: true, Positioned: true,
		Epoch: s.Position.Epoch, Offset: s.Position.Offset,
		WasRecovering: s.WasRecovering, Recovered: s.Recovered, Data: s.Data,
	}
	out.Expires, out.Ttl = seconds(s.TTL)
	for _, m := range s.Publications {
		out.Publications = append(out.Publications, publication(m))
	}
	return out
}

// AppendPresence appends the answer to the presence command id.
func AppendPresence(dst []byte, id uint32, clients map[string]surewire.ClientInfo) []byte {
	out := &protocol.PresenceResult{Presence: make(map[string]*protocol.ClientInfo, len(clients))}
	for id, c := range clients {
		out.Presence[id] = clientInfo(&c)
	}
	r := protocol.Reply{Id: id, Presence: out}
	return r.AppendJSON(dst)
}

// AppendStats appends the answer to the presence_stats command id.
func AppendStats(dst []byte, id uint32, s Stats) []byte {
	r := protocol.Reply{Id: id, PresenceStats: &protocol.PresenceStatsResult{NumClients: uint32(s.Clients), NumUsers: uint32(s.Users)}}
	return r.AppendJSON(dst)
}

// AppendHistory appends the answer to the history command id.
func AppendHistory(dst []byte, id uint32, h surewire.History) []byte {
	out := &protocol.HistoryResult{Epoch: h.Head.Epoch, Offset: h.Head.Offset}
	for _, m := range h.Messages {
		out.Publications = append(out.Publications, publication(m))
	}
	r := protocol.Reply{Id: id, History: out}
	return r.AppendJSON(dst)
}

// AppendRPC appends the answer to the rpc command id: one JSON value, or nil.
func AppendRPC(dst []byte, id uint32, data []byte) []byte {
	r := protocol.Reply{Id: id, Rpc: &protocol.RPCResult{Data: data}}
	return r.AppendJSON(dst)
}

// AppendRefreshed appends the answer to the refresh command id.
func AppendRefreshed(dst []byte, id uint32, f Refreshed) []byte {
	out := &protocol.RefreshResult{}
	out.Expires, out.Ttl = seconds(f.TTL)
	r := protocol.Reply{Id: id, Refresh: out}
	return r.AppendJSON(dst)
}

// AppendSubRefreshed appends the answer to the sub_refresh command id.
func AppendSubRefreshed(dst []byte, id uint32, f Refreshed) []byte {
	out := &protocol.SubRefreshResult{}
	out.Expires, out.Ttl = seconds(f.TTL)
	r := protocol.Reply{Id: id, SubRefresh: out}
	return r.AppendJSON(dst)
}

// AppendUnsubscribed appends the answer to the unsubscribe command id.
func AppendUnsubscribed(dst []byte, id uint32) []byte {
	r := protocol.Reply{Id: id, Unsubscribe: &protocol.UnsubscribeResult{}}
	return r.AppendJSON(dst)
}

// AppendPublished appends the answer to the publish command id.
func AppendPublished(dst []byte, id uint32) []byte {
	r := protocol.Reply{Id: id, Publish: &protocol.PublishResult{}}
	return r.AppendJSON(dst)
}

// publication and message translate between the words of the protocol and ours.
// The protocol counts time in milliseconds since 1970.
func publication(m *surewire.Message) *protocol.Publication {
	return &protocol.Publication{
		Data: m.Data, Offset: m.Position.Offset, Tags: m.Tags, Info: clientInfo(m.Info), Time: m.Time.UnixMilli(),
	}
}

func message(p *protocol.Publication) *surewire.Message {
	m := &surewire.Message{Position: surewire.Position{Offset: p.Offset}}
	m.Data, m.Tags, m.Ephemeral = p.Data, p.Tags, p.Offset == 0
	if p.Info != nil {
		m.Info = client(p.Info)
	}
	if p.Time != 0 {
		m.Time = time.UnixMilli(p.Time)
	}
	return m
}

func clientInfo(c *surewire.ClientInfo) *protocol.ClientInfo {
	if c == nil {
		return nil
	}
	return &protocol.ClientInfo{User: c.User, Client: c.Client, ConnInfo: c.Conn, ChanInfo: c.Chan}
}
