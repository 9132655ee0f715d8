//go:build !goexperiment.jsonv2

package peer

// What this binary's encoding/json runs on: its own, classic engine.
const (
	Experiment   = false
	engineSuffix = ""
	engineNote   = ""
)

func stdv2() []Encoder { return nil }
