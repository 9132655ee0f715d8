package fix

import "encoding/json"

type State int

const (
	Idle State = iota
	Busy
)

func (s State) String() string { return [...]string{"idle", "busy"}[s] }

type Event struct {
	State State // want `enum State reaches`
}

func encode(e Event) ([]byte, error) { return json.Marshal(e) }
