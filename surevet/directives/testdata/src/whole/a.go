//surewire:ignore SW201 this package speaks a protocol of numbers
package whole

import "encoding/json"

type State int

const (
	Idle State = iota
	Busy
)

func encode(s State) ([]byte, error) { return json.Marshal(s) }
