package memengine

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A ring behaves as a slice, whatever is done to it.
func TestRing(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var r ring[int]
		var want []int
		limit, next := 1+rng.IntN(40), 0
		for range 500 {
			switch op := rng.IntN(10); {
			case op < 6 && len(want) < limit:
				next++
				r.push(next, limit)
				want = append(want, next)
			case op < 9 && len(want) > 0:
				if got := r.pop(); got != want[0] {
					t.Fatalf("popped %d, want %d", got, want[0])
				}
				want = want[1:]
			case op == 9:
				r.trim()
				if len(r.buf) > max(4*r.n, 1) {
					t.Fatalf("trimmed to %d for %d elements", len(r.buf), r.n)
				}
			}
			from := rng.IntN(r.n + 2)
			got := make([]int, rng.IntN(limit+1))
			n := min(len(got), max(r.n-from, 0))
			r.copyTo(got, from)
			if r.n != len(want) || len(r.buf) > limit || n > 0 && !slices.Equal(got[:n], want[from:from+n]) {
				t.Fatalf("seed %d: %v from %d of %+v, want %v", seed, got[:n], from, r, want)
			}
		}
	}
}

// What is gone must not be held: the elements are pointers.
func TestRingLetsGo(t *testing.T) {
	var r ring[*int]
	for range 5 {
		r.push(new(int), 8)
	}
	for range 3 {
		r.pop()
	}
	held := 0
	for _, p := range r.buf {
		if p != nil {
			held++
		}
	}
	if held != 2 {
		t.Errorf("%d elements are held, want 2", held)
	}
}
