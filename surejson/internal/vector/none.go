//go:build purego || (!amd64 && !arm64)

package vector

import "math"

// Least is the length of the shortest text that [Copy] takes: none is long
// enough.
const Least = math.MaxInt

// Copy is not called.
func Copy(dst []byte, s string, html bool, escapes *Escapes) (read, written int) { return 0, 0 }
