// Package fact has what surevet learns of functions and tells other packages.
package fact

import "github.com/surewire/surewire/surevet/internal/sinks"

// A Param says that a function hands one of its parameters on to a sink.
type Param struct {
	Index    int // of the parameter, without the receiver
	TypeArg  bool
	Kind     sinks.Kind
	Dialect  string
	Sink     string   // the sink's name in messages
	Via      []string // the functions between, outermost first
	Elements bool     // its type was looked at already: only what literals hold matters
	Empty    bool
}

// Sinks is the fact that a function hands parameters on to sinks.
type Sinks struct{ Params []Param }

// AFact marks Sinks as a fact of the analysis framework.
func (*Sinks) AFact() {}

func (s *Sinks) String() string { return "sink" }

// Bytes is the fact that a function's first result is JSON.
type Bytes struct {
	Maker string // the encoder's name in messages
	Via   []string
	Safe  bool
}

// AFact marks Bytes as a fact of the analysis framework.
func (*Bytes) AFact() {}

func (b *Bytes) String() string { return "json by " + b.Maker }

// Reaches is the fact that a package has functions that are sinks.
type Reaches struct{}

// AFact marks Reaches as a fact of the analysis framework.
func (*Reaches) AFact() {}

func (*Reaches) String() string { return "has sinks" }
