// Package report writes what was measured as Markdown.
package report

import "slices"

// A Sample is one measurement of one server. What does not apply is 0.
type Sample struct {
	Round int

	Units uint64 // what the following is per: deliveries, connections or publications

	CPU    float64 // microseconds of the server's process, user and system time
	User   float64 // the user part of CPU
	Allocs float64 // times that its heap was asked

	Seconds float64 // how long it took, all units together
	Wire    float64 // bytes that a delivery had on the wire
	Joined  float64 // deliveries that came by one read of a client
	P50     float64 // milliseconds from when a message was due to when a client had read it
	P99     float64

	Memory     float64 // bytes of the process, without what the kernel keeps for sockets
	Heap       float64 // bytes of objects, of Memory
	Stacks     float64 // bytes of goroutines' stacks, of Memory
	Goroutines float64
}

// A Key says what a Sample is of.
type Key struct{ Subject, Step string }

// A metric is one of a Sample's figures.
type metric func(Sample) float64

func cpu(s Sample) float64        { return s.CPU }
func user(s Sample) float64       { return s.User }
func allocs(s Sample) float64     { return s.Allocs }
func seconds(s Sample) float64    { return s.Seconds }
func wire(s Sample) float64       { return s.Wire }
func joined(s Sample) float64     { return s.Joined }
func p50(s Sample) float64        { return s.P50 }
func p99(s Sample) float64        { return s.P99 }
func memory(s Sample) float64     { return s.Memory }
func heap(s Sample) float64       { return s.Heap }
func stacks(s Sample) float64     { return s.Stacks }
func goroutines(s Sample) float64 { return s.Goroutines }

// rate is units a second.
func rate(s Sample) float64 { return float64(s.Units) / s.Seconds }

// String tells of the Sample what matters most, for somebody who waits.
func (s Sample) String() string {
	if s.Memory > 0 {
		return whole(s.Memory) + " B"
	}
	return small(s.CPU) + " µs"
}

// median returns the middle of what the rounds have, between two their mean,
// and 0 for none.
func median(samples []Sample, m metric) float64 {
	return middle(values(samples, m))
}

func middle(list []float64) float64 {
	slices.Sort(list)
	n := len(list)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return list[n/2]
	}
	return (list[n/2-1] + list[n/2]) / 2
}

// medianRatio returns the median of the rounds' ratios: what disturbs a round
// disturbs both.
func medianRatio(samples, base []Sample, m metric) float64 {
	var ratios []float64
	for _, s := range samples {
		for _, b := range base {
			if s.Round == b.Round && m(b) > 0 {
				ratios = append(ratios, m(s)/m(b))
			}
		}
	}
	return middle(ratios)
}

func values(samples []Sample, m metric) []float64 {
	list := make([]float64, len(samples))
	for i, s := range samples {
		list[i] = m(s)
	}
	return list
}
