//go:build race || purego

package surejson_test

// allocates says that the build allocates where others do not: the race
// detector lets pools forget at random, and reflection copies.
const allocates = true
