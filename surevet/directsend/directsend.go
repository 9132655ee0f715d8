package directsend

import (
	_ "embed"
	"fmt"
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

// Analyzer reports JSON that goes to a socket past surewire.
var Analyzer = &analysis.Analyzer{
	Name:       "directsend",
	Doc:        doc.MustExtract(text, "directsend"),
	URL:        "https://pkg.go.dev/github.com/surewire/surewire/surevet/directsend",
	Requires:   []*analysis.Analyzer{flow.Analyzer},
	Run:        run,
	ResultType: reflect.TypeFor[*report.Outcome](),
}

func run(pass *analysis.Pass) (any, error) {
	known := pass.ResultOf[flow.Analyzer].(*flow.Result)
	var findings []report.Finding
	for _, s := range known.Sends {
		var found []report.Finding
		if s.Direct {
			found = direct(s)
		} else {
			found = judge(pass, s)
		}
		for _, f := range found {
			f.Pos, f.End = s.At.Pos(), s.At.End()
			findings = append(findings, f)
		}
	}
	return report.New(pass, known.Directives, known.Ignored).Report(findings), nil
}

// instead is what to use in place of a direct send.
const instead = "use surewire.Publisher.Publish, server.Server.Publish or surejson.Marshal"

// direct returns what there is to say of a sink that encodes by itself.
func direct(s flow.Send) []report.Finding {
	found := []report.Finding{{
		Code:    "SW101",
		Message: fmt.Sprintf("%s writes JSON to the socket past surewire%s; %s", s.Sink, via(s), instead),
	}}
	if s.Empty && mayFail(s.Roots) {
		found = append(found, report.Finding{
			Code:    "SW105",
			Send:    true,
			Message: fmt.Sprintf("a value that %s fails to encode reaches the client as an empty text frame: encode it first", s.Sink),
		})
	}
	return found
}

// judge returns what there is to say of bytes, by their origin.
func judge(pass *analysis.Pass, s flow.Send) []report.Finding {
	f := report.Finding{Code: "SW104"}
	switch o := s.Origin; o.Kind {
	case flow.Encoded:
		if o.Unsure && mayFail(s.Made) {
			f.Code = "SW105"
			f.Message = fmt.Sprintf("when %s fails, the client gets an empty text frame: its error does not keep %s from sending", o.Maker, s.Sink)
			f.Related = []analysis.RelatedInformation{{Pos: o.At.Pos(), End: o.At.End(), Message: "encoded here"}}
			return []report.Finding{f, encoded(pass, s)}
		}
		return []report.Finding{encoded(pass, s)}
	case flow.Glued:
		f.Message = fmt.Sprintf("JSON text built with %s: values are not escaped", o.Maker)
	case flow.Constant:
		f.Message = "this constant is not valid JSON"
	case flow.Unknown:
		f.Code, f.Message = "SW103", "text frame of unknown origin"+via(s)
	default:
		return nil
	}
	return []report.Finding{f}
}

// encoded is the finding for bytes that another encoder made.
func encoded(pass *analysis.Pass, s flow.Send) report.Finding {
	place := pass.Fset.Position(s.Origin.At.Pos())
	name := place.Filename[strings.LastIndexAny(place.Filename, `/\`)+1:]
	return report.Finding{
		Code: "SW102",
		Message: fmt.Sprintf("these bytes come from %s at %s:%d, not from surejson.Marshal or surejson.Encoder.Append%s",
			s.Origin.Maker, name, place.Line, via(s)),
		Related: []analysis.RelatedInformation{{Pos: s.Origin.At.Pos(), End: s.Origin.At.End(), Message: "encoded here"}},
	}
}

func via(s flow.Send) string {
	if len(s.Via) == 0 {
		return ""
	}
	return ", via " + strings.Join(s.Via, ", ")
}

func mayFail(roots []flow.Root) bool {
	for _, r := range roots {
		if walk.MayFail(r) {
			return true
		}
	}
	return false
}
