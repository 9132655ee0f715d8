//go:build !purego

package vector

import "math"

// Least is the length of the shortest text that [Copy] takes: one block and
// the three bytes that the next one looks back on.
var Least = least()

func least() int {
	if hasAVX2() {
		return 32 + 3
	}
	return math.MaxInt
}

// hasAVX2 reports whether the processor has AVX2 and the system saves its
// registers.
func hasAVX2() bool

//go:noescape
func copyBlocks(dst []byte, s string, html bool, escapes *Escapes) (read, written int)
