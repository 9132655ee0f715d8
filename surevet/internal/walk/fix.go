package walk

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/surewire/surewire/surevet/internal/enum"
)

// enumFix gives the enumeration o a text. Readers that know its numbers get
// strings afterwards, so the fix says so.
func (w *walker) enumFix(o *types.TypeName, f *enum.Fact, stringer *types.Func) []analysis.SuggestedFix {
	file, decl := w.declaration(o)
	if decl == nil {
		return nil
	}
	const warning = " (existing readers get a string instead of a number; UnmarshalText does not read old numbers)"
	if stringer == nil {
		if w.hasMethod(o, "String") || w.hasMethod(o, "UnmarshalText") { // enumer writes these too
			return nil
		}
		return []analysis.SuggestedFix{{
			Message: "Generate MarshalText with enumer" + warning,
			TextEdits: []analysis.TextEdit{{Pos: decl.Pos(), End: decl.Pos(), NewText: fmt.Appendf(nil,
				"//go:generate go tool enumer -type=%s -text -trimprefix=%[1]s -transform=snake\n", o.Name())}},
		}}
	}
	if _, pointer := stringer.Signature().Recv().Type().(*types.Pointer); pointer || stringer.Pkg() != w.pass.Pkg || w.hasMethod(o, "UnmarshalText") {
		return nil
	}
	edits := []analysis.TextEdit{{Pos: decl.End(), End: decl.End(), NewText: []byte(textMethods(o.Name(), f.Names))}}
	if !w.hasName(file, "fmt") {
		edits = append(edits, analysis.TextEdit{Pos: file.Name.End(), End: file.Name.End(), NewText: []byte("\n\nimport \"fmt\"")})
	}
	return []analysis.SuggestedFix{{Message: "Add MarshalText over String, and UnmarshalText" + warning, TextEdits: edits}}
}

func textMethods(name string, constants []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n\n// MarshalText returns the name that String has for v.\n"+
		"func (v %s) MarshalText() ([]byte, error) { return []byte(v.String()), nil }\n\n", name)
	fmt.Fprintf(&b, "// UnmarshalText sets v to the value of that name.\n"+
		"func (v *%s) UnmarshalText(text []byte) error {\n\tswitch string(text) {\n", name)
	for _, c := range constants {
		fmt.Fprintf(&b, "\tcase %s.String():\n\t\t*v = %[1]s\n", c)
	}
	fmt.Fprintf(&b, "\tdefault:\n\t\treturn fmt.Errorf(\"no %s is named %%q\", text)\n\t}\n\treturn nil\n}", name)
	return b.String()
}

func (w *walker) hasMethod(o *types.TypeName, name string) bool {
	m, _, _ := types.LookupFieldOrMethod(o.Type(), true, o.Pkg(), name)
	return m != nil
}

// hasName reports whether a file imports a package under its own name.
func (w *walker) hasName(file *ast.File, path string) bool {
	for _, i := range file.Imports {
		if strings.Trim(i.Path.Value, `"`) == path && i.Name == nil {
			return true
		}
	}
	return false
}

// declaration returns the declaration of a type at package level, and its file.
func (w *walker) declaration(o *types.TypeName) (*ast.File, *ast.GenDecl) {
	for _, file := range w.pass.Files {
		if o.Pos() < file.FileStart || o.Pos() > file.FileEnd {
			continue
		}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE && !g.Lparen.IsValid() && g.Pos() <= o.Pos() && o.Pos() < g.End() {
				return file, g
			}
		}
	}
	return nil, nil
}

// receiverFix makes the receiver of f a value, if f only reads its fields.
func (w *walker) receiverFix(f *types.Func) []analysis.SuggestedFix {
	if f.Pkg() != w.pass.Pkg {
		return nil
	}
	for _, file := range w.pass.Files {
		for _, d := range file.Decls {
			decl, ok := d.(*ast.FuncDecl)
			if !ok || w.pass.TypesInfo.Defs[decl.Name] != f || decl.Body == nil {
				continue
			}
			star, ok := decl.Recv.List[0].Type.(*ast.StarExpr)
			if !ok || !w.onlyReads(decl) {
				return nil
			}
			return []analysis.SuggestedFix{{
				Message:   "Make the receiver a value (readers get what the method writes instead of the fields)",
				TextEdits: []analysis.TextEdit{{Pos: star.Pos(), End: star.X.Pos()}},
			}}
		}
	}
	return nil
}

// onlyReads reports whether a method does nothing with its receiver but read
// fields, none of which is a lock.
func (w *walker) onlyReads(decl *ast.FuncDecl) bool {
	names := decl.Recv.List[0].Names
	if len(names) == 0 {
		return true
	}
	recv, reads := w.pass.TypesInfo.Defs[names[0]], map[*ast.Ident]bool{}
	fine := true
	ast.Inspect(decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			id, ok := n.X.(*ast.Ident)
			if s := w.pass.TypesInfo.Selections[n]; ok && s != nil && s.Kind() == types.FieldVal && !copiesLock(s.Type()) {
				reads[id] = true
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				fine = fine && !w.mentions(n.X, recv)
			}
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				fine = fine && !w.mentions(lhs, recv)
			}
		case *ast.IncDecStmt:
			fine = fine && !w.mentions(n.X, recv)
		case *ast.CallExpr:
			// A method of a field may have a pointer receiver.
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && w.pass.TypesInfo.Selections[sel] != nil {
				fine = fine && !w.mentions(sel.X, recv)
			}
		}
		return true
	})
	ast.Inspect(decl.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && w.pass.TypesInfo.Uses[id] == recv {
			fine = fine && reads[id]
		}
		return true
	})
	return fine && !copiesLock(recv.Type())
}

func (w *walker) mentions(e ast.Expr, o types.Object) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && w.pass.TypesInfo.Uses[id] == o
		return true
	})
	return found
}

// copiesLock reports whether a copy of what t points to, or is, copies a lock.
func copiesLock(t types.Type) bool {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if m, _, _ := types.LookupFieldOrMethod(t, true, nil, "Lock"); m != nil {
		return true
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range s.Fields() {
		if _, pointer := f.Type().Underlying().(*types.Pointer); !pointer && copiesLock(f.Type()) {
			return true
		}
	}
	return false
}
