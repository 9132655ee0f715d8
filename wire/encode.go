package wire

import (
	"time"

	"github.com/centrifugal/protocol"

	"github.com/surewire/surewire"
)

// Ping is the server's ping, and the client's pong. It is shared: read only.
var Ping = []byte("{}")

// AppendPublication appends the push of m to the subscribers of channel.
// m.Data must be one valid JSON value.
func AppendPublication(dst []byte, channel string, m *surewire.Message) []byte {
	r := protocol.Reply{Push: &protocol.Push{Channel: channel, Pub: publication(m)}}
	return r.AppendJSON(dst)
}

// AppendEnded appends the push that ends the subscription of channel.
func AppendEnded(dst []byte, channel string, e SubscriptionEnded) []byte {
	r := protocol.Reply{Push: &protocol.Push{
		Channel: channel, Unsubscribe: &protocol.Unsubscribe{Code: e.Code, Reason: e.Reason},
	}}
	return r.AppendJSON(dst)
}

// AppendError appends the refusal of command id.
func AppendError(dst []byte, id uint32, e *Error) []byte {
	r := protocol.Reply{Id: id, Error: &protocol.Error{Code: e.Code, Message: e.Message, Temporary: e.Temporary}}
	return r.AppendJSON(dst)
}

// AppendConnected appends the answer to the connect command id.
func AppendConnected(dst []byte, id uint32, c Connected) []byte {
	r := protocol.Reply{Id: id, Connect: &protocol.ConnectResult{
		Client: c.Client, Version: c.Version, Ping: c.PingInterval, Pong: c.PingInterval > 0,
	}}
	return r.AppendJSON(dst)
}

// AppendSubscribed appends the answer to the subscribe command id.
func AppendSubscribed(dst []byte, id uint32, s Subscribed) []byte {
	out := &protocol.SubscribeResult{
		Recoverable: true, Positioned: true,
		Epoch: s.Position.Epoch, Offset: s.Position.Offset,
		WasRecovering: s.WasRecovering, Recovered: s.Recovered,
	}
	for _, m := range s.Publications {
		out.Publications = append(out.Publications, publication(m))
	}
	r := protocol.Reply{Id: id, Subscribe: out}
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

// AppendCommand appends c as a client sends it. Other is not sent.
func AppendCommand(dst []byte, c Command) []byte {
	out := protocol.Command{Id: c.ID}
	if r := c.Connect; r != nil {
		out.Connect = &protocol.ConnectRequest{Token: r.Token, Data: r.Data, Name: r.Name, Version: r.Version}
	}
	if r := c.Subscribe; r != nil {
		out.Subscribe = &protocol.SubscribeRequest{
			Channel: r.Channel, Token: r.Token, Data: r.Data, Flag: int64(r.Flags),
			Recover: r.Recover, Recoverable: true, Positioned: true,
			Epoch: r.Since.Epoch, Offset: r.Since.Offset,
		}
	}
	if r := c.Unsubscribe; r != nil {
		out.Unsubscribe = &protocol.UnsubscribeRequest{Channel: r.Channel}
	}
	if r := c.Publish; r != nil {
		out.Publish = &protocol.PublishRequest{Channel: r.Channel, Data: r.Data}
	}
	return out.AppendJSON(dst)
}

// publication and message translate between the words of the protocol and ours.
// The protocol counts time in milliseconds since 1970.
func publication(m *surewire.Message) *protocol.Publication {
	return &protocol.Publication{Data: m.Data, Offset: m.Position.Offset, Tags: m.Tags, Time: m.Time.UnixMilli()}
}

func message(p *protocol.Publication) *surewire.Message {
	m := &surewire.Message{Position: surewire.Position{Offset: p.Offset}}
	m.Data, m.Tags, m.Ephemeral = p.Data, p.Tags, p.Offset == 0
	if p.Time != 0 {
		m.Time = time.UnixMilli(p.Time)
	}
	return m
}
