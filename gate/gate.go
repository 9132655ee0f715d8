// Package gate is who may do what on a configured server: tokens say who
// somebody is, namespaces what they may, and backends have the last word.
package gate

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/auth"
	"github.com/surewire/surewire/hook"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/limit"
	"github.com/surewire/surewire/namespace"
	"github.com/surewire/surewire/wire"
)

// Config says who may do what. The zero Config lets nobody in.
type Config struct {
	Namespaces  namespace.Set
	Tokens      *auth.Verifier    // of connection and subscription tokens; nil accepts none
	Tickets     *auth.Tickets     // that stand for a connection token, once; nil accepts none
	Revocations *auth.Revocations // whom tokens no longer let in; may be nil
	Anonymous   bool              // who brings no token is let in, without a name
	Hooks       Hooks
	Schemas     map[string]Schema // by namespace; may be nil
	Logger      *slog.Logger      // nil means [slog.Default]
}

// Hooks are the backends that are asked. A nil one is not.
type Hooks struct {
	Connect   *hook.Client            // about who brings no token
	Refresh   *hook.Client            // whether they may stay; nil means Connect
	RPC       *hook.Client            // for an answer, to methods of no namespace among Methods
	Methods   map[string]*hook.Client // by namespace: for an answer to the method "name:…"
	Message   *hook.Client            // told what clients send
	Subscribe map[string]*hook.Client // by namespace: in place of what the namespace says of subscribe, for who shows no token
	Publish   map[string]*hook.Client // by namespace: about what clients publish, once the namespace allows it
}

// A Schema says what publications must be.
type Schema interface {
	// Check returns nil if data, one JSON value, is as it must be; else what is
	// wrong, with a JSON pointer to the place.
	Check(data []byte) error
}

// A Gate is an [access.Authorizer]. Its methods may be called concurrently.
type Gate struct {
	config Config        // static after construction
	rates  limit.Buckets // of what clients publish, by connection and namespace
}

// New returns a gate, or what is wrong with c.
func New(c Config) (*Gate, error) {
	if err := c.Namespaces.Check(); err != nil {
		return nil, err
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &Gate{config: c}, nil
}

// TicketPrefix tells a ticket from a token, where a client sends either.
const TicketPrefix = "ticket:"

// Connect implements [access.Authorizer]: it admits by a token, by a ticket for
// one, by a backend's word, or without a name.
func (g *Gate) Connect(ctx context.Context, r access.ConnectRequest) (access.Session, error) {
	s, err := g.session(ctx, r)
	if err != nil {
		return access.Session{}, err
	}
	if err := g.config.Revocations.Check(s.User, s.TokenID, s.TokenTime); err != nil {
		return access.Session{}, g.refused(ctx, r.Client, err)
	}
	return s, nil
}

func (g *Gate) session(ctx context.Context, r access.ConnectRequest) (access.Session, error) {
	ticket, isTicket := strings.CutPrefix(r.Token, TicketPrefix)
	backend := g.config.Hooks.Connect
	switch {
	case isTicket && g.config.Tickets != nil:
		return g.byTicket(ctx, r, ticket)
	case r.Token != "" && g.config.Tokens != nil:
		return g.byToken(ctx, r, r.Token)
	case r.Token != "":
		return access.Session{}, g.refused(ctx, r.Client, fmt.Errorf("%w: no key is configured to check it with", auth.ErrInvalid))
	case backend != nil && r.Refresh:
		return renewing(cmp.Or(g.config.Hooks.Refresh, backend).Refresh(ctx, r))
	case backend != nil:
		return renewing(backend.Connect(ctx, r))
	case g.config.Anonymous:
		return access.Session{}, nil
	}
	return access.Session{}, surewire.DisconnectDenied
}

// renewing makes the backend the one to ask when s expires: the client has no
// token to bring.
func renewing(s access.Session, err error) (access.Session, error) {
	s.Renews = true
	for channel, g := range s.Subs {
		g.Renews = true
		s.Subs[channel] = g
	}
	return s, err
}

// byTicket admits whom the token names that the ticket stands for.
func (g *Gate) byTicket(ctx context.Context, r access.ConnectRequest, ticket string) (access.Session, error) {
	token, err := g.config.Tickets.Redeem(ticket)
	if err != nil {
		return access.Session{}, g.refused(ctx, r.Client, err)
	}
	return g.byToken(ctx, r, string(token))
}

// byToken admits whom the token names.
func (g *Gate) byToken(ctx context.Context, r access.ConnectRequest, token string) (access.Session, error) {
	t, err := g.config.Tokens.Connection(ctx, token)
	if err == nil && t.User == "" && !g.config.Anonymous {
		err = fmt.Errorf("%w: it names no user, and clients without a name are not let in", auth.ErrInvalid)
	}
	if err != nil {
		return access.Session{}, g.refused(ctx, r.Client, err)
	}
	s := access.Session{User: t.User, Expires: t.Expires, TokenID: t.ID, TokenTime: t.IssuedAt}
	if t.Info != nil {
		s.Info = t.Info
	}
	if len(t.Subs) > 0 {
		s.Subs = make(map[string]access.Grant, len(t.Subs))
	}
	for channel, o := range t.Subs {
		n, ok := g.config.Namespaces.Of(channel)
		if !ok || !surewire.MayRead(t.User, channel) {
			err := fmt.Errorf("%w: it subscribes to %.64q, which is of no namespace, or for others", auth.ErrInvalid, channel)
			return access.Session{}, g.refused(ctx, r.Client, err)
		}
		s.Subs[channel] = grant(n, o)
	}
	return s, nil
}

// grant is what a subscription may, by its namespace, and by its token where
// that says otherwise.
func grant(n namespace.Options, o auth.Options) access.Grant {
	g := access.Grant{Expires: o.Expires, Presence: n.Presence != namespace.Nobody, Joins: n.Joins, MaxReaders: n.MaxReaders}
	if o.Info != nil {
		g.Info = o.Info
	}
	if o.Data != nil {
		g.Data = o.Data
	}
	if o.Presence != nil {
		g.Presence = *o.Presence
	}
	if o.Joins != nil {
		g.Joins = *o.Joins
	}
	return g
}

// Defaults returns what subscriptions may by their namespaces alone: for the
// Defaults of a [hook.Config].
func Defaults(set namespace.Set) func(channel string) access.Grant {
	return func(channel string) access.Grant {
		n, _ := set.Of(channel)
		return grant(n, auth.Options{})
	}
}

// Subscribe implements [access.Authorizer].
func (g *Gate) Subscribe(ctx context.Context, c access.Client, r access.SubscribeRequest) (access.Grant, error) {
	n, ok := g.config.Namespaces.Of(r.Channel)
	if !ok {
		return access.Grant{}, wire.ErrUnknownChannel
	}
	if !surewire.MayRead(c.User, r.Channel) {
		return access.Grant{}, wire.ErrPermissionDenied
	}
	p := namespace.Person{User: c.User, Subscribed: r.Refresh}
	var o auth.Options
	ask := g.config.Hooks.Subscribe[namespace.Name(r.Channel)]
	switch {
	case r.Token != "":
		t, err := g.subscription(ctx, c, r)
		if err != nil {
			return access.Grant{}, err
		}
		if p.Named, o = true, t.Options; ask != nil {
			return grant(n, o), nil // a good token is word enough
		}
	case ask != nil:
		return bySubscribeHook(ctx, ask, c, r)
	}
	if !n.Subscribe.Admits(p, r.Channel) {
		return access.Grant{}, wire.ErrPermissionDenied
	}
	return grant(n, o), nil
}

// subscription returns what r's token says, if it is good and for c.
func (g *Gate) subscription(ctx context.Context, c access.Client, r access.SubscribeRequest) (t auth.Subscription, err error) {
	if g.config.Tokens == nil {
		err = fmt.Errorf("%w: no key is configured to check it with", auth.ErrInvalid)
	} else if t, err = g.config.Tokens.Subscription(ctx, r.Token); err == nil {
		err = t.Allows(c.User, c.ID, r.Channel)
	}
	if err == nil {
		return t, nil
	}
	told := g.refused(ctx, c, fmt.Errorf("channel %.64q: %w", r.Channel, err))
	if told == error(surewire.DisconnectInvalidToken) {
		told = wire.ErrPermissionDenied // the connection stays: its own token is good
	}
	return t, told
}

// bySubscribeHook lets the backend decide. It is asked again at the end too.
func bySubscribeHook(ctx context.Context, ask *hook.Client, c access.Client, r access.SubscribeRequest) (access.Grant, error) {
	decide := ask.Subscribe
	if r.Refresh {
		decide = ask.SubRefresh
	}
	grant, err := decide(ctx, c, r)
	grant.Renews = true
	return grant, err
}

// Allow implements [access.Authorizer].
func (g *Gate) Allow(_ context.Context, c access.Client, r access.ActionRequest) error {
	n, ok := g.config.Namespaces.Of(r.Channel)
	if !ok {
		return wire.ErrUnknownChannel
	}
	who := map[access.Action]namespace.Who{access.Publish: n.Publish, access.Presence: n.Presence, access.History: n.History}[r.Action]
	if !who.Admits(namespace.Person{User: c.User, Subscribed: r.Subscribed}, r.Channel) {
		return wire.ErrPermissionDenied
	}
	if r.Action == access.Publish && !g.rates.Take(c.ID+" "+namespace.Name(r.Channel), n.PublishRate) {
		return wire.ErrTooManyRequests
	}
	return nil
}

// Ticket returns a ticket that stands for token once, within ttl: for a client
// that can send a token in no safe way. The error is one of package auth's, and
// [wire.ErrNotAvailable] where tickets are not accepted.
func (g *Gate) Ticket(ctx context.Context, token string, ttl time.Duration) (string, error) {
	if g.config.Tickets == nil || g.config.Tokens == nil {
		return "", wire.ErrNotAvailable.With("tickets")
	}
	if _, err := g.config.Tokens.Connection(ctx, token); err != nil {
		return "", err
	}
	t, err := g.config.Tickets.Issue([]byte(token), ttl)
	return TicketPrefix + t, err
}

// Revoked reports whether c would no longer be let in: see [hub.Config].
func (g *Gate) Revoked(c access.Client) bool {
	return g.config.Revocations.Check(c.User, c.TokenID, c.TokenTime) != nil
}

// Handlers are what backends do of a hub's.
func (g *Gate) Handlers() hub.Handlers {
	var h hub.Handlers
	if len(g.config.Hooks.Publish) > 0 {
		h.Publish = func(ctx context.Context, c access.Client, channel string, p *surewire.Publication) error {
			ask := g.config.Hooks.Publish[namespace.Name(channel)]
			if ask == nil {
				return nil
			}
			return ask.Publish(ctx, c, channel, p)
		}
	}
	if g.config.Hooks.RPC != nil || len(g.config.Hooks.Methods) > 0 {
		h.RPC = g.rpc
	}
	if ask := g.config.Hooks.Message; ask != nil {
		h.Message = ask.Message
	}
	return h
}

// rpc asks the backend of the method's namespace.
func (g *Gate) rpc(ctx context.Context, c access.Client, method string, data []byte) (any, error) {
	ask := cmp.Or(g.config.Hooks.Methods[namespace.Name(method)], g.config.Hooks.RPC)
	if ask == nil {
		return nil, wire.ErrMethodNotFound
	}
	return ask.RPC(ctx, c, method, data)
}

var _ access.Authorizer = (*Gate)(nil)
