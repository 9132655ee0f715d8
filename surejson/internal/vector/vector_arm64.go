//go:build !purego

package vector

// Least is the length of the shortest text that [Copy] takes: one block and
// the three bytes that the next one looks back on. Every arm64 processor that
// Go runs on has NEON.
const Least = 16 + 3

// copyBlocks leaves the escapes to others.
func copyBlocks(dst []byte, s string, html bool, _ *Escapes) (read, written int) {
	n := copyStanding(dst, s, html)
	return n, n
}

//go:noescape
func copyStanding(dst []byte, s string, html bool) int
