package surejson_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/surewire/surewire/surejson"
)

// BenchmarkHandler compares with slog.JSONHandler, on records that both write,
// and on one that only a Handler writes well.
func BenchmarkHandler(b *testing.B) {
	common := []slog.Attr{slog.String("service", "gateway"), slog.String("host", "node-7"), slog.Int("pid", 4242)}
	event := map[string]any{"type": "agent_thinking", "payload": map[string]any{"thought": "Looking at the last answers", "progress": 0.75, "step": 3}}
	for _, c := range []struct {
		name  string
		attrs []slog.Attr
	}{
		{"none", nil},
		{"five", []slog.Attr{slog.String("method", "GET"), slog.String("path", "/connection/websocket"), slog.Int("status", 101), slog.Duration("took", 1500*time.Microsecond), slog.Bool("tls", true)}},
		{"group", []slog.Attr{slog.Group("request", slog.String("method", "GET"), slog.Group("peer", slog.String("address", "192.0.2.1"), slog.Int("port", 1234))), slog.Time("at", at)}},
		{"error", []slog.Attr{slog.Any("err", errors.New("out of disk")), slog.Float64("load", 0.75)}},
		{"map", []slog.Attr{slog.Any("event", event)}},
		{"repair", []slog.Attr{slog.Float64("load", math.NaN())}},
	} {
		r := slog.NewRecord(at, slog.LevelInfo, "connection accepted", 0)
		r.AddAttrs(c.attrs...)
		for _, h := range []struct {
			name    string
			handler slog.Handler
		}{{"surejson", surejson.NewHandler(io.Discard, nil)}, {"slog", slog.NewJSONHandler(io.Discard, nil)}} {
			handler := h.handler.WithAttrs(common)
			b.Run(c.name+"/"+h.name, func(b *testing.B) {
				b.ReportAllocs()
				ctx := context.Background()
				for b.Loop() {
					handler.Handle(ctx, r)
				}
			})
		}
	}
}
