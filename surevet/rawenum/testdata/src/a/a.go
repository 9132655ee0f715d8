package a

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"b"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/surejson"
)

type State int

const (
	Idle State = iota
	Busy
)

func (s State) String() string { return [...]string{"idle", "busy"}[s] }

// Level has gaps, and a comment between.
type Level uint8

const (
	_   Level = iota
	Low       // first
	High
)

// Port counts from a constant that iota has a part in.
type Port int

const (
	First Port = iota + 8000
	Second
)

type Flags uint

const (
	A Flags = 1 << iota
	B
)

type Size int64

const (
	KB Size = (iota + 1) * 1024
	MB
)

type Word string

const (
	Yes Word = "yes"
	No  Word = "no"
)

type Explicit int

const (
	X Explicit = 0
	Y Explicit = 1
	Z Explicit = 2
)

type Single int

const Only Single = iota

// A field is reported once, whatever reaches it, and by the shortest path.
type Event struct {
	State  State         `json:"state"`  // want `enum State reaches json.Marshal as a number \(Event.State\): add MarshalText; its String method is ignored by encoding/json \(SW201\)`
	Levels []Level       `json:"levels"` // want `\[\]Level is written as base64 because its base type is uint8 \(Event.Levels\): add MarshalText \(SW203\)`
	Fixed  [2]Level      // want `enum Level reaches json.Marshal as a number \(Event.Fixed\[\]\)`
	Port   *Port         // want `enum Port reaches`
	By     map[State]int // want `map key State is written as a number \(Event.By\): MarshalJSON and String are not used for keys, add MarshalText \(SW202\)`
	Flags  Flags
	Size   Size
	Word   Word
	Plain  Explicit
	Single Single
	Day    time.Weekday
	hidden State
	Skip   State  `json:"-"`
	Remote b.Kind // want `enum Kind reaches`
	Text   b.Text
	Deep   struct {
		In map[string][]*struct{ S State } // want `enum State reaches json.Marshal as a number \(Event.Deep.In\[\]\[\].S\)`
	}
}

func encode(e Event) ([]byte, error)    { return json.Marshal(e) }
func again(e *Event) ([]byte, error)    { return json.MarshalIndent([]*Event{e}, "", " ") }
func remote(k b.Job) ([]byte, error)    { return json.Marshal(k) } // want `enum Kind reaches json.Marshal as a number \(b.Job.Kind\)`
func ignored(k b.Meant) ([]byte, error) { return json.Marshal(k) } // the field says that it is meant

// Through a wrapper, a variable, an interface and a closure.
func respond(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }

func handler(w io.Writer, s State) {
	respond(w, s)   // want `enum State reaches json.Encoder.Encode via a.respond as a number`
	b.Respond(w, s) // want `enum State reaches json.Encoder.Encode via b.Respond as a number`
	var v any = s
	respond(w, v) // want `enum State reaches`
	send := func(v any) { _ = respond(w, v) }
	send(s)                             // want `enum State reaches`
	respond(w, any(&s))                 // want `enum State reaches`
	b.All(w, "x", 1, s)                 // want `enum State reaches`
	b.Fields(w, map[string]any{"s": s}) // want `enum State reaches json.Encoder.Encode via b.Fields as a number \(s\)`
}

func literals(s State) ([]byte, error) {
	list := []any{1, s}    // want `enum State reaches`
	list = append(list, s) // want `enum State reaches`
	type holder struct{ V any }
	h := &holder{}
	h.V = s // want `enum State reaches`
	json.Marshal(h)
	return json.Marshal(map[string]any{
		"list":  list,
		"inner": []any{struct{ S any }{S: s}}, // want `enum State reaches`
		"text":  s.String(),
	})
}

func generic[T any](v T) ([]byte, error) { return json.Marshal(v) }
func wrapped[T any](v T) ([]byte, error) { return json.Marshal(struct{ V T }{v}) }
func zero[T any](w io.Writer) error      { var v []T; return json.NewEncoder(w).Encode(v) }
func instantiate(w io.Writer, s State) {
	generic(s)     // want `enum State reaches json.Marshal via a.generic as a number`
	wrapped(s)     // want `enum State reaches json.Marshal via a.wrapped as a number`
	zero[State](w) // want `enum State reaches`
	generic("s")
}

// An encoder's buffer, and a method.
type server struct{ buf bytes.Buffer }

func (s *server) write(v any) error { return json.NewEncoder(&s.buf).Encode(v) }

func (s *server) run(st State) { s.write(st) } // want `enum State reaches json.Encoder.Encode via a.server.write`

// surewire writes the name that String has, also as a key.
func publish(p *surewire.Publisher, s State, l Level) {
	p.Publish(context.Background(), "c", s)
	p.Publish(context.Background(), "c", map[State]int{s: 1})
	p.Publish(context.Background(), "c", l) // want `enum Level reaches surewire.Publisher.Publish as a number \(Level\): add MarshalText or String \(SW201\)`
	surejson.Marshal(map[Level]int{l: 1})   // want `map key Level is written as a number \(map\[Level\]int\): add MarshalText or String \(SW202\)`
}

// A log line is another matter, and a decoded value another still.
func log(s State)               { slog.Info("x", "state", s) }
func decode(b []byte, e *Event) { json.Unmarshal(b, e) }

// A Slot is a number, of which the first have names: so its String has it.
type Slot int

const (
	Input Slot = iota
	Output
)

func (s Slot) String() string { return fmt.Sprintf("Slot<%d>", int(s)) }

// A Phase is known by its name alone.
type Phase int

const (
	Begin Phase = iota
	End
)

func (p Phase) String() string { return strconv.Quote([...]string{"begin", "end"}[p]) }

func numbers(s Slot, p Phase) {
	json.Marshal(s)
	json.Marshal(p) // want `enum Phase reaches json.Marshal as a number`
}
