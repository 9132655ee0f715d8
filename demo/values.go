package demo

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// A ConnState is the state of a connection: an enum as every backend has one,
// an integer in memory and a name to people.
type ConnState int

// The states a connection goes through, in order.
const (
	Connecting ConnState = iota
	Connected
	Draining
	Closed
)

// String returns the name of s.
func (s ConnState) String() string {
	names := [...]string{"connecting", "connected", "draining", "closed"}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("ConnState(%d)", int(s))
	}
	return names[s]
}

// A Peer points at the next peer, and may point back.
type Peer struct {
	Name string `json:"name"`
	Next *Peer  `json:"next,omitempty"`
}

// A Bomb is a value whose encoding panics, as a method on a half-built value does.
type Bomb struct{}

// MarshalJSON implements json.Marshaler by panicking.
func (Bomb) MarshalJSON() ([]byte, error) { panic("the marshaler blew up") }

// The functions below are the hostile values. The page shows their bodies as
// they stand here, see [snippet]; each has ordinary siblings beside what is
// hostile, so that one sees whether they survive.

func enumField() any {
	return struct {
		User  string    `json:"user"`
		State ConnState `json:"state"`
		Tabs  int       `json:"tabs"`
	}{"ada", Connected, 2}
}

func enumKey() any {
	return map[string]any{
		"room":     "lobby",
		"by_state": map[ConnState]int{Connected: 7, Draining: 1},
		"total":    8,
	}
}

func notNumbers() any {
	return map[string]any{
		"sensor": "t-17",
		"mean":   math.NaN(),
		"max":    math.Inf(+1),
		"count":  0,
	}
}

func cycle() any {
	ada := &Peer{Name: "ada"}
	ada.Next = &Peer{Name: "bob", Next: ada}
	return map[string]any{"peers": ada, "online": true}
}

func channels() any {
	return map[string]any{
		"job":    "import",
		"done":   make(chan struct{}),
		"cancel": func() {},
		"rows":   1250,
	}
}

func errorValue() any {
	return map[string]any{
		"step":  "fetch",
		"error": errors.New("upstream closed the stream"),
		"tries": 3,
	}
}

func panicking() any {
	return map[string]any{
		"before":  "fine",
		"payload": Bomb{},
		"zafter":  []int{1, 2, 3},
	}
}

func bigInteger() any {
	return map[string]any{
		"order": uint64(1) << 63,
		"next":  uint64(1)<<63 + 1,
		"lines": 4,
	}
}

func everything() any {
	ring := &Peer{Name: "ada"}
	ring.Next = ring
	return struct {
		User    string            `json:"user"`
		State   ConnState         `json:"state"`
		Rooms   map[ConnState]int `json:"rooms"`
		Load    []float64         `json:"load"`
		Ring    *Peer             `json:"ring"`
		Done    chan int          `json:"done"`
		Retry   func()            `json:"retry"`
		Err     error             `json:"err"`
		Payload Bomb              `json:"payload"`
		ID      uint64            `json:"id"`
		Since   time.Time         `json:"since"`
		Note    string            `json:"note"`
	}{
		User: "ada", State: Connected, Rooms: map[ConnState]int{Connecting: 2},
		Load: []float64{0.5, math.NaN(), math.Inf(-1), 0.25}, Ring: ring,
		Done: make(chan int), Retry: func() {}, Err: errors.New("no route to model"),
		ID: 1 << 63, Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Note: "still here",
	}
}
