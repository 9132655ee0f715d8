package directives

import (
	_ "embed"
	"fmt"
	"go/token"
	"slices"

	"golang.org/x/tools/go/analysis"

	"github.com/surewire/surewire/surevet/directsend"
	"github.com/surewire/surewire/surevet/internal/directive"
	"github.com/surewire/surewire/surevet/internal/doc"
	"github.com/surewire/surewire/surevet/internal/flow"
	"github.com/surewire/surewire/surevet/internal/profile"
	"github.com/surewire/surewire/surevet/internal/report"
	"github.com/surewire/surewire/surevet/lossyvalue"
	"github.com/surewire/surewire/surevet/rawenum"
)

//go:embed doc.go
var text string

// Analyzer reports directives without a reason or an effect.
var Analyzer = &analysis.Analyzer{
	Name:     "directives",
	Doc:      doc.MustExtract(text, "directives"),
	URL:      "https://pkg.go.dev/github.com/surewire/surewire/surevet/directives",
	Requires: []*analysis.Analyzer{flow.Analyzer, directsend.Analyzer, rawenum.Analyzer, lossyvalue.Analyzer},
	Run:      run,
}

func run(pass *analysis.Pass) (any, error) {
	if profile.FactsOnly {
		return nil, nil
	}
	known := pass.ResultOf[flow.Analyzer].(*flow.Result)
	silenced := map[*directive.Directive]token.Pos{}
	for _, a := range []*analysis.Analyzer{directsend.Analyzer, rawenum.Analyzer, lossyvalue.Analyzer} {
		for d, at := range pass.ResultOf[a].(*report.Outcome).Suppressed {
			silenced[d] = at
		}
	}
	// Without an index, since a directive cannot silence what is said of it.
	r := report.New(pass, directive.New(pass.Fset, pass.TypesInfo, nil), known.Ignored)
	var findings []report.Finding
	for _, d := range known.Directives.All {
		if d.NoLint {
			continue
		}
		at, used := silenced[d]
		if message := fault(r, d, used); message != "" {
			f := report.Finding{Code: "SW001", Pos: d.Pos, End: d.End, Message: message}
			if used {
				f.Related = []analysis.RelatedInformation{{Pos: at, Message: "what it is about"}}
			}
			findings = append(findings, f)
		}
	}
	r.Report(findings)
	return nil, nil
}

// fault returns what is wrong with a directive, or nothing.
func fault(r *report.Reporter, d *directive.Directive, used bool) string {
	switch {
	case len(d.Codes) == 0:
		return "surewire:ignore needs a code, such as SW201, and a reason"
	case len(d.Unknown) > 0:
		return fmt.Sprintf("surewire:ignore: there is no rule %s", d.Unknown[0])
	case d.Reason == "":
		return "surewire:ignore needs a reason"
	case used || d.Shared || !slices.ContainsFunc(d.Codes, r.Active):
		return ""
	}
	return "surewire:ignore suppresses nothing"
}
