package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/auth"
	"github.com/surewire/surewire/namespace"
	"github.com/surewire/surewire/wire"
)

// Known returns nil if channel is of a namespace, else an error that wraps
// [surewire.ErrUnknownChannel].
func (g *Gate) Known(channel string) error {
	if _, ok := g.config.Namespaces.Of(channel); !ok {
		return unknown(channel)
	}
	return nil
}

func unknown(channel string) error {
	if name := namespace.Name(channel); name != "" {
		return fmt.Errorf("%w: there is no namespace %q", surewire.ErrUnknownChannel, name)
	}
	return fmt.Errorf("%w: no namespace is configured for channels without one", surewire.ErrUnknownChannel)
}

// Prepare holds publications to their namespace, whoever published: it is for
// [surewire.Publisher].
func (g *Gate) Prepare(_ context.Context, channel string, p *surewire.Publication) error {
	n, ok := g.config.Namespaces.Of(channel)
	if !ok {
		return unknown(channel)
	}
	if n.MaxPublication > 0 && len(p.Data) > n.MaxPublication {
		return fmt.Errorf("%w: %d bytes of JSON are more than the %d of its namespace", surewire.ErrTooLarge, len(p.Data), n.MaxPublication)
	}
	if schema := g.config.Schemas[namespace.Name(channel)]; schema != nil {
		if err := schema.Check(p.Data); err != nil {
			return fmt.Errorf("%w: %w", surewire.ErrInvalid, err)
		}
	}
	p.Ephemeral = p.Ephemeral || n.Ephemeral
	return nil
}

// refused logs what is wrong with a token, and returns what its client is told.
func (g *Gate) refused(ctx context.Context, c access.Client, err error) error {
	told, level := error(surewire.DisconnectInvalidToken), slog.LevelInfo
	switch {
	case errors.Is(err, auth.ErrExpired):
		told, level = wire.ErrTokenExpired, slog.LevelDebug // a new one will come
	case errors.Is(err, auth.ErrUnavailable):
		told, level = wire.ErrInternal, slog.LevelWarn
	}
	g.config.Logger.LogAttrs(ctx, level, "token refused", slog.String("client", c.ID), slog.String("reason", err.Error()))
	return told
}
