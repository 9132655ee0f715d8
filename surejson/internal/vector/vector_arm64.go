//go:build !purego

package vector

// Least is the length of the shortest text that [Copy] takes: one block and
// the three bytes that the next one looks back on. Every arm64 processor that
// Go runs on has NEON.
const Least = 16 + 3
