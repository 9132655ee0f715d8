package herald

import (
	"sync"
	"testing"
)

// Whatever the order, who hears of a join hears of one leave, after it.
func TestHerald(t *testing.T) {
	for range 2000 {
		var h Herald
		var mu sync.Mutex
		var said string
		say := func(what string) func() { return func() { mu.Lock(); said += what; mu.Unlock() } }
		var all sync.WaitGroup
		all.Go(func() { h.Join(say("j"), say("l")) })
		for range 2 {
			all.Go(func() {
				if news, tell := h.Leave(); news && tell {
					say("l")()
				}
			})
		}
		all.Wait()
		if said != "" && said != "jl" {
			t.Fatalf("others heard %q", said)
		}
	}
	var h Herald
	h.Join(func() {}, func() { t.Error("who stays is said to leave") })
	h.Join(func() { t.Error("a second join is told") }, func() {})
	if news, tell := h.Leave(); !news || !tell {
		t.Error("a leave is not told")
	}
	if news, _ := h.Leave(); news {
		t.Error("a second leave is news")
	}
}
