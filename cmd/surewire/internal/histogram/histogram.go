// Package histogram counts durations without keeping them.
package histogram

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// A Histogram counts durations in buckets of about 3 %. Its methods may be
// called concurrently.
type Histogram struct {
	buckets [64 << subBits]atomic.Int64
}

// subBits is how many bits below the highest tell buckets apart.
const subBits = 5

// Add counts d; less than 0 is 0.
func (h *Histogram) Add(d time.Duration) { h.buckets[bucket(uint64(max(d, 0)))].Add(1) }

func bucket(n uint64) int {
	if n < 1<<subBits {
		return int(n)
	}
	shift := bits.Len64(n) - subBits - 1
	return (shift+1)<<subBits + int(n>>shift)&(1<<subBits-1)
}

// upper is the largest number of a bucket.
func upper(i int) uint64 {
	if i < 1<<subBits {
		return uint64(i)
	}
	shift := i>>subBits - 1
	return (uint64(i&(1<<subBits-1)|1<<subBits)+1)<<shift - 1
}

// Quantile returns the least duration that q of all do not exceed, by the upper
// end of its bucket; 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	var total int64
	for i := range h.buckets {
		total += h.buckets[i].Load()
	}
	want, seen := int64(math.Ceil(q*float64(total))), int64(0)
	for i := range h.buckets {
		if seen += h.buckets[i].Load(); seen >= want && seen > 0 {
			return time.Duration(upper(i))
		}
	}
	return 0
}
