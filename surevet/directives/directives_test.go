package directives_test

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/surewire/surewire/surevet/directives"
	"github.com/surewire/surewire/surevet/rawenum"
)

func TestDirectives(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), directives.Analyzer, "a", "whole")
}

// What the directives stand on is silent: rawenum finds nothing to report.
func TestSilence(t *testing.T) {
	for _, r := range analysistest.Run(quiet{}, analysistest.TestData(), rawenum.Analyzer, "a", "whole") {
		for _, d := range r.Diagnostics {
			t.Errorf("%s: %s", r.Pass.Fset.Position(d.Pos), d.Message)
		}
	}
}

// quiet takes no notice of expectations, which are for another analyzer.
type quiet struct{}

func (quiet) Errorf(string, ...any) {}
