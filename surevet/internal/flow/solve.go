package flow

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/surewire/surewire/surevet/internal/fact"
	"github.com/surewire/surewire/surevet/internal/gotype"
	"github.com/surewire/surewire/surevet/internal/jsonshape"
	"github.com/surewire/surewire/surevet/internal/sinks"
)

// A solver finds which functions of a package hand parameters on to sinks.
type solver struct {
	*bindings
	pass    *analysis.Pass
	local   map[types.Object][]fact.Param
	made    map[types.Object]*fact.Bytes
	callers map[types.Object][]call // calls of this package's functions
	grown   []types.Object          // functions whose sinks have become more
}

func newSolver(pass *analysis.Pass) *solver {
	s := &solver{
		bindings: bind(pass), pass: pass,
		local: map[types.Object][]fact.Param{}, made: map[types.Object]*fact.Bytes{}, callers: map[types.Object][]call{},
	}
	s.buffers()
	return s
}

// solve starts at the calls of sinks that are known, and goes to the callers of
// each function that is found to be one more.
func (s *solver) solve() {
	for _, c := range s.calls {
		if o := s.callee(c.expr); o != nil && o.Pkg() == s.pass.Pkg {
			s.callers[o] = append(s.callers[o], c)
		}
		s.hand(c)
	}
	for len(s.grown) > 0 {
		o := s.grown[0]
		s.grown = s.grown[1:]
		for _, c := range s.callers[o] {
			s.hand(c)
		}
	}
	for changed := true; changed; {
		changed = false
		for fn, returns := range s.returns {
			changed = s.results(fn, returns) || changed
		}
	}
}

// hand notes the parameters that c hands on, by what is known of its callee.
func (s *solver) hand(c call) {
	for _, p := range s.sinksOf(c.expr) {
		s.through(c, p)
	}
}

// callee returns the function that a call calls, or the variable that holds it.
func (s *solver) callee(c *ast.CallExpr) types.Object {
	if f := s.called(c); f != nil {
		return f.Origin()
	}
	if v := s.variable(c.Fun); v != nil {
		return v
	}
	return nil
}

// maxVia bounds the wrappers around a sink: recursion adds no more.
const maxVia = 6

// through notes the parameters of c's function that reach parameter p of what it
// calls.
func (s *solver) through(c call, p fact.Param) {
	if len(p.Via) >= maxVia {
		return
	}
	for _, arg := range s.args(c.expr, p) {
		if p.Kind == sinks.Frame {
			for _, o := range s.origins(arg, map[*types.Var]bool{}) {
				if o.Kind == handed {
					s.add(c, o.param, fact.Param{Kind: p.Kind, Dialect: p.Dialect, Sink: p.Sink, Via: p.Via})
				}
			}
			continue
		}
		s.reach(c.expr, arg, p, func(v value) {
			next := fact.Param{Kind: p.Kind, Dialect: p.Dialect, Sink: p.Sink, Via: p.Via, Elements: v.parts, Empty: p.Empty}
			if v.inside || v.parts {
				next.Kind = sinks.Encode
			}
			if v.param != nil {
				s.add(c, v.param, next)
			} else if v.typ != nil {
				s.addTypes(c, v, next)
			}
		}, func(Odd) {})
	}
}

// reach visits what an argument for parameter p may be.
func (s *solver) reach(c *ast.CallExpr, arg ast.Expr, p fact.Param, visit func(value), odd func(Odd)) {
	t := &tracer{bindings: s.bindings, seen: map[*types.Var]bool{}, visit: visit, odd: odd}
	switch {
	case p.Elements && s.spread(c, p):
		t.trace(arg, arg, true)
	case p.Elements:
		t.elements(arg)
	default:
		t.trace(arg, arg, false)
	}
}

// add notes that a parameter reaches a sink, by way of the call c.
func (s *solver) add(c call, of *parameter, p fact.Param) {
	owner := of.fn.object
	if owner == nil {
		return
	}
	p.Index = of.index
	if callee := s.called(c.expr); callee != nil && (s.local[callee.Origin()] != nil || len(p.Via) > 0 || s.isWrapper(c.expr)) {
		p.Via = append([]string{name(callee)}, p.Via...)
	}
	s.insert(owner, p)
}

func (s *solver) insert(owner types.Object, p fact.Param) {
	for _, known := range s.local[owner] {
		if known.Index == p.Index && known.TypeArg == p.TypeArg && known.Dialect == p.Dialect &&
			(known.Kind == p.Kind || known.Kind == sinks.Send && p.Kind == sinks.Encode) && (!known.Elements || p.Elements) {
			return
		}
	}
	s.local[owner] = append(s.local[owner], p)
	s.grown = append(s.grown, owner)
}

// addTypes notes that the type arguments of c's function are encoded.
func (s *solver) addTypes(c call, v value, p fact.Param) {
	if c.fn == nil || c.fn.object == nil {
		return
	}
	e := ast.Unparen(v.at)
	if u, ok := e.(*ast.UnaryExpr); ok {
		e = u.X
	}
	if _, literal := e.(*ast.CompositeLit); literal {
		return // what stands in it is traced
	}
	f, ok := c.fn.object.(*types.Func)
	if !ok {
		return
	}
	for _, tp := range jsonshape.TypeParams(v.typ) {
		for i := range f.Signature().TypeParams().Len() {
			if f.Signature().TypeParams().At(i) == tp {
				p.Index, p.TypeArg, p.Kind = i, true, sinks.Encode
				s.insert(f, p)
			}
		}
	}
}

// args returns the arguments of a call that its callee's parameter p takes.
func (s *solver) args(c *ast.CallExpr, p fact.Param) []ast.Expr {
	if p.TypeArg {
		return nil
	}
	args := c.Args
	if sel, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr); ok {
		if m := s.info.Selections[sel]; m != nil && m.Kind() == types.MethodExpr && len(args) > 0 {
			args = args[1:]
		}
	}
	if p.Index >= len(args) {
		return nil
	}
	if s.spread(c, p) || p.Kind == sinks.Log && !c.Ellipsis.IsValid() {
		return args[p.Index:]
	}
	return args[p.Index : p.Index+1]
}

// spread reports whether parameter p takes the rest of the arguments one by one.
func (s *solver) spread(c *ast.CallExpr, p fact.Param) bool {
	sig, ok := s.info.TypeOf(c.Fun).Underlying().(*types.Signature)
	return ok && sig.Variadic() && p.Index == sig.Params().Len()-1 && !c.Ellipsis.IsValid()
}

// buffers finds the variables that encoders write to.
func (s *solver) buffers() {
	for _, c := range s.calls {
		f := s.called(c.expr)
		if f == nil || f.Name() != "Encode" {
			continue
		}
		to := s.target(c.expr)
		if to == nil {
			continue
		}
		if u, ok := ast.Unparen(to).(*ast.UnaryExpr); ok {
			to = u.X
		}
		if v := s.variable(to); v != nil {
			s.encoded[v] = c.expr
		}
	}
}

// results notes a function whose first result is JSON, and reports whether it was
// found just now.
func (s *solver) results(fn *function, returns []*ast.ReturnStmt) bool {
	if fn == nil || fn.object == nil || s.made[fn.object] != nil {
		return false
	}
	for _, r := range returns {
		if len(r.Results) == 0 || !gotype.IsText(s.info.TypeOf(r.Results[0])) {
			continue
		}
		for _, o := range s.origins(r.Results[0], map[*types.Var]bool{}) {
			via := strings.Split(o.Maker, ", ")
			switch {
			case o.Kind == Safe:
				s.made[fn.object] = &fact.Bytes{Safe: true}
			case o.Kind == Encoded && len(via) < maxVia:
				s.made[fn.object] = &fact.Bytes{Maker: via[len(via)-1], Via: via[:len(via)-1]}
			}
		}
	}
	return s.made[fn.object] != nil
}

func (s *solver) bytesOf(f *types.Func) *fact.Bytes {
	if f.Pkg() == s.pass.Pkg {
		return s.made[f.Origin()]
	}
	known := new(fact.Bytes)
	if s.pass.ImportObjectFact(f.Origin(), known) {
		return known
	}
	return nil
}

// export makes facts of what other packages can call.
func (s *solver) export() {
	found := false
	for o, params := range s.local {
		if f, ok := o.(*types.Func); ok && f.Exported() {
			slices.SortFunc(params, func(x, y fact.Param) int { return x.Index - y.Index })
			s.pass.ExportObjectFact(f, &fact.Sinks{Params: params})
			found = true
		}
	}
	for o, b := range s.made {
		if f, ok := o.(*types.Func); ok && f.Exported() {
			s.pass.ExportObjectFact(f, b)
			found = true
		}
	}
	if found {
		s.pass.ExportPackageFact(new(fact.Reaches))
	}
}
