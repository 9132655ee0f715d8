package a

import "encoding/json"

type State int

const (
	Idle State = iota
	Busy
)

type Event struct {
	A State //surewire:ignore SW201 the client has the table
	//surewire:ignore SW201 the client has the table
	B State
	//surewire:ignore SW201 // want `surewire:ignore needs a reason \(SW001\)`
	C State
	D State //nolint:surewire // the client has the table
}

func encode(e Event) ([]byte, error) { return json.Marshal(e) }

func lines(s State) {
	//surewire:ignore SW201 the client has the table
	json.Marshal(s)
	//surewire:ignore SW301,SW201 the client has the table
	json.Marshal(
		s,
	)
	json.Marshal(s) //surewire:ignore SW201 the client has the table
	//surewire:ignore SW303 there is no error // want `surewire:ignore suppresses nothing \(SW001\)`
	json.Marshal("s")
	//surewire:ignore SW999 whatever // want `there is no rule SW999`
	json.Marshal("s")
	//surewire:ignore // want `surewire:ignore needs a code`
	json.Marshal("s")
	//surewire:ignore SW305 only -strict would say so
	json.Marshal(struct{ ID int64 }{1})
}

// Meant is known by its numbers.
//
//surewire:ignore SW201 the protocol has numbers
type Meant int

const (
	One Meant = iota
	Two
)

func meant(m Meant) ([]byte, error) { return json.Marshal(struct{ M Meant }{m}) }

type Grouped int

//surewire:ignore SW201 the protocol has numbers
const (
	First Grouped = iota
	Second
)

func grouped(g Grouped) ([]byte, error) { return json.Marshal(struct{ G Grouped }{g}) }
