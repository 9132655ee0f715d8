package hub

import "github.com/surewire/surewire/hub/internal/link"

// A State is where a connection is in its life. It travels by name.
type State uint8

// States of a connection, in the order in which it passes them.
const (
	Connecting State = iota // accepted; its first command has not come
	Connected
	Draining // told to go; what it was sent before may still be on its way
	Closed
)

// String returns the state in lower case.
func (s State) String() string {
	if names := [...]string{"connecting", "connected", "draining", "closed"}; int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// MarshalText implements [encoding.TextMarshaler], so that other encoders than
// surejson write the name too.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// stateOf is the state of a connection whose link is in state s.
func stateOf(s link.State, ready bool) State {
	switch {
	case s == link.Closed:
		return Closed
	case s == link.Draining:
		return Draining
	case ready:
		return Connected
	}
	return Connecting
}
