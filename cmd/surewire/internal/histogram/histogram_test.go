package histogram

import (
	"math"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	var h Histogram
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	for i := range 1000 {
		h.Add(time.Duration(i+1) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.001: 1, 0.5: 500, 0.99: 990, 1: 1000} {
		want *= time.Millisecond
		if got := h.Quantile(q); got < want || got > want+want/30 {
			t.Errorf("quantile %v is %v, want %v and at most 3 %% more", q, got, want)
		}
	}
	for _, n := range []uint64{0, 1, 31, 32, 33, 63, 64, 1000, 1 << 40, math.MaxInt64} {
		if i := bucket(n); upper(i) < n || i > 0 && upper(i-1) >= n {
			t.Errorf("%d is in bucket %d, from %d to %d", n, i, upper(i-1)+1, upper(i))
		}
	}
}
