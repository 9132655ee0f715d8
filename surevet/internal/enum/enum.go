// Package enum finds the integer types that are enumerations.
package enum

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/types/typeutil"
)

// A Fact says that a type is an enumeration.
type Fact struct {
	Explicit bool     // its values are written out, not counted by iota
	Names    []string // its constants, in order
}

// AFact marks Fact as a fact of the analysis framework.
func (*Fact) AFact() {}

func (f *Fact) String() string { return "enum of " + strings.Join(f.Names, ", ") }

// Find returns the enumerations that the files of a package declare: types with
// a group of constants that iota counts up, or of consecutive values. Flags, as
// made by 1 << iota, are none, nor are numbers whose String method writes the number.
func Find(info *types.Info, pkg *types.Package, files []*ast.File) map[*types.TypeName]*Fact {
	found := map[*types.TypeName]*Fact{}
	for _, file := range files {
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.CONST && len(d.Specs) > 1 {
				group(found, info, pkg, d)
			}
		}
	}
	for _, file := range files {
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok && d.Name.Name == "String" && d.Recv != nil && d.Body != nil {
				if t := numbered(info, d); t != nil {
					delete(found, t)
				}
			}
		}
	}
	return found
}

// numbered returns the type of a String method that writes the number: what has
// such a method is an index or a handle, of which a few have names.
func numbered(info *types.Info, d *ast.FuncDecl) *types.TypeName {
	names := d.Recv.List[0].Names
	if len(names) == 0 || len(d.Body.List) != 1 {
		return nil
	}
	ret, ok := d.Body.List[0].(*ast.ReturnStmt)
	recv := info.Defs[names[0]]
	if !ok || recv == nil {
		return nil
	}
	written := false
	ast.Inspect(ret, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || info.Types[call.Fun].IsType() {
			return true
		}
		f, ok := typeutil.Callee(info, call).(*types.Func)
		if !ok || f.Pkg() == nil || f.Pkg().Path() != "fmt" && f.Pkg().Path() != "strconv" {
			return true
		}
		for _, arg := range call.Args {
			written = written || isNumber(info, arg, recv)
		}
		return true
	})
	named, ok := recv.Type().(*types.Named)
	if !ok || !written {
		return nil
	}
	return named.Obj()
}

// isNumber reports whether e is v as a number: as it is, or converted to one.
func isNumber(info *types.Info, e ast.Expr, v types.Object) bool {
	e = ast.Unparen(e)
	if c, ok := e.(*ast.CallExpr); ok && len(c.Args) == 1 && info.Types[c.Fun].IsType() {
		u, ok := info.TypeOf(c).Underlying().(*types.Basic)
		return ok && u.Info()&types.IsInteger != 0 && isNumber(info, c.Args[0], v)
	}
	id, ok := e.(*ast.Ident)
	return ok && info.Uses[id] == v
}

// A member is a constant of a group.
type member struct {
	c       *types.Const
	counted bool
	shifted bool
}

func group(found map[*types.TypeName]*Fact, info *types.Info, pkg *types.Package, d *ast.GenDecl) {
	byType := map[*types.TypeName][]member{}
	var order []*types.TypeName
	var last []ast.Expr // what an empty spec repeats
	for _, s := range d.Specs {
		spec := s.(*ast.ValueSpec)
		if len(spec.Values) > 0 {
			last = spec.Values
		}
		for i, name := range spec.Names {
			c, ok := info.Defs[name].(*types.Const)
			if !ok || i >= len(last) {
				continue
			}
			t := typeName(c.Type(), pkg)
			if t == nil {
				continue
			}
			counted, shifted := usesIota(info, last[i])
			if byType[t] == nil {
				order = append(order, t)
			}
			byType[t] = append(byType[t], member{c, counted, shifted})
		}
	}
	for _, t := range order {
		if f := judge(byType[t]); f != nil && (found[t] == nil || found[t].Explicit) {
			found[t] = f
		}
	}
}

// typeName returns the type of a constant if it is an integer type of pkg.
func typeName(t types.Type, pkg *types.Package) *types.TypeName {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() != pkg || named.TypeParams().Len() > 0 {
		return nil
	}
	if u, ok := named.Underlying().(*types.Basic); !ok || u.Info()&types.IsInteger == 0 {
		return nil
	}
	return named.Obj()
}

// usesIota reports whether an expression counts, and whether it does so by bits
// or units.
func usesIota(info *types.Info, e ast.Expr) (counted, shifted bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			c, ok := info.Uses[n].(*types.Const)
			counted = counted || ok && n.Name == "iota" && c.Pkg() == nil
		case *ast.BinaryExpr:
			shifted = shifted || n.Op == token.SHL || n.Op == token.MUL
		}
		return true
	})
	return counted, shifted
}

func judge(members []member) *Fact {
	f := &Fact{}
	counted := 0
	for _, m := range members {
		if m.counted && m.shifted {
			return nil
		}
		if m.counted {
			counted++
		}
		if m.c.Name() != "_" {
			f.Names = append(f.Names, m.c.Name())
		}
	}
	if len(f.Names) < 2 {
		return nil
	}
	if counted >= 2 {
		return f
	}
	f.Explicit = true
	if len(f.Names) < 3 || !consecutive(members) {
		return nil
	}
	return f
}

// consecutive reports whether the values are distinct and without a gap.
func consecutive(members []member) bool {
	seen := map[int64]bool{}
	low, high := int64(0), int64(0)
	for i, m := range members {
		v, exact := constant.Int64Val(constant.ToInt(m.c.Val()))
		if !exact || seen[v] {
			return false
		}
		seen[v] = true
		if i == 0 || v < low {
			low = v
		}
		if i == 0 || v > high {
			high = v
		}
	}
	return high-low+1 == int64(len(members))
}
