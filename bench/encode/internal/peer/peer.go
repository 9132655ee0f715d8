// Package peer has the encoders that are measured, each set up as its own
// documentation says for speed.
package peer

import (
	"bytes"
	"slices"

	"github.com/surewire/surewire/bench/encode/internal/values"
)

// A Class is a set of encoders that do the same work.
type Class int

// The classes, in the order of the tables.
const (
	Same   Class = iota // keys sorted, UTF-8 checked, no HTML escapes
	HTML                // the same with HTML escapes, as json.Marshal
	Less                // something of the above is left out
	Limits              // what no general encoder does
)

// Title says what the encoders of c write.
func (c Class) Title() string {
	return [...]string{
		"The same output: keys sorted, UTF-8 checked, no HTML escapes",
		"The same with HTML escapes, as `json.Marshal`",
		"Less work: see the list of encoders for what is left out",
		"Limits: no general encoder, and no encoder",
	}[c]
}

// Base is the encoder that those of c are compared with.
func (c Class) Base() string {
	if c == HTML {
		return "surejson-html"
	}
	return "surejson"
}

// Info is what the tables say about an encoder.
type Info struct {
	Name   string
	Class  Class  //surewire:ignore SW201 both ends of the pipe are this program
	Module string // whose version is told; empty for this repository and the standard library
	About  string // how it is set up
}

// An Encoder is one way to encode.
type Encoder struct {
	Info

	// New prepares the encoding of v. The second result is false if the
	// encoder cannot take it.
	New func(v values.Value) (Codec, bool)
}

// A Codec encodes one value.
type Codec struct {
	// Reuse encodes into a buffer that it keeps: the bytes are good until the
	// next call.
	Reuse func() ([]byte, error)

	// Fresh encodes into a slice that the caller may keep.
	Fresh func() ([]byte, error)
}

// Modes are the two ways in which each encoder is measured.
var Modes = []string{"reuse", "fresh"}

// Mode returns the function of c for one of Modes.
func (c Codec) Mode(mode string) func() ([]byte, error) {
	if mode == "fresh" {
		return c.Fresh
	}
	return c.Reuse
}

// All returns the encoders of this binary.
func All() []Encoder {
	return slices.Concat(sure(), Engine(), gojsonexp(), sonicJSON(), goccyJSON(), segmentioJSON(), jsoniterJSON(), easyJSON(), hand())
}

// Engine returns the encoders of the standard library, which depend on the
// engine that this binary was built with.
func Engine() []Encoder { return slices.Concat(std(), stdv2()) }

// EngineNames are those of Engine on the engine of v2, for a binary without it.
var EngineNames = []string{"std-v1-on-v2", "std-v1-html-on-v2", "std-v2-sorted", "std-v2"}

// appender makes a Codec of a function that appends, with a slice from
// marshal where that is not nil.
func appender(add func(b []byte) ([]byte, error), marshal func() ([]byte, error)) Codec {
	var kept []byte
	if marshal == nil {
		// The buffer grows out of sight, and the caller gets a copy: cheaper
		// than growing a slice for the caller, from a guess.
		marshal = func() ([]byte, error) {
			var err error
			if kept, err = add(kept[:0]); err != nil {
				return nil, err
			}
			return append(make([]byte, 0, len(kept)), kept...), nil
		}
	}
	return Codec{Fresh: marshal, Reuse: func() ([]byte, error) {
		var err error
		kept, err = add(kept[:0])
		return kept, err
	}}
}

// writer makes a Codec of a function that writes to buf, with a slice from
// marshal.
func writer(buf *bytes.Buffer, write func() error, marshal func() ([]byte, error)) Codec {
	return Codec{Fresh: marshal, Reuse: func() ([]byte, error) {
		buf.Reset()
		err := write()
		return buf.Bytes(), err
	}}
}
