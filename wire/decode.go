package wire

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/centrifugal/protocol"

	"github.com/surewire/surewire"
)

// ErrFrame says that a frame does not hold what the protocol wants.
var ErrFrame = errors.New("bad frame")

// Commands yields the commands of one frame, in order; an error, which wraps
// [ErrFrame], is the last. What is yielded does not alias frame.
func Commands(frame []byte) iter.Seq2[Command, error] {
	return func(yield func(Command, error) bool) {
		if !utf8.Valid(frame) {
			yield(Command{}, fmt.Errorf("%w: it is not UTF-8", ErrFrame))
			return
		}
		d := protocol.NewJSONCommandDecoder(frame)
		for n := 1; ; n++ {
			c, err := d.Decode()
			if c != nil && !yield(command(c), nil) {
				return
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Command{}, fmt.Errorf("%w: command %d: %w", ErrFrame, n, err))
				return
			}
		}
	}
}

// command copies what aliases the frame: the decoder shares its strings.
func command(c *protocol.Command) Command {
	out := Command{ID: c.Id}
	switch {
	case c.Connect != nil:
		out.Connect = connect(c.Connect)
	case c.Subscribe != nil && c.Subscribe.Type != 0:
		out.Other = "subscribe of type map or poll"
	case c.Subscribe != nil && c.Subscribe.Tf != nil:
		out.Other = "a filter of tags" // who gets more than it asked for believes that it was filtered
	case c.Subscribe != nil:
		out.Subscribe = subscribe(c.Subscribe)
	case c.Unsubscribe != nil:
		out.Unsubscribe = &Unsubscribe{strings.Clone(c.Unsubscribe.Channel)}
	case c.Publish != nil:
		out.Publish = &Publish{strings.Clone(c.Publish.Channel), c.Publish.Data}
	case c.Presence != nil:
		out.Presence = &Presence{strings.Clone(c.Presence.Channel)}
	case c.PresenceStats != nil:
		out.PresenceStats = &PresenceStats{strings.Clone(c.PresenceStats.Channel)}
	case c.History != nil:
		r := c.History
		out.History = &History{Channel: strings.Clone(r.Channel), Limit: int(r.Limit), Reverse: r.Reverse}
		if r.Since != nil {
			out.History.Since = &surewire.Position{Epoch: strings.Clone(r.Since.Epoch), Offset: r.Since.Offset}
		}
	case c.Rpc != nil:
		out.RPC = &RPC{strings.Clone(c.Rpc.Method), c.Rpc.Data}
	case c.Send != nil:
		out.Send = &Send{c.Send.Data}
	case c.Refresh != nil:
		out.Refresh = &Refresh{strings.Clone(c.Refresh.Token)}
	case c.SubRefresh != nil && c.SubRefresh.Type != 0:
		out.Other = "sub_refresh of keys"
	case c.SubRefresh != nil:
		out.SubRefresh = &SubRefresh{strings.Clone(c.SubRefresh.Channel), strings.Clone(c.SubRefresh.Token)}
	case c.Ping != nil:
		out.Other = "ping"
	}
	return out
}

func connect(r *protocol.ConnectRequest) *Connect {
	out := &Connect{Token: strings.Clone(r.Token), Data: r.Data, Name: strings.Clone(r.Name), Version: strings.Clone(r.Version)}
	for k, v := range r.Headers {
		if out.Headers == nil {
			out.Headers = make(map[string]string, len(r.Headers))
		}
		out.Headers[strings.Clone(k)] = strings.Clone(v)
	}
	for channel, s := range r.Subs {
		if s == nil || !s.Recover {
			continue
		}
		if out.Subs == nil {
			out.Subs = make(map[string]surewire.Position, len(r.Subs))
		}
		out.Subs[strings.Clone(channel)] = surewire.Position{Epoch: strings.Clone(s.Epoch), Offset: s.Offset}
	}
	return out
}

func subscribe(r *protocol.SubscribeRequest) *Subscribe {
	return &Subscribe{
		Channel: strings.Clone(r.Channel), Token: strings.Clone(r.Token), Data: r.Data,
		Recover: r.Recover, Joins: r.JoinLeave, Flags: uint64(r.Flag),
		Since: surewire.Position{Epoch: strings.Clone(r.Epoch), Offset: r.Offset},
	}
}

// Replies yields the replies and pushes of one frame, in order; an error, which
// wraps [ErrFrame], is the last. What is yielded does not alias frame.
func Replies(frame []byte) iter.Seq2[Reply, error] {
	return func(yield func(Reply, error) bool) {
		d := protocol.NewJSONReplyDecoder(append([]byte(nil), frame...))
		for n := 1; ; n++ {
			r, err := d.Decode()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Reply{}, fmt.Errorf("%w: reply %d: %w", ErrFrame, n, err))
				return
			}
			if !yield(reply(r), nil) {
				return
			}
		}
	}
}

func reply(r *protocol.Reply) Reply {
	out := Reply{ID: r.Id}
	switch {
	case r.Error != nil:
		out.Error = &Error{r.Error.Code, r.Error.Message, r.Error.Temporary}
	case r.Connect != nil:
		out.Connected = connected(r.Connect)
	case r.Subscribe != nil:
		out.Subscribed = subscribed(r.Subscribe)
	case r.Presence != nil:
		out.Presence = make(map[string]surewire.ClientInfo, len(r.Presence.Presence))
		for id, c := range r.Presence.Presence {
			out.Presence[id] = *client(c)
		}
	case r.PresenceStats != nil:
		out.Stats = &Stats{int(r.PresenceStats.NumClients), int(r.PresenceStats.NumUsers)}
	case r.History != nil:
		out.History = &surewire.History{Head: surewire.Position{Epoch: r.History.Epoch, Offset: r.History.Offset}}
		out.History.Messages = messages(r.History.Publications)
	case r.Rpc != nil:
		out.Data = r.Rpc.Data
	case r.Refresh != nil:
		out.Refreshed = &Refreshed{ttl(r.Refresh.Ttl)}
	case r.SubRefresh != nil:
		out.Refreshed = &Refreshed{ttl(r.SubRefresh.Ttl)}
	case r.Push != nil:
		out.Push = true
		push(r.Push, &out)
	}
	return out
}

func push(p *protocol.Push, out *Reply) {
	out.Channel = p.Channel
	switch {
	case p.Pub != nil:
		out.Publication = message(p.Pub)
	case p.Join != nil:
		out.Publication = told(surewire.KindJoin, p.Join.Info)
	case p.Leave != nil:
		out.Publication = told(surewire.KindLeave, p.Leave.Info)
	case p.Unsubscribe != nil:
		out.Ended = &SubscriptionEnded{p.Unsubscribe.Code, p.Unsubscribe.Reason}
	case p.Subscribe != nil:
		out.Subscribed = &Subscribed{Position: surewire.Position{Epoch: p.Subscribe.Epoch, Offset: p.Subscribe.Offset}, Data: p.Subscribe.Data}
	case p.Message != nil:
		out.Data = p.Message.Data
	case p.Refresh != nil:
		out.Refreshed = &Refreshed{ttl(p.Refresh.Ttl)}
	case p.Disconnect != nil:
		out.Bye = &surewire.Disconnect{Code: uint16(p.Disconnect.Code), Reason: p.Disconnect.Reason}
	}
}

func connected(c *protocol.ConnectResult) *Connected {
	out := &Connected{Client: c.Client, Version: c.Version, PingInterval: c.Ping, TTL: ttl(c.Ttl), Data: c.Data}
	for channel, s := range c.Subs {
		if out.Subs == nil {
			out.Subs = make(map[string]Subscribed, len(c.Subs))
		}
		out.Subs[channel] = *subscribed(s)
	}
	return out
}

func subscribed(s *protocol.SubscribeResult) *Subscribed {
	return &Subscribed{
		Position:      surewire.Position{Epoch: s.Epoch, Offset: s.Offset},
		Publications:  messages(s.Publications),
		WasRecovering: s.WasRecovering, Recovered: s.Recovered, TTL: ttl(s.Ttl), Data: s.Data,
	}
}

func messages(ps []*protocol.Publication) []*surewire.Message {
	var out []*surewire.Message
	for _, p := range ps {
		out = append(out, message(p))
	}
	return out
}

// told is the message of a join or leave.
func told(k surewire.Kind, c *protocol.ClientInfo) *surewire.Message {
	return &surewire.Message{Publication: surewire.Publication{Kind: k, Ephemeral: true, Info: client(c)}}
}

func client(c *protocol.ClientInfo) *surewire.ClientInfo {
	if c == nil {
		return &surewire.ClientInfo{}
	}
	return &surewire.ClientInfo{Client: c.Client, User: c.User, Conn: c.ConnInfo, Chan: c.ChanInfo}
}

// ttl and seconds translate a time to live: the protocol counts seconds, and
// says nothing of what does not expire.
func ttl(seconds uint32) time.Duration { return time.Duration(seconds) * time.Second }

func seconds(ttl time.Duration) (bool, uint32) {
	return ttl > 0, uint32((ttl + time.Second - 1) / time.Second)
}
