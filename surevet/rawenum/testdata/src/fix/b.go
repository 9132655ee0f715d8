package fix

import (
	"encoding/json"
	format "fmt"
)

// A Level has a hole and two names for one value, in a file that has fmt under another name.
type Level uint8

const (
	_ Level = iota
	Low
	High
	Highest = High
)

func (v Level) String() string {
	if v > High {
		return format.Sprintf("level %d", uint8(v))
	}
	return [...]string{"none", "low", "high"}[v]
}

func levels(m map[Level]bool, l []Level) {
	json.Marshal(m) // want `map key Level is written as a number`
	json.Marshal(l) // want `\[\]Level is written as base64`
}

// A Mode has a String that needs an address: MarshalText of a value cannot call it.
type Mode int

const (
	On Mode = iota
	Off
)

func (m *Mode) String() string { return "mode" }

func mode(m Mode) { json.Marshal(m) } // want `enum Mode reaches`
