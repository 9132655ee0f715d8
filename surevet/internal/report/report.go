// Package report turns findings into diagnostics, except for those that the
// profile or a directive silences.
package report

import (
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/surewire/surewire/surevet/internal/directive"
	"github.com/surewire/surewire/surevet/internal/profile"
	"github.com/surewire/surewire/surevet/internal/rule"
)

// A Finding is one mistake.
type Finding struct {
	Code     string
	Pos, End token.Pos
	Message  string
	Strict   bool // reported only with -strict, whatever the rule says
	Send     bool // reported only where direct sends are checked, whatever the rule says
	Related  []analysis.RelatedInformation
	Fixes    []analysis.SuggestedFix
	Subjects []types.Object // fields and types on which a directive may stand
}

// An Outcome is what became of the findings of an analyzer.
type Outcome struct {
	Used       map[*directive.Directive]bool
	Suppressed map[*directive.Directive]token.Pos // a place that each silenced
}

// A Reporter reports the findings for a package.
type Reporter struct {
	pass   *analysis.Pass
	index  *directive.Index
	remote func(types.Object) []string // codes that a directive in another package ignores for the object
	sends  bool
	quiet  map[*token.File]bool
	out    *Outcome
}

// New returns a Reporter for the package of pass. remote returns the codes that a
// directive in another package ignores for a field or type.
func New(pass *analysis.Pass, index *directive.Index, remote func(types.Object) []string) *Reporter {
	r := &Reporter{
		pass: pass, index: index, remote: remote, quiet: map[*token.File]bool{},
		out: &Outcome{Used: map[*directive.Directive]bool{}, Suppressed: map[*directive.Directive]token.Pos{}},
	}
	for i, f := range pass.Files {
		file := pass.Fset.File(f.FileStart)
		name := file.Name()
		if i == 0 {
			r.sends = profile.Sends(filepath.Dir(name))
		}
		r.quiet[file] = !profile.Generated && ast.IsGenerated(f) || !profile.Tests && strings.HasSuffix(name, "_test.go")
	}
	return r
}

// Active reports whether a rule speaks for the package, at least in some cases.
func (r *Reporter) Active(code string) bool {
	k, _ := rule.Lookup(code)
	return (!k.Strict || profile.Strict) && (!k.Send || r.sends)
}

// Report reports the findings, in the order of their places, and returns what
// became of them.
func (r *Reporter) Report(findings []Finding) *Outcome {
	findings = slices.Clone(findings)
	slices.SortStableFunc(findings, func(x, y Finding) int { return int(x.Pos - y.Pos) })
	for i := range findings {
		if f := &findings[i]; r.speaks(f) && !r.ignored(f) {
			r.pass.Report(analysis.Diagnostic{
				Pos: f.Pos, End: f.End,
				Category:       f.Code,
				Message:        f.Message + " (" + f.Code + ")",
				URL:            rule.URL(f.Code),
				Related:        f.Related,
				SuggestedFixes: f.Fixes,
			})
		}
	}
	return r.out
}

func (r *Reporter) speaks(f *Finding) bool {
	if profile.FactsOnly || r.quiet[r.pass.Fset.File(f.Pos)] {
		return false
	}
	k, _ := rule.Lookup(f.Code)
	if (f.Strict || k.Strict) && !profile.Strict {
		return false
	}
	return !k.Send && !f.Send || r.sends
}

// ignored reports whether a directive silences f: one here, or one on the
// declaration of a field or type in another package.
func (r *Reporter) ignored(f *Finding) bool {
	if d := r.index.Match(f.Code, f.Pos, f.Subjects); d != nil {
		r.out.Used[d] = true
		r.out.Suppressed[d] = f.Pos
		return true
	}
	for _, o := range f.Subjects {
		if o.Pkg() == nil || o.Pkg() == r.pass.Pkg {
			continue
		}
		if slices.Contains(r.remote(o), f.Code) {
			return true
		}
	}
	return false
}
