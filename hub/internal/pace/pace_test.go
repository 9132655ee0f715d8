package pace

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire/limit"
)

func TestPacer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		user := func(name string) func() string { return func() string { return name } }
		l := &Limits{Conn: limit.Rate{PerSecond: 10, Burst: 3}, User: limit.Rate{PerSecond: 10, Burst: 4}}
		var a, b, c Pacer
		want := func(p *Pacer, name string, verdicts ...Verdict) {
			t.Helper()
			for i, v := range verdicts {
				if got := p.Take(l, user(name)); got != v {
					t.Fatalf("command %d: verdict %d, want %d", i, got, v)
				}
			}
		}
		want(&a, "ada", Go, Go, Go, First, Wait)
		want(&b, "ada", Go, First) // the fourth of ada's
		want(&c, "", Go, Go, Go, First)
		time.Sleep(100 * time.Millisecond)
		want(&a, "ada", Go, First)
		for range maxExcess - 1 {
			want(&a, "ada", Wait)
		}
		want(&a, "ada", Hangup)
		if l.Refused() != maxExcess+5 {
			t.Errorf("%d commands were refused", l.Refused())
		}
		var free Limits
		for range 1000 {
			if c.Take(&free, user("")) != Go {
				t.Fatal("no limit limits")
			}
		}
	})
}
