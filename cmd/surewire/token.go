package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/surewire/surewire/auth"
	"github.com/surewire/surewire/cmd/surewire/internal/config"
)

type tokenCmd struct {
	Secret   config.Secret `required:"" placeholder:"SECRET" env:"SUREWIRE_TOKEN_SECRET" help:"Secret of at least 32 bytes that the server has too. @FILE reads it from a file."`
	User     string        `help:"Whom the token is for (sub). Empty for somebody without a name."`
	Channel  string        `help:"Make a subscription token, for this channel."`
	Channels []string      `help:"Channels that a connection reads without asking."`
	TTL      time.Duration `name:"ttl" default:"1h" help:"How long the token is good."`
	ID       string        `name:"id" help:"Its ID (jti), by which it can be revoked. Empty for a random one."`
	Info     string        `placeholder:"JSON" help:"What others may see of the client, as JSON."`
	Audience string        `env:"SUREWIRE_TOKEN_AUDIENCE" help:"Whom it is for (aud)."`
	Issuer   string        `env:"SUREWIRE_TOKEN_ISSUER" help:"Whose it is (iss)."`
}

// Help is shown by --help.
func (*tokenCmd) Help() string {
	return `A connection token says who a client is; a subscription token, that it may read a channel.

  surewire token --secret @secret.txt --user 42
  surewire token --secret @secret.txt --user 42 --channel run:7 --ttl 10m

The secret is any 32 random bytes or more, such as: head -c 32 /dev/urandom | base64 > secret.txt`
}

// Run prints the token.
func (c *tokenCmd) Run(out io.Writer) error {
	if c.Info != "" && !json.Valid([]byte(c.Info)) {
		return fmt.Errorf("--info %q is not JSON", c.Info)
	}
	if c.Channel != "" && len(c.Channels) > 0 {
		return fmt.Errorf("--channel makes a subscription token, and --channels are of a connection: use one of them")
	}
	if c.TTL <= 0 {
		return fmt.Errorf("--ttl %v: a token is good for longer than that", c.TTL)
	}
	s, err := auth.NewSigner(auth.SignerConfig{Secret: c.Secret.Secret, Audience: c.Audience, Issuer: c.Issuer})
	if err != nil {
		return err
	}
	t := auth.Token{User: c.User, ID: c.ID, ValidUntil: time.Now().Add(c.TTL)}
	var info json.RawMessage
	if c.Info != "" {
		info = json.RawMessage(c.Info)
	}
	var token string
	if c.Channel != "" {
		token, err = s.Subscription(auth.Subscription{Token: t, Channel: c.Channel, Options: auth.Options{Info: info}})
	} else {
		subs := make(map[string]auth.Options, len(c.Channels))
		for _, channel := range c.Channels {
			subs[channel] = auth.Options{}
		}
		token, err = s.Connection(auth.Connection{Token: t, Info: info, Subs: subs})
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(out, token)
	return nil
}
