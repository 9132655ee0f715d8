//go:build !uncontained

// Package contain says whether values are contained: cycles, depth and size
// are watched, and methods guarded. They always are. The tag uncontained
// exists so that the benchmarks can measure what this costs.
package contain

// On says whether values are contained.
const On = true
