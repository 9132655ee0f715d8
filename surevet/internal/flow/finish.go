package flow

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/surewire/surewire/surevet/internal/fact"
	"github.com/surewire/surewire/surevet/internal/gotype"
	"github.com/surewire/surewire/surevet/internal/jsonshape"
	"github.com/surewire/surewire/surevet/internal/profile"
	"github.com/surewire/surewire/surevet/internal/sinks"
)

// A Root is a value that becomes JSON.
type Root struct {
	Call    *ast.CallExpr // the call that it is handed to
	At      ast.Expr      // where it is handed over, or stands in a literal
	Type    types.Type
	Inside  bool // it stands in an interface, within a literal
	Zero    bool // it is T{}: nothing in it is lost
	Open    bool // it is a parameter, and callers decide over its type
	Dialect *jsonshape.Dialect
	Sink    string
	Via     []string
	Log     bool
}

// A Send is bytes, or a value, that go to a socket.
type Send struct {
	At     ast.Node
	Sink   string
	Via    []string
	Direct bool   // a value, which the sink encodes; otherwise Origin tells
	Empty  bool   // Direct: a failure sends an empty frame
	Roots  []Root // Direct: the values
	Origin Origin
	Made   []Root // Origin of an encoder: what it encodes
}

// A Drop is an encoder's error that is not looked at.
type Drop struct {
	Call     *ast.CallExpr
	Sink     string
	Roots    []Root
	Returned bool // the bytes go to a caller, who is given no error
	Sent     bool // the bytes go to a socket
}

// finish fills r from what was solved.
func (s *solver) finish(r *Result) {
	once := map[string]bool{}
	made := map[*ast.CallExpr][]Root{}
	type use struct {
		call
		fact.Param
	}
	var sending []use
	for _, c := range s.calls {
		for _, p := range s.sinksOf(c.expr) {
			if p.Kind == sinks.Frame {
				sending = append(sending, use{c, p})
				continue
			}
			roots := s.roots(c, p, r)
			r.Roots = append(r.Roots, roots...)
			made[c.expr] = append(made[c.expr], roots...)
			if p.Kind == sinks.Send {
				s.direct(c, p, roots, once, r)
			}
			if to := s.target(c.expr); to != nil && s.fromSocket(to) {
				r.Sends = append(r.Sends, Send{At: c.expr, Sink: p.Sink, Origin: Origin{Kind: Encoded, Maker: p.Sink, At: to}})
			}
		}
	}
	for _, u := range sending {
		s.frames(u.call, u.Param, made, r)
	}
	s.methodValues(r)
	s.drops(made, r)
}

// roots returns the values that the call hands to its callee's parameter p.
func (s *solver) roots(c call, p fact.Param, r *Result) []Root {
	if p.Kind == sinks.Frame || p.Kind == sinks.Log && !profile.Strict {
		return nil
	}
	base := Root{Call: c.expr, Dialect: sinks.Dialects[p.Dialect], Sink: p.Sink, Via: s.via(c, p), Log: p.Kind == sinks.Log}
	if p.TypeArg {
		return s.typeArgument(c, p, base)
	}
	var roots []Root
	for _, arg := range s.args(c.expr, p) {
		s.reach(c.expr, arg, p, func(v value) {
			if v.typ == nil {
				return
			}
			root := base
			root.At, root.Type, root.Inside, root.Zero = v.at, v.typ, v.inside, v.zero
			root.Open = v.param != nil && !v.parts
			roots = append(roots, root)
		}, func(o Odd) {
			o.Total = base.Dialect.Total
			r.Odd = append(r.Odd, o)
		})
	}
	return roots
}

// typeArgument returns the type that a generic callee encodes.
func (s *solver) typeArgument(c call, p fact.Param, root Root) []Root {
	fun := ast.Unparen(c.expr.Fun)
	if i, ok := fun.(*ast.IndexExpr); ok {
		fun = i.X
	}
	var id *ast.Ident
	switch f := fun.(type) {
	case *ast.Ident:
		id = f
	case *ast.SelectorExpr:
		id = f.Sel
	}
	args := s.info.Instances[id].TypeArgs
	if id == nil || p.Index >= args.Len() || len(jsonshape.TypeParams(args.At(p.Index))) > 0 {
		return nil
	}
	root.At, root.Type, root.Inside = c.expr, args.At(p.Index), true
	return []Root{root}
}

// via returns the functions between the call and the sink.
func (s *solver) via(c call, p fact.Param) []string {
	if f := s.called(c.expr); f != nil && name(f) != p.Sink {
		return append([]string{name(f)}, p.Via...)
	}
	return p.Via
}

// direct notes a call that encodes and sends. A function of this package that
// does so is noted where it does; one of another package, at the first call.
func (s *solver) direct(c call, p fact.Param, roots []Root, once map[string]bool, r *Result) {
	f := s.called(c.expr)
	if f == nil || s.local[f.Origin()] != nil {
		return
	}
	via := s.via(c, p)
	if len(via) > 0 {
		if once[via[0]] {
			return
		}
		once[via[0]] = true
	}
	r.Sends = append(r.Sends, Send{At: c.expr, Sink: p.Sink, Via: via, Direct: true, Empty: p.Empty, Roots: roots})
}

// frames notes where the bytes come from that a call sends.
func (s *solver) frames(c call, p fact.Param, made map[*ast.CallExpr][]Root, r *Result) {
	for _, arg := range s.args(c.expr, p) {
		seen := map[OriginKind]bool{}
		for _, o := range s.origins(arg, map[*types.Var]bool{}) {
			if o.Kind == handed {
				o.Kind = Unknown
			}
			if seen[o.Kind] {
				continue
			}
			seen[o.Kind] = true
			r.Sends = append(r.Sends, Send{At: c.expr, Sink: p.Sink, Via: s.via(c, p), Origin: o, Made: made[o.Call]})
		}
	}
}

// methodValues notes methods that send, taken as values.
func (s *solver) methodValues(r *Result) {
	for _, sel := range s.uses {
		f, ok := s.info.Uses[sel.Sel].(*types.Func)
		if !ok {
			continue
		}
		if sink, ok := sinks.Lookup(f, nil); ok && sink.Kind == sinks.Send {
			r.Sends = append(r.Sends, Send{At: sel, Sink: name(f), Direct: true})
		}
	}
}

// drops notes the encoders whose error is dropped.
func (s *solver) drops(made map[*ast.CallExpr][]Root, r *Result) {
	for _, c := range s.calls {
		f := s.called(c.expr)
		if f == nil || !s.blank[c.expr] {
			continue
		}
		sink, ok := s.table(c.expr, f)
		if !ok || !sink.Bytes || sinks.Dialects[sink.Dialect].Total {
			continue
		}
		d := Drop{Call: c.expr, Sink: name(f), Roots: made[c.expr]}
		d.Sent = slices.ContainsFunc(r.Sends, func(x Send) bool { return x.Origin.Call == c.expr })
		d.Returned = c.fn != nil && s.returned(c)
		r.Drops = append(r.Drops, d)
	}
}

// returned reports whether the bytes that a call makes are a result of its
// function, which has no error among its results.
func (s *solver) returned(c call) bool {
	if results := c.fn.typ.Results; results != nil {
		for _, f := range results.List {
			if t := s.info.TypeOf(f.Type); t != nil && jsonshape.IsErrorInterface(t) {
				return false
			}
		}
	}
	for _, ret := range s.returns[c.fn] {
		for _, e := range ret.Results {
			if !gotype.IsText(s.info.TypeOf(e)) {
				continue
			}
			for _, o := range s.origins(e, map[*types.Var]bool{}) {
				if o.Call == c.expr {
					return true
				}
			}
		}
	}
	return false
}
