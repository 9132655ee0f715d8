package main

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// A ConnState is the state of a connection: an integer with a name.
type ConnState int

// The states of a connection.
const (
	Connecting ConnState = iota
	Connected
	Closed
)

// String returns the name of s.
func (s ConnState) String() string {
	switch s {
	case Connecting:
		return "connecting"
	case Connected:
		return "connected"
	case Closed:
		return "closed"
	}
	return fmt.Sprintf("ConnState(%d)", int(s))
}

// A Session is what the backend tells the browser about a person's session. It
// is written as one writes Go, and each field but the ordinary ones is a trap.
type Session struct {
	ID string `json:"id"`
	//surewire:ignore SW201 a trap on purpose
	State  ConnState         `json:"state"`  // encoding/json writes a number
	Since  time.Time         `json:"since"`  // fine everywhere
	Labels map[string]string `json:"labels"` // nil: null everywhere
	//surewire:ignore SW303 a trap on purpose
	Err  error    `json:"err"`  // encoding/json writes {}
	Load float64  `json:"load"` // 0/0 so far: encoding/json fails
	Peer *Session `json:"peer"` // and back: encoding/json fails
	Tabs int      `json:"tabs"`
}

// newSession returns a session with everything wrong that can be.
func newSession() *Session {
	s := &Session{
		ID: "s-17", State: Connected, Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Err: errors.New("upstream closed the stream"), Load: math.NaN(), Tabs: 2,
	}
	s.Peer = s
	return s
}
