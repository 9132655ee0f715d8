// Package flow finds, in one package, the values that become JSON and the bytes
// that go to sockets: through parameters, wrappers in other packages, variables,
// literals, closures and generic functions. It follows syntax and types, in the
// package at hand; what it learns of functions travels to other packages as facts.
package flow

import (
	"go/ast"
	"go/types"
	"reflect"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"

	"github.com/surewire/surewire/surevet/internal/directive"
	"github.com/surewire/surewire/surevet/internal/enum"
	"github.com/surewire/surewire/surevet/internal/fact"
	"github.com/surewire/surewire/surevet/internal/profile"
	"github.com/surewire/surewire/surevet/internal/sinks"
	"github.com/surewire/surewire/surevet/internal/std"
)

// Analyzer has a [Result] for each package. It reports nothing.
var Analyzer = &analysis.Analyzer{
	Name:       "surewireflow",
	Doc:        "find values that become JSON, and bytes that go to sockets",
	Requires:   []*analysis.Analyzer{inspect.Analyzer},
	Run:        run,
	ResultType: reflect.TypeFor[*Result](),
	FactTypes:  []analysis.Fact{new(fact.Sinks), new(fact.Bytes), new(fact.Reaches), new(enum.Fact), new(directive.Fact)},
}

// A Result is what is known of a package.
type Result struct {
	Directives *directive.Index
	Enum       func(*types.TypeName) *enum.Fact // nil if it is no enumeration
	Ignored    func(types.Object) []string      // codes ignored by a directive in another package
	Roots      []Root
	Sends      []Send
	Odd        []Odd
	Drops      []Drop
}

func run(pass *analysis.Pass) (any, error) {
	r := &Result{Directives: directive.New(pass.Fset, pass.TypesInfo, pass.Files)}
	standard := std.Is(pass.Pkg.Path()) && pass.Module == nil
	enums := enum.Find(pass.TypesInfo, pass.Pkg, pass.Files)
	for t, f := range enums {
		if t.Parent() == pass.Pkg.Scope() {
			pass.ExportObjectFact(t, f)
		}
	}
	r.Enum = func(t *types.TypeName) *enum.Fact {
		if f := enums[t]; f != nil || t.Pkg() == pass.Pkg || t.Pkg() == nil {
			return f
		}
		f := new(enum.Fact)
		if !pass.ImportObjectFact(t, f) {
			return nil
		}
		return f
	}
	r.Ignored = func(o types.Object) []string {
		f := new(directive.Fact)
		if o.Pkg() == nil || o.Pkg() == pass.Pkg || !pass.ImportObjectFact(o, f) {
			return nil
		}
		return f.Codes
	}
	if standard || sinks.HasPackage(pass.Pkg.Path()) {
		return r, nil
	}
	exportDirectives(pass, r.Directives)
	if matters(pass) {
		s := newSolver(pass)
		s.solve()
		s.export()
		if !profile.FactsOnly {
			s.finish(r)
		}
	}
	return r, nil
}

// exportDirectives makes facts of the directives on fields and types.
func exportDirectives(pass *analysis.Pass, index *directive.Index) {
	for _, d := range index.All {
		for _, o := range d.Objects() {
			if o.Pkg() == pass.Pkg && o.Exported() && d.Reason != "" && !d.NoLint {
				pass.ExportObjectFact(o, &directive.Fact{Codes: d.Codes})
			}
		}
	}
}

// matters reports whether the package can have anything to do with sinks.
func matters(pass *analysis.Pass) bool {
	for _, p := range pass.Pkg.Imports() {
		if sinks.HasPackage(p.Path()) || pass.ImportPackageFact(p, new(fact.Reaches)) {
			return true
		}
	}
	for _, s := range pass.TypesInfo.Selections {
		if s.Obj().Name() == "WriteJSON" {
			return true
		}
	}
	return false
}

// A function is a declared function, or a variable that holds a closure.
type function struct {
	object types.Object // *types.Func, or the *types.Var; nil for a closure without a name
	typ    *ast.FuncType
	body   *ast.BlockStmt
}
