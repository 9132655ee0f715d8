package wire

import (
	"github.com/centrifugal/protocol"
)

// AppendCommand appends c as a client sends it. Other is not sent.
func AppendCommand(dst []byte, c Command) []byte {
	out := protocol.Command{Id: c.ID}
	switch {
	case c.Connect != nil:
		out.Connect = connectRequest(c.Connect)
	case c.Subscribe != nil:
		out.Subscribe = subscribeRequest(c.Subscribe)
	case c.Unsubscribe != nil:
		out.Unsubscribe = &protocol.UnsubscribeRequest{Channel: c.Unsubscribe.Channel}
	case c.Publish != nil:
		out.Publish = &protocol.PublishRequest{Channel: c.Publish.Channel, Data: c.Publish.Data}
	case c.Presence != nil:
		out.Presence = &protocol.PresenceRequest{Channel: c.Presence.Channel}
	case c.PresenceStats != nil:
		out.PresenceStats = &protocol.PresenceStatsRequest{Channel: c.PresenceStats.Channel}
	case c.History != nil:
		r := c.History
		out.History = &protocol.HistoryRequest{Channel: r.Channel, Limit: int32(r.Limit), Reverse: r.Reverse}
		if r.Since != nil {
			out.History.Since = &protocol.StreamPosition{Offset: r.Since.Offset, Epoch: r.Since.Epoch}
		}
	case c.RPC != nil:
		out.Rpc = &protocol.RPCRequest{Method: c.RPC.Method, Data: c.RPC.Data}
	case c.Send != nil:
		out.Send = &protocol.SendRequest{Data: c.Send.Data}
	case c.Refresh != nil:
		out.Refresh = &protocol.RefreshRequest{Token: c.Refresh.Token}
	case c.SubRefresh != nil:
		out.SubRefresh = &protocol.SubRefreshRequest{Channel: c.SubRefresh.Channel, Token: c.SubRefresh.Token}
	}
	return out.AppendJSON(dst)
}

func connectRequest(r *Connect) *protocol.ConnectRequest {
	out := &protocol.ConnectRequest{Token: r.Token, Data: r.Data, Name: r.Name, Version: r.Version, Headers: r.Headers}
	for channel, at := range r.Subs {
		if out.Subs == nil {
			out.Subs = make(map[string]*protocol.SubscribeRequest, len(r.Subs))
		}
		out.Subs[channel] = &protocol.SubscribeRequest{Recover: true, Epoch: at.Epoch, Offset: at.Offset}
	}
	return out
}

func subscribeRequest(r *Subscribe) *protocol.SubscribeRequest {
	return &protocol.SubscribeRequest{
		Channel: r.Channel, Token: r.Token, Data: r.Data, Flag: int64(r.Flags),
		Recover: r.Recover, Recoverable: true, Positioned: true, JoinLeave: r.Joins,
		Epoch: r.Since.Epoch, Offset: r.Since.Offset,
	}
}
