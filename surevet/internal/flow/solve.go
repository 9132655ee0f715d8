package flow

import (
	"go/ast"
	"go/constant"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/surewire/surewire/surevet/internal/sinks"
)

// A solver finds which functions of a package hand parameters on to sinks.
type solver struct {
	*bindings
	pass    *analysis.Pass
	local   map[types.Object][]Param
	made    map[types.Object]*Bytes
	changed bool
}

func newSolver(pass *analysis.Pass) *solver {
	s := &solver{bindings: bind(pass), pass: pass, local: map[types.Object][]Param{}, made: map[types.Object]*Bytes{}}
	s.buffers()
	return s
}

// solve repeats until no function is found to be one more sink.
func (s *solver) solve() {
	for s.changed = true; s.changed; {
		s.changed = false
		for _, c := range s.calls {
			for _, p := range s.sinksOf(c.expr) {
				s.through(c, p)
			}
		}
		for fn, returns := range s.returns {
			s.results(fn, returns)
		}
	}
}

// maxVia bounds the wrappers around a sink: recursion adds no more.
const maxVia = 6

// through notes the parameters of c's function that reach parameter p of what it
// calls.
func (s *solver) through(c call, p Param) {
	if len(p.Via) >= maxVia {
		return
	}
	for _, arg := range s.args(c.expr, p) {
		if p.Kind == sinks.Frame {
			for _, o := range s.origins(arg, map[*types.Var]bool{}) {
				if o.Kind == handed {
					s.add(c, o.param, Param{Kind: p.Kind, Dialect: p.Dialect, Sink: p.Sink, Via: p.Via})
				}
			}
			continue
		}
		s.reach(arg, p, func(v value) {
			next := Param{Kind: p.Kind, Dialect: p.Dialect, Sink: p.Sink, Via: p.Via, Elements: v.parts, Empty: p.Empty}
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
func (s *solver) reach(arg ast.Expr, p Param, visit func(value), odd func(Odd)) {
	t := &tracer{bindings: s.bindings, seen: map[*types.Var]bool{}, visit: visit, odd: odd}
	if p.Elements {
		t.elements(arg)
	} else {
		t.trace(arg, arg, false)
	}
}

// add notes that a parameter reaches a sink, by way of the call c.
func (s *solver) add(c call, of *parameter, p Param) {
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

func (s *solver) insert(owner types.Object, p Param) {
	for _, known := range s.local[owner] {
		if known.Index == p.Index && known.TypeArg == p.TypeArg && known.Dialect == p.Dialect &&
			(known.Kind == p.Kind || known.Kind == sinks.Send && p.Kind == sinks.Encode) && (!known.Elements || p.Elements) {
			return
		}
	}
	s.local[owner] = append(s.local[owner], p)
	s.changed = true
}

// addTypes notes that the type arguments of c's function are encoded.
func (s *solver) addTypes(c call, v value, p Param) {
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
	for _, tp := range typeParams(v.typ) {
		for i := range f.Signature().TypeParams().Len() {
			if f.Signature().TypeParams().At(i) == tp {
				p.Index, p.TypeArg, p.Kind = i, true, sinks.Encode
				s.insert(f, p)
			}
		}
	}
}

// args returns the arguments of a call that its callee's parameter p takes.
func (s *solver) args(c *ast.CallExpr, p Param) []ast.Expr {
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
	if sig, ok := s.info.TypeOf(c.Fun).Underlying().(*types.Signature); ok && sig.Variadic() && p.Index == sig.Params().Len()-1 && !c.Ellipsis.IsValid() && !p.Elements {
		return args[p.Index:]
	}
	if p.Kind == sinks.Log && !c.Ellipsis.IsValid() {
		return args[p.Index:]
	}
	return args[p.Index : p.Index+1]
}

// sinksOf returns the parameters that the callee of c hands on.
func (s *solver) sinksOf(c *ast.CallExpr) []Param {
	f := s.called(c)
	if f == nil {
		if v := s.variable(c.Fun); v != nil {
			return s.local[v]
		}
		return nil
	}
	if sink, ok := s.table(c, f); ok {
		if sink.Kind == sinks.Encoder || sink.Kind == sinks.Writer {
			return nil
		}
		return []Param{{Index: sink.Arg, Kind: sink.Kind, Dialect: sink.Dialect, Sink: name(f), Empty: sink.Empty}}
	}
	if p, ok := s.viaInterface(f); ok {
		return []Param{p}
	}
	if p, ok := s.toWriter(c, f); ok {
		return []Param{p}
	}
	return s.paramsOf(f.Origin())
}

// paramsOf returns the sinks that a function is, by this package or by facts.
func (s *solver) paramsOf(f *types.Func) []Param {
	if f.Pkg() == s.pass.Pkg {
		return s.local[f]
	}
	var fact Sinks
	if f.Pkg() != nil && s.pass.ImportObjectFact(f, &fact) {
		return fact.Params
	}
	return nil
}

// table returns the line of the table for a call, if the call is of that kind.
func (s *solver) table(c *ast.CallExpr, f *types.Func) (sinks.Sink, bool) {
	sink, ok := sinks.Lookup(f, s.receiver(c))
	if !ok || sink.Op && (sink.OpArg >= len(c.Args) || !s.isConstant(c.Args[sink.OpArg], sink.OpValue)) {
		return sink, false
	}
	return sink, true
}

func (s *solver) isConstant(e ast.Expr, want int64) bool {
	v := s.info.Types[e].Value
	if v == nil {
		return false
	}
	got, ok := constant.Int64Val(constant.ToInt(v))
	return ok && got == want
}

// viaInterface takes a method WriteJSON(any) of an interface for that of a socket.
func (s *solver) viaInterface(f *types.Func) (Param, bool) {
	sig := f.Signature()
	if f.Name() != "WriteJSON" || sig.Recv() == nil || !types.IsInterface(sig.Recv().Type()) || sig.Params().Len() != 1 {
		return Param{}, false
	}
	i, ok := sig.Params().At(0).Type().Underlying().(*types.Interface)
	if !ok || !i.Empty() {
		return Param{}, false
	}
	return Param{Kind: sinks.Send, Dialect: "v1", Sink: name(f)}, true
}

// toWriter takes Write on a socket's writer as sending what is written.
func (s *solver) toWriter(c *ast.CallExpr, f *types.Func) (Param, bool) {
	sel, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr)
	if !ok || f.Name() != "Write" || !s.fromSocket(sel.X) {
		return Param{}, false
	}
	return Param{Kind: sinks.Frame, Dialect: "-", Sink: name(f)}, true
}

// fromSocket reports whether e is a variable that holds the writer of a text frame.
func (s *solver) fromSocket(e ast.Expr) bool {
	v := s.variable(e)
	if v == nil {
		return false
	}
	for _, a := range s.values[v] {
		c, ok := a.value.(*ast.CallExpr)
		if !ok || a.result > 0 {
			continue
		}
		if f := s.called(c); f != nil {
			if sink, ok := s.table(c, f); ok && sink.Kind == sinks.Writer {
				return true
			}
		}
	}
	return false
}

// target returns what the encoder on which Encode is called writes to, or nil.
func (s *solver) target(c *ast.CallExpr) ast.Expr {
	sel, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	made, ok := ast.Unparen(sel.X).(*ast.CallExpr)
	if v := s.variable(sel.X); !ok && v != nil && len(s.values[v]) == 1 && s.values[v][0].value != nil {
		made, ok = ast.Unparen(s.values[v][0].value).(*ast.CallExpr)
	}
	if !ok {
		return nil
	}
	f := s.called(made)
	if f == nil {
		return nil
	}
	if sink, ok := s.table(made, f); ok && sink.Kind == sinks.Encoder && sink.Arg < len(made.Args) {
		return made.Args[sink.Arg]
	}
	return nil
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

// results notes a function whose first result is JSON.
func (s *solver) results(fn *function, returns []*ast.ReturnStmt) {
	if fn == nil || fn.object == nil || s.made[fn.object] != nil {
		return
	}
	for _, r := range returns {
		if len(r.Results) == 0 || !textual(s.info.TypeOf(r.Results[0])) {
			continue
		}
		for _, o := range s.origins(r.Results[0], map[*types.Var]bool{}) {
			switch o.Kind {
			case Safe:
				s.made[fn.object] = &Bytes{Safe: true}
			case Encoded:
				via := strings.Split(o.Maker, ", ")
				if len(via) < maxVia {
					s.made[fn.object] = &Bytes{Maker: via[len(via)-1], Via: via[:len(via)-1]}
				}
			}
		}
	}
	s.changed = s.changed || s.made[fn.object] != nil
}

// textual reports whether t is a string or bytes.
func textual(t types.Type) bool {
	if t == nil {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&types.IsString != 0
	case *types.Slice:
		b, ok := u.Elem().Underlying().(*types.Basic)
		return ok && b.Kind() == types.Uint8
	}
	return false
}

func (s *solver) bytesOf(f *types.Func) *Bytes {
	if f.Pkg() == s.pass.Pkg {
		return s.made[f.Origin()]
	}
	fact := new(Bytes)
	if s.pass.ImportObjectFact(f.Origin(), fact) {
		return fact
	}
	return nil
}

// export makes facts of what other packages can call.
func (s *solver) export() {
	found := false
	for o, params := range s.local {
		if f, ok := o.(*types.Func); ok && f.Exported() {
			slices.SortFunc(params, func(x, y Param) int { return x.Index - y.Index })
			s.pass.ExportObjectFact(f, &Sinks{params})
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
		s.pass.ExportPackageFact(new(Reaches))
	}
}

// called returns the function or method that a call calls by name, or nil.
func (b *bindings) called(c *ast.CallExpr) *types.Func {
	f, _ := typeutil.Callee(b.info, c).(*types.Func)
	return f
}

// receiver returns the package-level variable that a method is called on, or nil.
func (b *bindings) receiver(c *ast.CallExpr) *types.Var {
	sel, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	if x, ok := sel.X.(*ast.SelectorExpr); ok {
		v, _ := b.info.Uses[x.Sel].(*types.Var)
		if v != nil && v.IsField() {
			return nil
		}
		return v
	}
	return nil
}

func (s *solver) isWrapper(c *ast.CallExpr) bool {
	f := s.called(c)
	if f == nil {
		return true
	}
	_, known := s.table(c, f)
	return !known
}

// name returns a function as messages write it: json.Marshal, websocket.Conn.WriteJSON.
func name(f *types.Func) string {
	n := f.Name()
	if r := sinks.Receiver(f); r != "" {
		n = r + "." + n
	}
	if f.Pkg() != nil {
		n = f.Pkg().Name() + "." + n
	}
	return n
}
