package wire

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
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
	out := Command{ID: c.Id, Other: other(c)}
	switch {
	case c.Connect != nil:
		r := c.Connect
		out.Connect = &Connect{strings.Clone(r.Token), r.Data, strings.Clone(r.Name), strings.Clone(r.Version)}
	case c.Subscribe != nil:
		r := c.Subscribe
		out.Subscribe = &Subscribe{
			Channel: strings.Clone(r.Channel), Token: strings.Clone(r.Token), Data: r.Data,
			Recover: r.Recover, Flags: uint64(r.Flag),
			Since: surewire.Position{Epoch: strings.Clone(r.Epoch), Offset: r.Offset},
		}
		if r.Type != 0 {
			out.Subscribe, out.Other = nil, "subscribe of type map or poll"
		}
	case c.Unsubscribe != nil:
		out.Unsubscribe = &Unsubscribe{strings.Clone(c.Unsubscribe.Channel)}
	case c.Publish != nil:
		out.Publish = &Publish{strings.Clone(c.Publish.Channel), c.Publish.Data}
	}
	return out
}

// other names the request of c that is not served.
func other(c *protocol.Command) string {
	switch {
	case c.Presence != nil:
		return "presence"
	case c.PresenceStats != nil:
		return "presence_stats"
	case c.History != nil:
		return "history"
	case c.Ping != nil:
		return "ping"
	case c.Send != nil:
		return "send"
	case c.Rpc != nil:
		return "rpc"
	case c.Refresh != nil:
		return "refresh"
	case c.SubRefresh != nil:
		return "sub_refresh"
	}
	return ""
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
	if e := r.Error; e != nil {
		out.Error = &Error{e.Code, e.Message, e.Temporary}
	}
	if c := r.Connect; c != nil {
		out.Connected = &Connected{c.Client, c.Version, c.Ping}
	}
	if s := r.Subscribe; s != nil {
		out.Subscribed = &Subscribed{
			Position:      surewire.Position{Epoch: s.Epoch, Offset: s.Offset},
			WasRecovering: s.WasRecovering, Recovered: s.Recovered,
		}
		for _, p := range s.Publications {
			out.Subscribed.Publications = append(out.Subscribed.Publications, message(p))
		}
	}
	if p := r.Push; p != nil {
		out.Channel = p.Channel
		if p.Pub != nil {
			out.Publication = message(p.Pub)
		}
		if u := p.Unsubscribe; u != nil {
			out.Ended = &SubscriptionEnded{u.Code, u.Reason}
		}
	}
	return out
}
