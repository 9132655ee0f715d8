package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"

	"github.com/surewire/surewire/surevet/internal/goast"
	"github.com/surewire/surewire/surevet/internal/gotype"
	"github.com/surewire/surewire/surevet/internal/jsonshape"
)

// A value is something that reaches a sink.
type value struct {
	at     ast.Expr   // where it is handed over, or stands in a literal
	typ    types.Type // as far as it is known here
	inside bool       // it stands in an interface, within a literal
	param  *parameter // it comes from this parameter, if not nil
	zero   bool       // it is T{}: there is nothing in it
	parts  bool       // of the parameter, only what callers put inside is open
}

// A tracer follows an expression back to the values it may be.
type tracer struct {
	*bindings
	seen  map[*types.Var]bool
	visit func(value)
	odd   func(Odd)
}

// An Odd is a value that no type gives away.
type Odd struct {
	At    ast.Expr
	Cycle bool // a container put into itself; otherwise NaN or an infinity
	Maybe bool // a quotient, which may be no number
	Total bool // the encoder repairs it
}

// trace visits the values that e may be. at is the place to report them.
func (t *tracer) trace(e, at ast.Expr, inside bool) {
	e = ast.Unparen(e)
	tv, ok := t.info.Types[e]
	if !ok || tv.Type == nil || tv.IsNil() {
		return
	}
	if c, ok := e.(*ast.CallExpr); ok && len(c.Args) == 1 && t.info.Types[c.Fun].IsType() && types.IsInterface(tv.Type) {
		t.trace(c.Args[0], at, inside)
		return
	}
	v := t.variable(e)
	p, isParam := t.params[v]
	_, generic := tv.Type.(*types.TypeParam)
	switch {
	case isParam && (generic || types.IsInterface(tv.Type)):
		t.visit(value{at: at, typ: tv.Type, inside: inside, param: &p})
	case types.IsInterface(tv.Type) && !generic && v != nil && len(t.values[v]) > 0:
		if t.seen[v] {
			return
		}
		t.seen[v] = true
		for _, a := range t.values[v] {
			if a.value != nil && a.result < 0 {
				t.trace(a.value, at, inside)
			} else {
				t.visit(value{at: at, typ: tv.Type, inside: inside})
			}
		}
	default:
		found := value{at: at, typ: tv.Type, inside: inside, zero: goast.IsZero(e)}
		if isParam {
			found.param, found.parts = &p, len(jsonshape.TypeParams(tv.Type)) == 0
		}
		t.visit(found)
		t.number(e, at)
		t.elements(e)
	}
}

// elements visits what stands in the interfaces of a literal, or of a variable
// that holds one.
func (t *tracer) elements(e ast.Expr) {
	e = ast.Unparen(e)
	switch e := e.(type) {
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			t.elements(e.X)
		}
	case *ast.CompositeLit:
		t.literal(e)
	case *ast.CallExpr:
		if id, ok := e.Fun.(*ast.Ident); ok && id.Name == "append" && len(e.Args) > 0 {
			t.elements(e.Args[0])
			if s, ok := t.info.TypeOf(e).Underlying().(*types.Slice); ok && !e.Ellipsis.IsValid() {
				for _, a := range e.Args[1:] {
					t.slot(s.Elem(), a)
				}
			}
		} else if t.info.Types[e.Fun].IsType() && len(e.Args) == 1 {
			t.elements(e.Args[0])
		}
	case *ast.Ident:
		t.contents(t.variable(e))
	}
}

// contents visits what a variable was given, and what was put into it.
func (t *tracer) contents(v *types.Var) {
	if v == nil || t.seen[v] || v.IsField() {
		return
	}
	t.seen[v] = true
	if p, ok := t.params[v]; ok && gotype.HoldsInterfaces(v.Type()) {
		t.visit(value{param: &p, parts: true})
	}
	for _, a := range t.values[v] {
		if a.value != nil && a.result < 0 {
			t.elements(a.value)
		}
	}
	for _, s := range t.stores[v] {
		if t.variable(s.value) == v && !gotype.IsCopied(v.Type()) {
			t.odd(Odd{At: s.value, Cycle: true})
			continue
		}
		if sel, ok := s.target.(*ast.SelectorExpr); ok && t.hidden(sel) {
			continue
		}
		if typ := t.info.TypeOf(s.target); typ != nil {
			t.slot(typ, s.value)
		}
	}
}

// hidden reports whether sel is a field that no encoder writes.
func (t *tracer) hidden(sel *ast.SelectorExpr) bool {
	s, ok := t.info.Selections[sel]
	if !ok || s.Kind() != types.FieldVal || len(s.Index()) != 1 {
		return false
	}
	typ := s.Recv()
	if p, ok := typ.Underlying().(*types.Pointer); ok {
		typ = p.Elem()
	}
	st, ok := typ.Underlying().(*types.Struct)
	return ok && (unwritten(st, s.Index()[0]) || jsonshape.HasMarshaler(typ))
}

func unwritten(s *types.Struct, i int) bool {
	f := s.Field(i)
	return !f.Exported() && !f.Embedded() || reflect.StructTag(s.Tag(i)).Get("json") == "-"
}

func (t *tracer) literal(lit *ast.CompositeLit) {
	typ := t.info.TypeOf(lit)
	if typ == nil || jsonshape.HasMarshaler(typ) {
		return
	}
	if p, ok := typ.Underlying().(*types.Pointer); ok {
		typ = p.Elem() // &T elided within a literal
	}
	var elem types.Type
	switch u := typ.Underlying().(type) {
	case *types.Struct:
		t.fields(lit, u)
		return
	case *types.Map:
		elem = u.Elem()
	case *types.Slice:
		elem = u.Elem()
	case *types.Array:
		elem = u.Elem()
	default:
		return
	}
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			e = kv.Value
		}
		t.slot(elem, e)
	}
}

func (t *tracer) fields(lit *ast.CompositeLit, s *types.Struct) {
	for i, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			id, isIdent := kv.Key.(*ast.Ident)
			if !isIdent {
				return
			}
			i, e = gotype.Field(s, id.Name), kv.Value
		}
		if i >= 0 && i < s.NumFields() && !unwritten(s, i) {
			t.slot(s.Field(i).Type(), e)
		}
	}
}

// slot visits a value that stands where a literal has a place of type typ.
func (t *tracer) slot(typ types.Type, e ast.Expr) {
	_, generic := types.Unalias(typ).(*types.TypeParam)
	switch {
	case jsonshape.IsErrorInterface(typ): // the place itself is reported
	case generic || types.IsInterface(typ):
		t.trace(e, e, true)
	default:
		t.number(e, e)
		t.elements(e)
	}
}

// number tells of an expression that is, or may be, NaN or an infinity.
func (t *tracer) number(e, at ast.Expr) {
	typ := t.info.TypeOf(e)
	u, ok := typ.Underlying().(*types.Basic)
	if !ok || u.Info()&types.IsFloat == 0 {
		return
	}
	e = ast.Unparen(e)
	if v := t.variable(e); v != nil && !v.IsField() && len(t.values[v]) == 1 && t.values[v][0].result < 0 && t.values[v][0].value != nil {
		e = ast.Unparen(t.values[v][0].value)
	}
	switch e := e.(type) {
	case *ast.CallExpr:
		if f := t.called(e); f != nil && f.Pkg() != nil && f.Pkg().Path() == "math" && (f.Name() == "NaN" || f.Name() == "Inf") {
			t.odd(Odd{At: at})
		}
	case *ast.BinaryExpr:
		if e.Op == token.QUO && t.info.Types[e.Y].Value == nil {
			t.odd(Odd{At: at, Maybe: true})
		}
	}
}
