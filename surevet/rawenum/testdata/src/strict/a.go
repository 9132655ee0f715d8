package strict

import (
	"encoding/json"
	"log/slog"
	"time"
)

type Explicit int

const (
	X Explicit = 0
	Y Explicit = 1
	Z Explicit = 2
)

// Apart are values of a unit, not names.
type Apart int

const (
	Freezing Apart = 0
	Boiling  Apart = 100
	Melting  Apart = 1085
)

type State int

const (
	Idle State = iota
	Busy
)

type Event struct {
	Plain Explicit     // want `enum Explicit reaches`
	Day   time.Weekday // want `enum Weekday reaches`
	Apart Apart
	For   time.Duration
}

func encode(e Event) ([]byte, error) { return json.Marshal(e) }

func log(l *slog.Logger, s State) {
	slog.Info("x", "state", s)                     // want `slog's JSON handler writes State as a number: add MarshalText \(SW204\)`
	l.Warn("x", slog.Any("state", s), "name", "n") // want `slog's JSON handler writes State`
	slog.Info("x", "state", "busy")
}
