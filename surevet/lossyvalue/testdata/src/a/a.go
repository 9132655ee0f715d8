package a

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"sync"
	"time"
)

// What cannot be encoded; below such a root nothing else is reported.
type Bad struct {
	C    chan int     // want `Bad.C cannot be encoded \(a channel\): Marshal always fails \(SW301\)`
	F    func()       `json:",omitempty"` // want `Bad.F cannot be encoded \(a function\): Marshal always fails`
	Many []complex64  // want `Bad.Many\[\] cannot be encoded \(complex64\): Marshal fails wherever there is one`
	Key  map[bool]int // want `Bad.Key cannot be encoded \(a map key of type bool\): Marshal always fails`
	Err  error
	Skip chan int `json:"-"`
	skip chan int
}

func bad(b Bad) ([]byte, error) { return json.Marshal(b) }

// A pointer that is left out when nil may always be nil.
type Maybe struct {
	P *Left `json:",omitempty"`
	Q *Right
}

type Left struct{ C chan int }

type Right struct {
	C chan int // want `Maybe.Q.C cannot be encoded \(a channel\): Marshal fails wherever there is one`
}

func maybe(m Maybe) ([]byte, error) { return json.Marshal(m) }

// Methods with a pointer receiver.
type Money struct{ Cents int64 }

func (m *Money) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%d", m.Cents), nil }

type Bill struct {
	Total Money
	Lines []Money
	Ptr   *Money
}

func byValue(b Bill) ([]byte, error)             { return json.Marshal(b) } // want `\(\*Money\).MarshalJSON is not called here: the value at Bill.Total is not addressable; use a value receiver or a pointer \(SW302\)`
func byPointer(b *Bill) ([]byte, error)          { return json.Marshal(b) }
func inSlice(b []Bill) ([]byte, error)           { return json.Marshal(b) }
func inMap(b map[string]Bill) ([]byte, error)    { return json.Marshal(b) }                               // want `is not called here`
func inArray(b [2]Bill) ([]byte, error)          { return json.Marshal(b) }                               // want `is not called here`
func inLiteral(m Money) ([]byte, error)          { return json.Marshal(map[string]any{"m": m, "p": &m}) } // want `the value at m is not addressable`
func embedded(b struct{ *Bill }) ([]byte, error) { return json.Marshal(b) }                               // an embedded pointer gives the address

// Errors.
type Reply struct {
	Err  error // want `error at Reply.Err encodes as {}: store err.Error\(\) \(SW303\)`
	Text string
	Mine *Fault
}

type Fault struct{ Code int }

func (*Fault) Error() string { return "fault" }

func reply() ([]byte, error) { return json.Marshal(Reply{Err: errors.New("x")}) }

func fields(err error) ([]byte, error) {
	if err == nil {
		return json.Marshal(err) // a bare error is left to -strict
	}
	return json.Marshal(map[string]any{"err": err, "text": err.Error()}) // want `error at err encodes as {}`
}

// Nothing to show.
type Opaque struct{ n int }

type Counter struct {
	sync.Mutex
	Mu   sync.Mutex // want `sync.Mutex has no exported field and no marshaler: Counter.Mu encodes as {} \(SW304\)`
	O    Opaque     // want `Opaque has no exported field and no marshaler: Counter.O encodes as {}`
	P    *Opaque    `json:",omitempty"` // a mark
	None struct{}
	Set  map[string]struct{}
	Only struct {
		X int `json:"-"`
	}
}

func count(c *Counter) ([]byte, error) { return json.Marshal(c) }

func root() ([]byte, error) { return json.Marshal(Opaque{1}) } // want `Opaque encodes as {}`

// A literal without anything in it loses nothing.
func sign() ([]byte, error) { return json.Marshal(map[string]any{"module": Opaque{}}) }

// An embedded marshaler writes alone.
type Event struct { // want `Event promotes MarshalJSON from embedded Time: its other fields, 2 in number, are lost \(SW308\)`
	time.Time
	Name string
	Kind string
}

type Alone struct{ time.Time }

func event(e Event, a Alone) ([]byte, error) { return json.Marshal([]any{e, a}) }

// Names that annul each other.
type A struct{ ID string }
type B struct{ ID string }
type Both struct { // want `field "ID" appears in A and B: both are dropped \(SW309\)`
	A
	B
}
type Outer struct {
	A
	B
	ID int
}

func both(x Both, y Outer) ([]byte, error) { return json.Marshal([]any{x, y}) }

// NaN.
type M struct{ Avg, Max float64 }

func nan(sum float64, n int) ([]byte, error) {
	inf := math.Inf(1)
	m := map[string]any{}
	m["inf"] = inf // want `inf is NaN or infinite, and cannot be encoded`
	json.Marshal(m)
	return json.Marshal(M{Avg: sum / float64(n), Max: math.NaN()}) // want `math.NaN\(\) is NaN or infinite, and cannot be encoded \(SW311\)`
}

// Errors that are dropped.
func closed() []byte             { b, _ := json.Marshal(A{"a"}); return b }
func open(v any) []byte          { b, _ := json.Marshal(v); return b } // want `error of json.Marshal discarded: nothing is written when it fails \(SW312\)`
func told(v any) ([]byte, error) { b, _ := json.Marshal(v); return b, nil }
func inside(v any)               { b, _ := json.Marshal(v); fmt.Println(string(b)) }

// What holds itself.
func cycle() ([]byte, error) {
	m := map[string]any{"n": 1}
	m["self"] = m // want `m is put into itself, and so encodes itself: Marshal fails \(SW313\)`
	return json.Marshal(m)
}

// Types without end.
type List []List
type Ptr *Ptr

func endless(l List, p Ptr) { json.Marshal(l); json.Marshal(p) }

// The user of a URL may have a password, and is hidden on purpose.
func link(u url.URL) { json.Marshal(u) }
