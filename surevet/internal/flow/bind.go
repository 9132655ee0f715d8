package flow

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"
)

// An assignment is one value that a variable is given.
type assignment struct {
	value  ast.Expr
	result int // which result of the call, or -1
}

// A store is a value put into a part of what a variable holds: v.F = x, v[k] = x.
type store struct{ target, value ast.Expr }

// A parameter is the place of a variable among a function's parameters.
type parameter struct {
	fn    *function
	index int
}

// A call is one call, or one use of a function as a value.
type call struct {
	expr *ast.CallExpr
	fn   *function // where it stands
	file *ast.File
}

// bindings is what the syntax of a package says of its variables.
type bindings struct {
	info    *types.Info
	params  map[*types.Var]parameter
	values  map[*types.Var][]assignment
	stores  map[*types.Var][]store
	funcs   map[types.Object]*function // by the object that names them
	calls   []call
	returns map[*function][]*ast.ReturnStmt
	blank   map[*ast.CallExpr]bool            // calls whose last result is dropped
	encoded map[*types.Var]*ast.CallExpr      // buffers that an encoder writes to
	uses    []*ast.SelectorExpr               // methods taken as values
	adopted map[*ast.CallExpr]*ast.AssignStmt // the assignment that takes a call's results
	blocks  map[ast.Stmt][]ast.Stmt           // the statements after one, in its block
}

func bind(pass *analysis.Pass) *bindings {
	b := &bindings{
		info:    pass.TypesInfo,
		params:  map[*types.Var]parameter{},
		values:  map[*types.Var][]assignment{},
		stores:  map[*types.Var][]store{},
		funcs:   map[types.Object]*function{},
		returns: map[*function][]*ast.ReturnStmt{},
		blank:   map[*ast.CallExpr]bool{},
		encoded: map[*types.Var]*ast.CallExpr{},
		adopted: map[*ast.CallExpr]*ast.AssignStmt{},
		blocks:  map[ast.Stmt][]ast.Stmt{},
	}
	called := map[ast.Expr]bool{}
	literals := map[*ast.FuncLit]*function{}
	var open []*function
	kinds := []ast.Node{
		(*ast.FuncDecl)(nil), (*ast.FuncLit)(nil), (*ast.CallExpr)(nil), (*ast.AssignStmt)(nil), (*ast.ValueSpec)(nil),
		(*ast.ReturnStmt)(nil), (*ast.SelectorExpr)(nil), (*ast.BlockStmt)(nil), (*ast.RangeStmt)(nil), (*ast.CaseClause)(nil),
	}
	var file *ast.File
	pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Nodes(append(kinds, (*ast.File)(nil)), func(n ast.Node, push bool) bool {
		if !push {
			switch n.(type) {
			case *ast.FuncDecl, *ast.FuncLit:
				open = open[:len(open)-1]
			}
			return true
		}
		var fn *function
		if len(open) > 0 {
			fn = open[len(open)-1]
		}
		switch n := n.(type) {
		case *ast.File:
			file = n
		case *ast.FuncDecl:
			open = append(open, b.declare(&function{object: b.info.Defs[n.Name], typ: n.Type, body: n.Body}))
		case *ast.FuncLit:
			f := literals[n]
			if f == nil {
				f = b.declare(&function{typ: n.Type, body: n.Body})
			}
			open = append(open, f)
		case *ast.CallExpr:
			called[ast.Unparen(n.Fun)] = true
			b.calls = append(b.calls, call{n, fn, file})
		case *ast.AssignStmt:
			b.assign(n, literals)
		case *ast.ValueSpec:
			b.spec(n, literals)
		case *ast.RangeStmt:
			b.rangeOver(n)
		case *ast.ReturnStmt:
			b.returns[fn] = append(b.returns[fn], n)
		case *ast.BlockStmt:
			b.follow(n.List)
		case *ast.CaseClause:
			b.follow(n.Body)
		case *ast.SelectorExpr:
			if !called[n] {
				b.uses = append(b.uses, n)
			}
		}
		return true
	})
	return b
}

// follow notes what comes after each assignment and declaration of a block.
func (b *bindings) follow(list []ast.Stmt) {
	for i, s := range list {
		if _, ok := s.(*ast.AssignStmt); ok {
			b.blocks[s] = list[i+1:]
		}
	}
}

func (b *bindings) declare(f *function) *function {
	if f.object != nil {
		b.funcs[f.object] = f
	}
	i := 0
	for _, field := range f.typ.Params.List {
		for _, name := range field.Names {
			if v, ok := b.info.Defs[name].(*types.Var); ok {
				b.params[v] = parameter{f, i}
			}
			i++
		}
		if len(field.Names) == 0 {
			i++
		}
	}
	return f
}

func (b *bindings) assign(n *ast.AssignStmt, literals map[*ast.FuncLit]*function) {
	if n.Tok != token.ASSIGN && n.Tok != token.DEFINE {
		return
	}
	if len(n.Rhs) == 1 && len(n.Lhs) > 1 {
		if c, ok := ast.Unparen(n.Rhs[0]).(*ast.CallExpr); ok {
			b.adopted[c] = n
			if id, ok := n.Lhs[len(n.Lhs)-1].(*ast.Ident); ok && id.Name == "_" {
				b.blank[c] = true
			}
		}
	}
	for i, lhs := range n.Lhs {
		value, result := n.Rhs[0], i
		if len(n.Lhs) == len(n.Rhs) {
			value, result = n.Rhs[i], -1
		}
		b.give(lhs, value, result, literals)
	}
}

func (b *bindings) spec(n *ast.ValueSpec, literals map[*ast.FuncLit]*function) {
	for i, name := range n.Names {
		switch {
		case len(n.Values) == len(n.Names):
			b.give(name, n.Values[i], -1, literals)
		case len(n.Values) == 1:
			b.give(name, n.Values[0], i, literals)
		}
	}
}

// rangeOver gives a variable of a range statement a value that is not traced.
func (b *bindings) rangeOver(n *ast.RangeStmt) {
	for _, e := range []ast.Expr{n.Key, n.Value} {
		if v := b.variable(e); v != nil {
			b.values[v] = append(b.values[v], assignment{nil, -1})
		}
	}
}

func (b *bindings) give(lhs, value ast.Expr, result int, literals map[*ast.FuncLit]*function) {
	lhs = ast.Unparen(lhs)
	if v := b.variable(lhs); v != nil {
		b.values[v] = append(b.values[v], assignment{value, result})
		if lit, ok := ast.Unparen(value).(*ast.FuncLit); ok && result < 0 && len(b.values[v]) == 1 {
			literals[lit] = b.declare(&function{object: v, typ: lit.Type, body: lit.Body})
		}
		return
	}
	if v := b.base(lhs); v != nil && result < 0 {
		b.stores[v] = append(b.stores[v], store{lhs, value})
	}
}

// variable returns the variable that e names, or nil.
func (b *bindings) variable(e ast.Expr) *types.Var {
	if e == nil {
		return nil
	}
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return nil
	}
	if v, ok := b.info.Defs[id].(*types.Var); ok {
		return v
	}
	v, _ := b.info.Uses[id].(*types.Var)
	return v
}

// base returns the variable of which e is a field or element.
func (b *bindings) base(e ast.Expr) *types.Var {
	switch e := ast.Unparen(e).(type) {
	case *ast.SelectorExpr:
		return b.variable(e.X)
	case *ast.IndexExpr:
		return b.variable(e.X)
	case *ast.StarExpr:
		return b.variable(e.X)
	}
	return nil
}
