package main

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/surewire/surewire/auth"
	"github.com/surewire/surewire/cmd/surewire/internal/config"
	"github.com/surewire/surewire/gate"
	"github.com/surewire/surewire/hook"
	"github.com/surewire/surewire/namespace"
	"github.com/surewire/surewire/schema"
)

// accessFlags say who may do what.
type accessFlags struct {
	Anonymous  bool              `env:"ANONYMOUS" help:"Let clients without a token in, without a name. Namespaces say what they may."`
	Namespaces config.Namespaces `placeholder:"YAML" env:"NAMESPACES" help:"What clients may do in channels, by the part of their names before the first colon: {chat: {subscribe: user, publish: subscriber}}. Write them in the file; docs/configuration.md has all options."`
	APIKey     config.Secret     `name:"api-key" placeholder:"KEY" env:"API_KEY" help:"Key that backends send to the HTTP API as X-API-Key. Without one the API answers nobody. In place of a secret, @FILE reads it from a file."`
	Tickets    bool              `env:"TICKETS" help:"Accept tickets, which POST /api/ticket gives out for a token: they are good for one connection, within a minute."`

	Token tokenFlags `embed:"" prefix:"token-" envprefix:"TOKEN_"`
	Hook  hookFlags  `embed:"" prefix:"hook-" envprefix:"HOOK_"`
}

// tokenFlags say which tokens are good.
type tokenFlags struct {
	Secret      config.Secret `placeholder:"SECRET" env:"SECRET" help:"Secret of at least 32 bytes that HMAC tokens are signed with. @FILE reads it from a file."`
	OldSecret   config.Secret `placeholder:"SECRET" env:"OLD_SECRET" help:"Secret of tokens from before --token-secret was changed, which are still good."`
	PublicKeys  []string      `placeholder:"FILE" env:"PUBLIC_KEYS" help:"Files with public keys, in PEM, of RSA, ECDSA or Ed25519 tokens."`
	JWKSURL     string        `name:"jwks-url" placeholder:"URL" env:"JWKS_URL" help:"Where the issuer of tokens publishes its keys."`
	Audience    string        `env:"AUDIENCE" help:"Whom tokens must be for (aud). Empty for anybody."`
	Issuer      string        `env:"ISSUER" help:"Whose tokens must be (iss). Empty for anybody's."`
	MaxLifetime time.Duration `default:"720h" env:"MAX_LIFETIME" help:"How long a token may be valid at most."`
}

// hookFlags say which backends are asked.
type hookFlags struct {
	Connect     string        `placeholder:"URL" env:"CONNECT" help:"Backend that is asked who a client without a token is."`
	Refresh     string        `placeholder:"URL" env:"REFRESH" help:"Backend that is asked whether such a client may stay; empty for that of --hook-connect."`
	RPC         string        `name:"rpc" placeholder:"URL" env:"RPC" help:"Backend that answers the calls of clients. Namespaces may have one of their own."`
	Message     string        `placeholder:"URL" env:"MESSAGE" help:"Backend that gets what clients send."`
	Secret      config.Secret `placeholder:"SECRET" env:"SECRET" help:"Signs the requests to backends. @FILE reads it from a file."`
	Timeout     time.Duration `default:"4s" env:"TIMEOUT" help:"How long a backend may take, with all attempts."`
	RestFor     time.Duration `default:"30s" env:"REST_FOR" help:"How long a backend is left alone that failed five times in a row."`
	PassHeaders []string      `placeholder:"NAME" env:"PASS_HEADERS" help:"Headers of the client's HTTP request that connect hooks see, such as Cookie."`
}

// A rules is who may do what, as configured, and what must be closed of it.
type rules struct {
	gate        *gate.Gate
	revocations *auth.Revocations
	close       []func()
}

// Close ends what the rules keep running: the fetching of keys, and calls of
// backends.
func (r *rules) Close() {
	for _, f := range slices.Backward(r.close) {
		f()
	}
}

// rules returns who may do what, or what is wrong with the configuration. wrap is
// put around what backends are asked by; it may be nil.
func (a *accessFlags) rules(logger *slog.Logger, wrap func(http.RoundTripper) http.RoundTripper) (r *rules, err error) {
	r = &rules{revocations: auth.NewRevocations(auth.RevocationsConfig{Lifetime: a.Token.MaxLifetime})}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if err := a.check(); err != nil {
		return r, err
	}
	c := gate.Config{
		Namespaces: namespace.Set(a.Namespaces), Revocations: r.revocations, Anonymous: a.Anonymous, Logger: logger,
		Schemas: make(map[string]gate.Schema),
	}
	if c.Tokens, err = a.Token.verifier(r.revocations, logger); err != nil {
		return r, err
	}
	if c.Tokens != nil {
		r.close = append(r.close, c.Tokens.Close)
	}
	if a.Tickets {
		c.Tickets = auth.NewTickets(auth.TicketsConfig{})
	}
	for name, o := range a.Namespaces {
		if o.Schema == "" {
			continue
		}
		s, err := schema.Load(o.Schema)
		if err != nil {
			return r, fmt.Errorf("namespace %q: schema: %w", name, err)
		}
		c.Schemas[name] = s
	}
	if c.Hooks, err = a.hooks(r, logger, wrap); err != nil {
		return r, err
	}
	r.gate, err = gate.New(c)
	return r, err
}

// check names what is missing for anybody to do anything.
func (a *accessFlags) check() error {
	var missing []error
	if !a.Anonymous && !a.Token.any() && a.Hook.Connect == "" {
		missing = append(missing, errors.New("nobody could connect: set --token-secret, --token-public-keys or --token-jwks-url for clients with tokens, --hook-connect to ask your backend, or --anonymous"))
	}
	if a.Hook.Refresh != "" && a.Hook.Connect == "" {
		missing = append(missing, errors.New("--hook-refresh: it is asked about clients that --hook-connect has let in, which is not set"))
	}
	if len(a.Namespaces) == 0 {
		missing = append(missing, errors.New(`there are no channels: write namespaces into surewire.yaml, such as "namespaces: {chat: {subscribe: user}}"`))
	}
	if a.Tickets && !a.Token.any() {
		missing = append(missing, errors.New("--tickets: a ticket stands for a token, and no key is configured to check one with"))
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%w\n(to try Surewire on this machine: surewire serve --dev)", errors.Join(missing...))
}

func (t *tokenFlags) any() bool {
	return len(t.Secret.Secret) > 0 || len(t.PublicKeys) > 0 || t.JWKSURL != ""
}

// verifier returns nil where no key is configured.
func (t *tokenFlags) verifier(revoked *auth.Revocations, logger *slog.Logger) (*auth.Verifier, error) {
	if !t.any() {
		return nil, nil
	}
	c := auth.Config{
		Audience: t.Audience, Issuer: t.Issuer, MaxLifetime: t.MaxLifetime, Revocations: revoked, Log: logger,
		JWKS: auth.JWKS{URL: t.JWKSURL},
	}
	for _, s := range []config.Secret{t.Secret, t.OldSecret} {
		if len(s.Secret) > 0 {
			c.Keys = append(c.Keys, auth.Key{Secret: s.Secret})
		}
	}
	for _, name := range t.PublicKeys {
		pem, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("--token-public-keys: %w", err)
		}
		c.Keys = append(c.Keys, auth.Key{PEM: pem})
	}
	return auth.New(c)
}

// hooks returns the backends that are asked: one client for each URL, so that
// they share a breaker.
func (a *accessFlags) hooks(r *rules, logger *slog.Logger, wrap func(http.RoundTripper) http.RoundTripper) (h gate.Hooks, err error) {
	clients := make(map[string]*hook.Client)
	client := func(name, url string) *hook.Client {
		if url == "" || err != nil {
			return nil
		}
		if clients[url] == nil {
			var made *hook.Client
			made, err = hook.New(hook.Config{
				URL: url, Timeout: a.Hook.Timeout, OpenFor: a.Hook.RestFor, Secret: hook.Secret(a.Hook.Secret.Secret), PassHeaders: a.Hook.PassHeaders,
				Defaults: gate.Defaults(namespace.Set(a.Namespaces)), Wrap: wrap, Logger: logger,
			})
			if err != nil {
				err = fmt.Errorf("%s: %w", name, err)
				return nil
			}
			clients[url], r.close = made, append(r.close, made.Close)
		}
		return clients[url]
	}
	h = gate.Hooks{
		Connect: client("--hook-connect", a.Hook.Connect), Refresh: client("--hook-refresh", a.Hook.Refresh),
		RPC: client("--hook-rpc", a.Hook.RPC), Message: client("--hook-message", a.Hook.Message),
		Subscribe: make(map[string]*hook.Client), Publish: make(map[string]*hook.Client), Methods: make(map[string]*hook.Client),
	}
	for _, name := range slices.Sorted(maps.Keys(a.Namespaces)) {
		o := a.Namespaces[name]
		for _, k := range []struct {
			option, url string
			of          map[string]*hook.Client
		}{{"subscribe_hook", o.SubscribeHook, h.Subscribe}, {"publish_hook", o.PublishHook, h.Publish}, {"rpc_hook", o.RPCHook, h.Methods}} {
			if c := client(fmt.Sprintf("namespace %q: %s", name, k.option), k.url); c != nil {
				k.of[name] = c
			}
		}
	}
	return h, err
}
