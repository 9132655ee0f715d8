// Package walk goes through the types of the values that become JSON and finds
// what is lost, changed or refused on the way.
package walk

import (
	"fmt"
	"go/ast"
	"go/types"
	"reflect"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/surewire/surewire/surevet/internal/flow"
	"github.com/surewire/surewire/surevet/internal/jsonshape"
	"github.com/surewire/surewire/surevet/internal/profile"
	"github.com/surewire/surewire/surevet/internal/report"
)

// Analyzer finds what is to be said of the values in a package. It reports nothing
// itself: rawenum and lossyvalue do, each its own rules.
var Analyzer = &analysis.Analyzer{
	Name:       "surewirewalk",
	Doc:        "find what is lost where values become JSON",
	Requires:   []*analysis.Analyzer{flow.Analyzer},
	Run:        run,
	ResultType: reflect.TypeFor[[]report.Finding](),
}

func run(pass *analysis.Pass) (any, error) {
	w := &walker{
		pass:  pass,
		flow:  pass.ResultOf[flow.Analyzer].(*flow.Result),
		known: map[key]int{},
		built: map[*jsonshape.Dialect]*jsonshape.Builder{},
	}
	if profile.FactsOnly {
		return []report.Finding(nil), nil
	}
	for _, r := range w.flow.Roots {
		if profile.Tests || !inTest(pass, r.At) {
			w.root(r)
		}
	}
	w.odd()
	w.drops()
	if profile.Strict {
		w.tags()
	}
	return w.findings, nil
}

// inTest reports whether n stands in a test file. What only tests encode says
// nothing of a field.
func inTest(pass *analysis.Pass, n ast.Node) bool {
	return strings.HasSuffix(pass.Fset.File(n.Pos()).Name(), "_test.go")
}

// A walker collects the findings of a package.
type walker struct {
	pass     *analysis.Pass
	flow     *flow.Result
	known    map[key]int // index into findings
	lengths  []int       // of the paths in findings
	findings []report.Finding
	built    map[*jsonshape.Dialect]*jsonshape.Builder
}

// A key is what is reported once per package.
type key struct {
	code  string
	typ   string
	field *types.Var
	at    ast.Expr // where there is no field
	root  string   // for what depends on how the value is handed over
}

// A step is a node on the way through a value.
type step struct {
	node   *jsonshape.Node
	path   string
	length int
	depth  int        // pointers, lists and maps since the last field
	field  *types.Var // the innermost field on the way
	member *jsonshape.Member
	owner  types.Type // the struct that has field
	direct bool       // the field holds the value itself, no list or map of them
	maybe  bool       // a pointer, list or map on the way may be empty
	marker bool       // a pointer that is left out when nil stands before it
	absent bool       // so does one before a struct that it is in
	first  bool       // it is the root
}

func (w *walker) builder(d *jsonshape.Dialect) *jsonshape.Builder {
	if w.built[d] == nil {
		w.built[d] = jsonshape.NewBuilder(d)
	}
	return w.built[d]
}

func (w *walker) root(r flow.Root) {
	n := w.builder(r.Dialect).Root(r.Type)
	if r.Log {
		w.logged(r, n)
		return
	}
	var steps []step
	broken := false
	w.each(r, n, func(s step) bool {
		steps = append(steps, s)
		more, refused := w.unsupported(r, s)
		broken = broken || refused
		return more
	})
	if broken {
		return
	}
	for _, s := range steps {
		w.look(r, s)
	}
}

// maxNesting bounds the pointers, lists and maps between two fields, for types such
// as type T []T.
const maxNesting = 16

// maxExpr is the longest expression that stands for itself in a message.
const maxExpr = 40

// name returns t as messages write it: the types of this package by their names.
func (w *walker) name(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if w.pass != nil && p == w.pass.Pkg {
			return ""
		}
		return p.Name()
	})
}

// each visits the nodes below n, nearest first, as long as visit wants to see
// what is below.
func (w *walker) each(r flow.Root, n *jsonshape.Node, visit func(step) bool) {
	start := strings.TrimPrefix(w.name(r.Type), "*")
	if text := types.ExprString(r.At); r.Inside && len(text) <= maxExpr {
		start = text
	}
	type place struct {
		node   *jsonshape.Node
		absent bool
	}
	opened := map[place]bool{}
	queue := []step{{node: n, path: start, first: true, direct: true}}
	push := func(s step, n *jsonshape.Node) {
		if s.node, s.first = n, false; s.depth < maxNesting {
			s.length++
			s.depth++
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if !visit(s) {
			continue
		}
		switch s.node.Kind {
		case jsonshape.Pointer:
			next := s
			next.maybe = true
			next.marker = s.member != nil && s.direct && s.member.Elided()
			next.absent = s.absent || next.marker
			push(next, s.node.Elem)
		case jsonshape.Array:
			next := s
			next.path += "[]"
			next.direct = false
			_, array := s.node.Type.Underlying().(*types.Array)
			next.maybe = s.maybe || !array
			push(next, s.node.Elem)
		case jsonshape.Map:
			next := s
			next.path += "[]"
			next.direct, next.maybe = false, true
			push(next, s.node.Elem)
		case jsonshape.Struct:
			if opened[place{s.node, s.absent}] {
				continue
			}
			opened[place{s.node, s.absent}] = true
			for i := range s.node.Members {
				m := &s.node.Members[i]
				push(step{
					path: s.path + "." + m.Field.Name(), length: s.length, field: m.Field, member: m, owner: s.node.Type,
					direct: true, absent: s.absent, maybe: s.maybe || len(m.Via) > 0 && m.Optional,
				}, m.Node)
			}
		}
	}
}

// look applies the rules to one node.
func (w *walker) look(r flow.Root, s step) {
	n := s.node
	if n.Skipped != nil {
		w.skipped(r, s)
		return
	}
	w.enum(r, s)
	switch n.Kind {
	case jsonshape.Method:
		w.swallowed(r, s)
	case jsonshape.Interface:
		w.open(r, s)
	case jsonshape.Struct:
		w.structure(r, s)
	case jsonshape.Number:
		w.number(r, s)
	case jsonshape.Base64, jsonshape.Array:
		w.bytes(r, s)
	}
}

// below reports whether what lies below a node is to be looked at.
func below(n *jsonshape.Node) bool {
	return n.Skipped == nil && !isSQLNull(n.Type)
}

// found adds a finding at the field of s if it is declared in this package, and at
// the value that is handed over otherwise.
func (w *walker) found(r flow.Root, s step, f report.Finding) {
	k := key{code: f.Code, typ: jsonshape.Name(s.node.Type), field: s.field}
	if s.field == nil {
		k.at = r.At
	} else {
		k.field = s.field.Origin()
		f.Subjects = append(f.Subjects, k.field)
	}
	if named, ok := types.Unalias(s.owner).(*types.Named); ok {
		f.Subjects = append(f.Subjects, named.Obj())
	}
	sink := analysis.RelatedInformation{Pos: r.Call.Pos(), End: r.Call.End(), Message: "encoded by " + sinkName(r)}
	if w.here(s.field) {
		f.Pos, f.End = k.field.Pos(), k.field.Pos()+pos(len(k.field.Name()))
		f.Related = append(f.Related, sink)
	} else {
		f.Pos, f.End = r.At.Pos(), r.At.End()
		if s.field != nil && s.field.Pos().IsValid() {
			f.Related = append(f.Related, analysis.RelatedInformation{Pos: s.field.Origin().Pos(), Message: "the field"})
		}
	}
	w.add(k, s.length, f)
}

// atSink adds a finding at the value that is handed over.
func (w *walker) atSink(r flow.Root, s step, f report.Finding) {
	k := key{code: f.Code, typ: jsonshape.Name(s.node.Type), field: s.field, root: jsonshape.Name(r.Type)}
	f.Pos, f.End = r.At.Pos(), r.At.End()
	if s.field == nil {
		k.at = r.At
	} else {
		f.Subjects = append(f.Subjects, s.field.Origin())
		if s.field.Pos().IsValid() {
			f.Related = append(f.Related, analysis.RelatedInformation{Pos: s.field.Origin().Pos(), Message: "the field"})
		}
	}
	w.add(k, s.length, f)
}

// atType adds a finding at the declaration of the type of s, if that is in this
// package.
func (w *walker) atType(r flow.Root, s step, f report.Finding) {
	named, ok := types.Unalias(s.node.Type).(*types.Named)
	if !ok || named.Obj().Pkg() != w.pass.Pkg {
		w.found(r, s, f)
		return
	}
	o := named.Obj()
	f.Pos, f.End = o.Pos(), o.Pos()+pos(len(o.Name()))
	f.Subjects = append(f.Subjects, o)
	f.Related = append(f.Related, analysis.RelatedInformation{Pos: r.Call.Pos(), End: r.Call.End(), Message: "encoded by " + sinkName(r)})
	w.add(key{code: f.Code, typ: o.Name()}, s.length, f)
}

// add keeps the finding with the shortest path of those that are the same.
func (w *walker) add(k key, length int, f report.Finding) {
	if i, ok := w.known[k]; ok {
		if known := w.findings[i]; known.Strict && !f.Strict || length < w.lengths[i] && f.Pos == known.Pos && known.Strict == f.Strict {
			w.findings[i], w.lengths[i] = f, length
		}
		return
	}
	w.known[k] = len(w.findings)
	w.findings = append(w.findings, f)
	w.lengths = append(w.lengths, length)
}

// here reports whether a field is declared in this package, by a type that does
// not depend on type arguments.
func (w *walker) here(f *types.Var) bool {
	if f == nil || f.Pkg() != w.pass.Pkg || !f.Origin().Pos().IsValid() {
		return false
	}
	return !dependsOnTypeParam(f.Origin().Type())
}

func dependsOnTypeParam(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
		return true
	case *types.Pointer:
		return dependsOnTypeParam(t.Elem())
	case *types.Slice:
		return dependsOnTypeParam(t.Elem())
	case *types.Array:
		return dependsOnTypeParam(t.Elem())
	case *types.Map:
		return dependsOnTypeParam(t.Key()) || dependsOnTypeParam(t.Elem())
	}
	return false
}

// sinkName names where a value goes, and through what.
func sinkName(r flow.Root) string {
	if len(r.Via) > 0 {
		return fmt.Sprintf("%s via %s", r.Sink, strings.Join(r.Via, ", "))
	}
	return r.Sink
}
