// Package plugin makes surevet a linter of golangci-lint, version 2, by its module
// plugin system. The file .custom-gcl.yml beside the module's go.mod shows how to
// build golangci-lint with it.
package plugin

import (
	"fmt"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/surewire/surewire/surevet"
	"github.com/surewire/surewire/surevet/internal/profile"
	"github.com/surewire/surewire/surevet/internal/sinks"
)

func init() { register.Plugin("surewire", New) } // the plugin system asks for init

// Settings are what .golangci.yml may say under linters.settings.custom.surewire.settings.
type Settings struct {
	Strict    bool     `json:"strict"`
	Send      string   `json:"send"` // auto, on or off; empty means auto
	Generated bool     `json:"generated"`
	Tests     bool     `json:"tests"`
	Sinks     []string `json:"sinks"` // as the flag -sink takes them
}

type linter struct{}

// New returns the linter that settings describe, or what is wrong with them.
func New(settings any) (register.LinterPlugin, error) {
	s, err := register.DecodeSettings[Settings](settings)
	if err != nil {
		return nil, err
	}
	switch s.Send {
	case profile.Auto, profile.On, profile.Off:
		profile.Send = s.Send
	case "":
	default:
		return nil, fmt.Errorf("send is %q: want auto, on or off", s.Send)
	}
	profile.Strict, profile.Generated, profile.Tests = s.Strict, s.Generated, s.Tests
	for _, sink := range s.Sinks {
		if err := sinks.Add(sink); err != nil {
			return nil, err
		}
	}
	return linter{}, nil
}

// BuildAnalyzers returns the analyzers of surevet.
func (linter) BuildAnalyzers() ([]*analysis.Analyzer, error) { return surevet.Analyzers, nil }

// GetLoadMode says that the analyzers need types.
func (linter) GetLoadMode() string { return register.LoadModeTypesInfo }
