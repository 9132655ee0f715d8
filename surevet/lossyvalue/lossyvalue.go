package lossyvalue

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

// Analyzer reports values of which JSON keeps less than they say.
var Analyzer = &analysis.Analyzer{
	Name:       "lossyvalue",
	Doc:        doc.MustExtract(text, "lossyvalue"),
	URL:        "https://pkg.go.dev/github.com/surewire/surewire/surevet/lossyvalue",
	Requires:   []*analysis.Analyzer{flow.Analyzer, walk.Analyzer},
	Run:        run,
	ResultType: reflect.TypeFor[*report.Outcome](),
}

func run(pass *analysis.Pass) (any, error) {
	known := pass.ResultOf[flow.Analyzer].(*flow.Result)
	var mine []report.Finding
	for _, f := range pass.ResultOf[walk.Analyzer].([]report.Finding) {
		if strings.HasPrefix(f.Code, "SW3") {
			mine = append(mine, f)
		}
	}
	return report.New(pass, known.Directives, known.Ignored).Report(mine), nil
}
