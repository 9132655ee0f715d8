// Package measure takes times and allocations of a function, and tells of
// many what is typical of them.
package measure

import (
	"runtime"
	"slices"
	"time"
)

// A Sample is one measurement: what one call took, on average.
type Sample struct {
	NS     float64 `json:"ns"`
	Bytes  float64 `json:"bytes"`  // allocated on the heap
	Allocs float64 `json:"allocs"` // times that the heap was asked
}

// batch is how long calls are made without a look at the clock.
const batch = time.Millisecond

// Run calls f for about as long as budget.
func Run(f func() ([]byte, error), budget time.Duration) (Sample, error) {
	// What others left behind is collected now, not on the time of f.
	runtime.GC()
	for range 2 {
		if _, err := f(); err != nil {
			return Sample{}, err
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	calls, size := 0, 1
	start := time.Now()
	for spent := time.Duration(0); spent < budget; {
		for range size {
			if _, err := f(); err != nil {
				return Sample{}, err
			}
		}
		calls += size
		now := time.Since(start)
		if now-spent < batch {
			size *= 2
		}
		spent = now
	}
	total := time.Since(start)
	runtime.ReadMemStats(&after)
	n := float64(calls)
	return Sample{
		NS:     float64(total.Nanoseconds()) / n,
		Bytes:  float64(after.TotalAlloc-before.TotalAlloc) / n,
		Allocs: float64(after.Mallocs-before.Mallocs) / n,
	}, nil
}

// A Summary tells of many samples what is typical: medians, since a machine
// that does something else makes a sample slow and never fast, and the spread.
type Summary struct {
	Rounds        int
	NS, Min, Max  float64
	Bytes, Allocs float64
}

// Summarize returns the zero Summary for no samples.
func Summarize(samples []Sample) Summary {
	if len(samples) == 0 {
		return Summary{}
	}
	each := func(get func(Sample) float64) []float64 {
		list := make([]float64, len(samples))
		for i, s := range samples {
			list[i] = get(s)
		}
		return list
	}
	ns := each(func(s Sample) float64 { return s.NS })
	return Summary{
		Rounds: len(samples),
		NS:     Median(ns), Min: slices.Min(ns), Max: slices.Max(ns),
		Bytes:  Median(each(func(s Sample) float64 { return s.Bytes })),
		Allocs: Median(each(func(s Sample) float64 { return s.Allocs })),
	}
}

// Median returns the middle of list, between two their mean, and 0 for none.
func Median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}
