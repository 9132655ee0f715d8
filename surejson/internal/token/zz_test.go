package token

import (
	"strings"
	"testing"
	"time"
)

var sink []byte

func BenchmarkStr(b *testing.B) {
	for _, n := range []int{3, 4, 7, 8, 14, 27, 40, 63, 64, 100} {
		s := strings.Repeat("abcdefgh", 20)[:n]
		buf := make([]byte, 0, 1024)
		b.Run(string(rune('0'+n/100))+string(rune('0'+n/10%10))+string(rune('0'+n%10)), func(b *testing.B) {
			for b.Loop() {
				sink, _ = AppendString(buf, s, false)
			}
		})
	}
	s := strings.Repeat("line of output\n", 20)
	buf := make([]byte, 0, 1024)
	b.Run("lines", func(b *testing.B) {
		for b.Loop() {
			sink, _ = AppendString(buf, s, false)
		}
	})
	t := "Result number 4 of the search for \"sockets\""
	b.Run("title", func(b *testing.B) {
		for b.Loop() {
			sink, _ = AppendString(buf, t, false)
		}
	})
	for _, f := range []float64{0.75, 3, 0.5 + 1./7, 2.5 + 3./7} {
		b.Run("float", func(b *testing.B) {
			for b.Loop() {
				sink = AppendFloat(buf, f, 64)
			}
		})
	}
	var clock Clock
	when := time.Date(2026, 11, 22, 10, 0, 0, 123456000, time.UTC)
	b.Run("time", func(b *testing.B) {
		for b.Loop() {
			sink, _ = clock.Append(buf, when)
		}
	})
}
