//go:build !race

package hub_test

// schedules is how many random schedules a test runs.
const schedules = 2400
