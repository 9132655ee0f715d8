package rawenum

import (
	_ "embed"
	"reflect"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/surewire/surewire/surevet/internal/doc"
	"github.com/surewire/surewire/surevet/internal/flow"
	"github.com/surewire/surewire/surevet/internal/report"
	"github.com/surewire/surewire/surevet/internal/walk"
)

//go:embed doc.go
var text string

// Analyzer reports enumerations that lose their names.
var Analyzer = &analysis.Analyzer{
	Name:       "rawenum",
	Doc:        doc.MustExtract(text, "rawenum"),
	URL:        "https://pkg.go.dev/github.com/surewire/surewire/surevet/rawenum",
	Requires:   []*analysis.Analyzer{flow.Analyzer, walk.Analyzer},
	Run:        run,
	ResultType: reflect.TypeFor[*report.Outcome](),
}

func run(pass *analysis.Pass) (any, error) {
	known := pass.ResultOf[flow.Analyzer].(*flow.Result)
	var mine []report.Finding
	for _, f := range pass.ResultOf[walk.Analyzer].([]report.Finding) {
		if strings.HasPrefix(f.Code, "SW2") {
			mine = append(mine, f)
		}
	}
	return report.New(pass, known.Directives, known.Ignored).Report(mine), nil
}
