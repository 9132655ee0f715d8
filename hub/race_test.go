//go:build race

package hub_test

// The race detector costs five to ten times the time.
const schedules = 400
