//go:build race

package hook

// The race detector bears 8128 goroutines.
func init() { crowd = 4000 }
