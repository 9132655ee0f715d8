//go:build !race

package surejson_test

// raced says that the race detector is on: it lets pools forget at random.
const raced = false
