package term

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const grace = 10 * time.Second
		m, now := Maker{grace}, time.Now()
		end := now.Add(time.Minute)
		plain, renewed, never := m.New(end, false), m.New(end, true), m.New(time.Time{}, true)
		for _, c := range []struct {
			name string
			t    Term
			ttl  time.Duration
			due  time.Time
		}{{"plain", plain, time.Minute, end.Add(grace)}, {"renewed", renewed, 0, end}, {"never", never, 0, time.Time{}}} {
			if got := c.t.TTL(); got != c.ttl {
				t.Errorf("%s: the client is told %v, want %v", c.name, got, c.ttl)
			}
			if got := c.t.Next(time.Time{}); !got.Equal(c.due) {
				t.Errorf("%s: due at %v, want %v", c.name, got, c.due)
			}
			if c.t.Due(c.due.Add(-1)) && !c.due.IsZero() || c.t.Due(c.due) == c.due.IsZero() {
				t.Errorf("%s: due too early or never", c.name)
			}
		}
		if early := now.Add(time.Second); plain.Next(early) != early || never.Next(early) != early || renewed.Next(end.Add(1)) != end {
			t.Error("Next is not the earlier time")
		}
		time.Sleep(2 * time.Minute)
		if plain.TTL() != time.Second {
			t.Errorf("after its end the client is told %v", plain.TTL())
		}
	})
}

// One that cannot be renewed is tried within the grace, and then ends.
func TestAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, end := Maker{10 * time.Second}, time.Now()
		x, tries := m.New(end, true), 0
		for ; x.Renews; tries++ {
			x.Begin()
			if x.Due(time.Now().Add(time.Hour)) {
				t.Fatal("it is due while it is being renewed")
			}
			m.Again(&x)
			time.Sleep(time.Until(x.Next(time.Time{})))
		}
		if over := time.Since(end); tries != 4 || over > 13*time.Second || !x.Due(time.Now()) {
			t.Errorf("%d tries, and an end %v after the time", tries, over)
		}
	})
}
