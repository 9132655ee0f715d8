package hook

import (
	"context"
	"encoding/json"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/wire"
)

// Connect asks who a client is: {client, data, name, version}, with the headers
// that [Config] passes on. The result is {user, expire_at, info, data, channels,
// subs}; b64info and b64data are JSON in base64; subs has for each channel what
// [Client.Subscribe] has, and channels names more. Without a result nobody is let
// in. r.Token is not sent: a token is for whom it was made to verify.
func (c *Client) Connect(ctx context.Context, r access.ConnectRequest) (access.Session, error) {
	var s access.Session
	request := connectRequest{from(r.Client.ID), r.Data, r.Name, r.Version}
	err := ask(ctx, c, connect, r.Client.ID, request, c.headers(r), func(res *connectResult) (err error) {
		if res == nil {
			return wire.ErrUnauthorized
		}
		s, err = c.session(res)
		return err
	})
	if err != nil {
		return access.Session{}, err
	}
	return s, nil
}

func (c *Client) session(res *connectResult) (access.Session, error) {
	info, err := value("info", res.Info, res.B64Info)
	if err != nil {
		return access.Session{}, err
	}
	data, err := value("data", res.Data, res.B64Data)
	if err != nil {
		return access.Session{}, err
	}
	expires, err := expiry(res.ExpireAt)
	if err != nil {
		return access.Session{}, err
	}
	s := access.Session{User: res.User, Info: something(info), Data: something(data), Expires: expires}
	if len(res.Channels)+len(res.Subs) > 0 {
		s.Subs = make(map[string]access.Grant, len(res.Channels)+len(res.Subs))
	}
	for _, channel := range res.Channels {
		s.Subs[channel] = c.config.Defaults(channel)
	}
	for channel, o := range res.Subs {
		if s.Subs[channel], err = o.grant(c.config.Defaults(channel)); err != nil {
			return access.Session{}, err
		}
	}
	return s, nil
}

// Refresh asks whether a client may stay: {client, user}, with headers as in
// Connect. The result is {expired, expire_at, info}. The session is that of
// r.Client, with its Info unless there is a new one. A client that has expired,
// and one without a result, gets [surewire.DisconnectExpired].
func (c *Client) Refresh(ctx context.Context, r access.ConnectRequest) (access.Session, error) {
	s := access.Session{User: r.Client.User, Info: something(r.Client.Info)}
	request := refreshRequest{from(r.Client.ID), r.Client.User}
	err := ask(ctx, c, refresh, r.Client.ID, request, c.headers(r), func(res *refreshResult) error {
		if res == nil || res.Expired {
			return surewire.DisconnectExpired
		}
		info, err := value("info", res.Info, res.B64Info)
		if err != nil {
			return err
		}
		if len(info) > 0 {
			s.Info = info
		}
		s.Expires, err = expiry(res.ExpireAt)
		return err
	})
	if err != nil {
		return access.Session{}, err
	}
	return s, nil
}

// Subscribe asks whether a client may read a channel: {client, user, channel,
// token, data}. The result is {expire_at, info, data, override}, with b64info and
// b64data as in Connect; override is {presence: {value}, join_leave: {value}},
// and [Config.Defaults] has what it leaves out.
func (c *Client) Subscribe(ctx context.Context, who access.Client, r access.SubscribeRequest) (access.Grant, error) {
	g := c.config.Defaults(r.Channel)
	request := subscribeRequest{from(who.ID), who.User, r.Channel, r.Token, r.Data}
	err := ask(ctx, c, subscribe, who.ID, request, nil, func(res *grantOptions) (err error) {
		if res != nil {
			g, err = res.grant(g)
		}
		return err
	})
	if err != nil {
		return access.Grant{}, err
	}
	return g, nil
}

// SubRefresh asks whether a client may go on reading a channel: {client, user,
// channel}. The result is {expired, expire_at, info}. A subscription that has
// expired, and one without a result, gets [wire.ErrExpired].
func (c *Client) SubRefresh(ctx context.Context, who access.Client, r access.SubscribeRequest) (access.Grant, error) {
	g := c.config.Defaults(r.Channel)
	request := subRefreshRequest{from(who.ID), who.User, r.Channel}
	err := ask(ctx, c, subRefresh, who.ID, request, nil, func(res *refreshResult) (err error) {
		if res == nil || res.Expired {
			return wire.ErrExpired
		}
		o := grantOptions{ExpireAt: res.ExpireAt, Info: res.Info, B64Info: res.B64Info}
		g, err = o.grant(g)
		return err
	})
	if err != nil {
		return access.Grant{}, err
	}
	return g, nil
}

// Publish asks whether a client may publish p to channel: {client, user, channel,
// data}. The result is {data, skip_history, tags, idempotency_key}, with b64data
// as in Connect; what is there replaces p's Data, Tags and ID, and makes it
// ephemeral. p is altered only if nil is returned.
func (c *Client) Publish(ctx context.Context, who access.Client, channel string, p *surewire.Publication) error {
	request := publishRequest{from(who.ID), who.User, channel, p.Data}
	return ask(ctx, c, publish, who.ID, request, nil, func(res *publishResult) error {
		if res == nil {
			return nil
		}
		data, err := value("data", res.Data, res.B64Data)
		if err != nil {
			return err
		}
		if len(data) > 0 {
			p.Data = data
		}
		if res.Tags != nil {
			p.Tags = res.Tags
		}
		if res.IdempotencyKey != "" {
			p.ID = res.IdempotencyKey
		}
		p.Ephemeral = p.Ephemeral || res.SkipHistory
		return nil
	})
}

// RPC asks for an answer to a client: {client, user, method, data}. The result is
// {data}, with b64data as in Connect. The answer is a [json.RawMessage], or nil.
func (c *Client) RPC(ctx context.Context, who access.Client, method string, data []byte) (any, error) {
	var result json.RawMessage
	request := rpcRequest{from(who.ID), who.User, method, data}
	err := ask(ctx, c, rpc, who.ID, request, nil, func(res *rpcResult) (err error) {
		if res != nil {
			result, err = value("data", res.Data, res.B64Data)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return something(result), nil
}

// Message tells of what a client sent without waiting for an answer: {client,
// user, data}. Centrifugo has no such event. There is no result; of an error the
// client cannot be told, of a disconnect it can.
func (c *Client) Message(ctx context.Context, who access.Client, data []byte) error {
	request := messageRequest{from(who.ID), who.User, data}
	return ask(ctx, c, message, who.ID, request, nil, func(*struct{}) error { return nil })
}
