package config

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"address", "drain", "ping-interval", "log-level"}
	for name, want := range map[string]string{"adress": "address", "drian": "drain", "pinginterval": "ping-interval", "loglevel": "log-level"} {
		if got := nearest(name, known); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
