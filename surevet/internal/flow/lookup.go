package flow

import (
	"go/ast"
	"go/constant"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/surewire/surewire/surevet/internal/fact"
	"github.com/surewire/surewire/surevet/internal/sinks"
)

// sinksOf returns the parameters that the callee of c hands on.
func (s *solver) sinksOf(c *ast.CallExpr) []fact.Param {
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
		return []fact.Param{{Index: sink.Arg, Kind: sink.Kind, Dialect: sink.Dialect, Sink: name(f), Empty: sink.Empty}}
	}
	if p, ok := s.viaInterface(f); ok {
		return []fact.Param{p}
	}
	if p, ok := s.toWriter(c, f); ok {
		return []fact.Param{p}
	}
	return s.paramsOf(f.Origin())
}

// paramsOf returns the sinks that a function is, by this package or by facts.
func (s *solver) paramsOf(f *types.Func) []fact.Param {
	if f.Pkg() == s.pass.Pkg {
		return s.local[f]
	}
	var known fact.Sinks
	if f.Pkg() != nil && s.pass.ImportObjectFact(f, &known) {
		return known.Params
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
func (s *solver) viaInterface(f *types.Func) (fact.Param, bool) {
	sig := f.Signature()
	if f.Name() != "WriteJSON" || sig.Recv() == nil || !types.IsInterface(sig.Recv().Type()) || sig.Params().Len() != 1 {
		return fact.Param{}, false
	}
	i, ok := sig.Params().At(0).Type().Underlying().(*types.Interface)
	if !ok || !i.Empty() {
		return fact.Param{}, false
	}
	return fact.Param{Kind: sinks.Send, Dialect: "v1", Sink: name(f)}, true
}

// toWriter takes Write on a socket's writer as sending what is written.
func (s *solver) toWriter(c *ast.CallExpr, f *types.Func) (fact.Param, bool) {
	sel, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr)
	if !ok || f.Name() != "Write" || !s.fromSocket(sel.X) {
		return fact.Param{}, false
	}
	return fact.Param{Kind: sinks.Frame, Dialect: "-", Sink: name(f)}, true
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
