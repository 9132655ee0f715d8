package server

import "fmt"

// A State is where a server is in its life. It travels by name.
type State uint8

// States of a server, in the order in which it passes them.
const (
	Serving  State = iota
	Draining       // Shutdown has begun: no connections are opened, and those that are open end
	Stopped        // Shutdown has returned
)

var states = [...]string{"serving", "draining", "stopped"}

// String returns the state in lower case.
func (s State) String() string {
	if int(s) < len(states) {
		return states[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// MarshalText implements [encoding.TextMarshaler].
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// State returns where the server is in its life.
func (s *Server) State() State { return State(s.state.Load()) }
