package natsengine_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/enginetest"
	"github.com/surewire/surewire/natsembed"
	"github.com/surewire/surewire/natsengine"
)

// embedded is an engine with a server of its own, closed together.
type embedded struct {
	*natsengine.Engine
	server *natsembed.Server
}

func (e *embedded) Close(ctx context.Context) error {
	err := e.Engine.Close(ctx)
	e.server.Close(ctx)
	return err
}

// start opens an engine on the store in dir.
func start(t testing.TB, dir string, c natsengine.Config) *embedded {
	t.Helper()
	c.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	server, err := natsembed.Start(natsembed.Config{Dir: dir, MinFree: -1, Logger: c.Logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(context.Background()) })
	c.InProcess, c.Guard, c.Generation = server, server.Healthy, server.Generation()
	e, err := natsengine.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(context.Background()) })
	return &embedded{e, server}
}

// bounds returns a configuration with what the kit asks for.
func bounds(b enginetest.Bounds) natsengine.Config {
	return natsengine.Config{
		MaxSize: b.MaxSize,
		Profile: func(string) natsengine.Profile { return natsengine.Profile{Retention: b.Retention} },
	}
}

func TestContract(t *testing.T) {
	enginetest.Run(t, func(t *testing.T) surewire.Engine { return start(t, t.TempDir(), natsengine.Config{}) })
	t.Run("Bounded", func(t *testing.T) {
		enginetest.RunBounded(t, func(t *testing.T, b enginetest.Bounds) surewire.Engine { return start(t, t.TempDir(), bounds(b)) })
	})
	t.Run("Durable", func(t *testing.T) {
		enginetest.RunDurable(t, func(t *testing.T, dir string, b enginetest.Bounds) surewire.Engine { return start(t, dir, bounds(b)) })
	})
}

// BenchmarkPublish publishes where nobody listens.
func BenchmarkPublish(b *testing.B) {
	for _, publishers := range []int{1, 64} {
		b.Run(fmt.Sprint("publishers=", publishers), func(b *testing.B) {
			e := start(b, b.TempDir(), natsengine.Config{})
			names := names("c:", 1000)
			p := surewire.Publication{Data: bytes.Repeat([]byte("7"), 256)}
			b.ReportAllocs()
			b.SetParallelism(publishers)
			var n atomic.Int64
			publish := func() {
				if _, err := e.Publish(b.Context(), names[n.Add(1)%1000], p); err != nil {
					b.Error(err)
				}
			}
			if publishers == 1 {
				for b.Loop() {
					publish()
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					publish()
				}
			})
		})
	}
}
