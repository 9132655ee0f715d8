// Package surevet finds, before it ships, Go code that sends browsers something
// other than it says: enumerations as bare numbers, errors as {}, methods that are
// not called, messages that fail to encode, and sends that go past the encoder
// which could have told. docs/rules.md describes each rule.
package surevet

import (
	"golang.org/x/tools/go/analysis"

	"github.com/surewire/surewire/surevet/directives"
	"github.com/surewire/surewire/surevet/directsend"
	"github.com/surewire/surewire/surevet/lossyvalue"
	"github.com/surewire/surewire/surevet/rawenum"
)

// Analyzers are all analyzers of surevet.
var Analyzers = []*analysis.Analyzer{
	directsend.Analyzer,
	rawenum.Analyzer,
	lossyvalue.Analyzer,
	directives.Analyzer,
}
