// Package presence is who reads a channel: here, and in the other processes that
// use the engine.
package presence

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"github.com/surewire/surewire"
)

// startTimeout bounds how long an engine may take to begin.
const startTimeout = 10 * time.Second

// A Keeper knows who reads a channel. Its methods may be called concurrently.
type Keeper struct {
	// Static after construction.
	others surewire.PresenceKeeper // nil: there is no other process
	here   func(channel string) map[string]surewire.ClientInfo
	logger *slog.Logger
	cancel func()
}

// Start returns a Keeper that asks here, and e if that is a
// [surewire.PresenceKeeper]. Other processes learn what here says until Stop.
func Start(e surewire.Engine, here func(channel string) map[string]surewire.ClientInfo, logger *slog.Logger) *Keeper {
	k := &Keeper{here: here, logger: logger, cancel: func() {}}
	others, ok := e.(surewire.PresenceKeeper)
	if !ok {
		return k
	}
	k.others = others
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if end, err := others.KeepPresence(ctx, here); err != nil {
		logger.Error("other processes do not learn who reads a channel here", "error", err)
	} else {
		k.cancel = end
	}
	return k
}

// Stop ends what Start began.
func (k *Keeper) Stop() { k.cancel() }

// All returns who reads channel, by connection ID. Where the others cannot be
// asked, that is logged, and it is who does here.
func (k *Keeper) All(ctx context.Context, channel string) map[string]surewire.ClientInfo {
	all := k.here(channel)
	if k.others == nil {
		return all
	}
	others, err := k.others.Presence(ctx, channel)
	if err != nil && ctx.Err() == nil {
		k.logger.LogAttrs(ctx, slog.LevelWarn, "presence has this process alone",
			slog.String("channel", channel), slog.String("error", err.Error()))
	}
	maps.Copy(all, others)
	return all
}
