package b

import (
	"encoding/json"
	"io"
)

type Kind int

const (
	One Kind = iota
	Two
)

// Text has a text of its own.
type Text int

const (
	Red Text = iota
	Blue
)

func (t Text) MarshalText() ([]byte, error) { return []byte("red"), nil }

type Job struct{ Kind Kind }

type Meant struct {
	//surewire:ignore SW201 the client has the same table
	Kind Kind
}

func Respond(w io.Writer, v any) error           { return json.NewEncoder(w).Encode(v) }
func All(w io.Writer, vs ...any) error           { return json.NewEncoder(w).Encode(vs) }
func Fields(w io.Writer, m map[string]any) error { return json.NewEncoder(w).Encode(m) }
