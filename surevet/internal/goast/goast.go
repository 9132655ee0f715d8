// Package goast answers questions about syntax alone.
package goast

import (
	"go/ast"
	"go/token"
	"strings"
)

// IsZero reports whether e is T{} or &T{}.
func IsZero(e ast.Expr) bool {
	if u, ok := e.(*ast.UnaryExpr); ok && u.Op == token.AND {
		e = ast.Unparen(u.X)
	}
	lit, ok := e.(*ast.CompositeLit)
	return ok && len(lit.Elts) == 0
}

// Leaves reports whether a block does not go on to what follows it.
func Leaves(b *ast.BlockStmt) bool {
	found := false
	ast.Inspect(b, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt, *ast.BranchStmt:
			found = true
		case *ast.CallExpr:
			var f string
			switch fun := n.Fun.(type) {
			case *ast.Ident:
				f = fun.Name
			case *ast.SelectorExpr:
				f = fun.Sel.Name
			}
			for _, end := range []string{"panic", "Panic", "Fatal", "Exit", "Goexit", "Fail", "Must"} {
				found = found || strings.HasPrefix(f, end)
			}
		}
		return true
	})
	return found
}
