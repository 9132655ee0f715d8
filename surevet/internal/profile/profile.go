// Package profile holds what the user of surevet chose: which rules speak, and
// where.
package profile

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/surewire/surewire/surevet/internal/sinks"
)

// The profile of this process. It is set before analyzers run, and then only read.
var (
	Strict    bool   // rules whose findings are often meant that way speak too
	Send      = Auto // whether the rules for direct sends speak
	Generated bool   // generated files are reported too
	Tests     bool   // test files are reported too
	FactsOnly bool   // the package is only a dependency of what is checked
)

// The values of [Send].
const (
	Auto = "auto" // in modules that require surewire
	On   = "on"
	Off  = "off"
)

// Register adds the flags of the profile to fs.
func Register(fs *flag.FlagSet) {
	fs.BoolVar(&Strict, "strict", Strict, "report also what is often meant that way: 64-bit numbers, durations, bytes, open types")
	fs.Var(sendValue{}, "send", "rules for direct sends: on, off, or auto, which is on in modules that require surewire")
	fs.BoolVar(&Generated, "generated", Generated, "report in generated files too")
	fs.BoolVar(&Tests, "tests", Tests, "report in test files too")
	fs.Var(sinkValue{}, "sink", "another function that encodes an argument as JSON, as `package.Type.Method:argument[:dialect]`; may be repeated")
}

type sendValue struct{}

func (sendValue) String() string { return Send }

func (sendValue) Set(s string) error {
	if s != Auto && s != On && s != Off {
		return fmt.Errorf("want %s, %s or %s", Auto, On, Off)
	}
	Send = s
	return nil
}

type sinkValue struct{}

func (sinkValue) String() string { return "" }

// Set takes several sinks too, separated by commas: the go command passes only
// the last of a repeated flag on.
func (sinkValue) Set(s string) error {
	for one := range strings.SplitSeq(s, ",") {
		if err := sinks.Add(one); err != nil {
			return err
		}
	}
	return nil
}

var (
	adopters sync.Map // folder -> whether its module requires surewire
	requires = regexp.MustCompile(`(?m)^\s*(?:require\s+|module\s+)?github\.com/surewire/surewire(?:/surevet)?(?:\s|$)`)
)

// Sends reports whether the rules for direct sends speak for the package in dir.
func Sends(dir string) bool {
	switch Send {
	case On:
		return true
	case Off:
		return false
	}
	if known, ok := adopters.Load(dir); ok {
		return known.(bool)
	}
	adopts := false
	for d := dir; ; d = filepath.Dir(d) {
		if data, err := os.ReadFile(filepath.Join(d, "go.mod")); err == nil {
			adopts = requires.Match(data)
			break
		}
		if d == filepath.Dir(d) {
			break
		}
	}
	adopters.Store(dir, adopts)
	return adopts
}
