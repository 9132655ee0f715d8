// Package directive reads the comments by which code says that a finding is
// meant: //surewire:ignore SW201 reason, and golangci-lint's //nolint:surewire.
package directive

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/surewire/surewire/surevet/internal/rule"
)

const prefix = "//surewire:ignore"

// A Directive is one comment.
type Directive struct {
	Pos, End token.Pos
	Codes    []string // empty means all, as with nolint
	Reason   string
	Unknown  []string // codes that are none
	NoLint   bool
	Shared   bool // on a declaration that other packages may encode
	Package  bool // on the package clause
	lines    []span
	objects  []types.Object
}

// A span is a range of lines in a file.
type span struct {
	file        *token.File
	first, last int
}

// A Fact carries the codes of a directive on a field or type to the packages
// that encode it.
type Fact struct{ Codes []string }

// AFact marks Fact as a fact of the analysis framework.
func (*Fact) AFact() {}

func (f *Fact) String() string { return "ignore " + strings.Join(f.Codes, ",") }

// An Index has the directives of a package. It is not changed once made.
type Index struct {
	fset *token.FileSet
	All  []*Directive
}

// New reads the directives of the files.
func New(fset *token.FileSet, info *types.Info, files []*ast.File) *Index {
	x := &Index{fset: fset}
	for _, file := range files {
		var found []*Directive
		for _, group := range file.Comments {
			for _, c := range group.List {
				if d := parse(c); d != nil {
					x.place(d, c, group)
					found = append(found, d)
				}
			}
		}
		if len(found) > 0 {
			x.extend(found, info, file)
			x.All = append(x.All, found...)
		}
	}
	return x
}

// parse returns the directive that a comment is, or nil.
func parse(c *ast.Comment) *Directive {
	d := &Directive{Pos: c.Pos(), End: c.End()}
	if rest, ok := strings.CutPrefix(c.Text, prefix); ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t') {
		rest, _, _ = strings.Cut(rest, "// want") // what a test of surevet expects of the line
		codes, reason, _ := strings.Cut(strings.TrimSpace(rest), " ")
		for code := range strings.SplitSeq(codes, ",") {
			if code == "" {
				continue
			}
			d.Codes = append(d.Codes, code)
			if _, ok := rule.Lookup(code); !ok {
				d.Unknown = append(d.Unknown, code)
			}
		}
		d.Reason = strings.TrimSpace(strings.TrimLeft(reason, " \t-:/"))
		return d
	}
	if rest, ok := strings.CutPrefix(c.Text, "//nolint"); ok {
		names, _, _ := strings.Cut(rest, " ")
		d.NoLint = true
		if names == "" {
			return d
		}
		for name := range strings.SplitSeq(strings.TrimPrefix(names, ":"), ",") {
			if name == "surewire" || name == "all" {
				return d
			}
		}
	}
	return nil
}

// place has d cover its own line, and the one after it if it stands alone.
func (x *Index) place(d *Directive, c *ast.Comment, group *ast.CommentGroup) {
	file := x.fset.File(c.Pos())
	d.lines = append(d.lines, span{file, file.Line(c.Pos()), file.Line(group.End()) + 1})
}

// extend widens the directives to the statement, field or declaration they stand
// on, and finds what is declared there.
func (x *Index) extend(found []*Directive, info *types.Info, file *ast.File) {
	f := x.fset.File(file.FileStart)
	trailing := map[int]bool{} // lines on which code ends
	ast.Inspect(file, func(n ast.Node) bool {
		if n != nil && n != file {
			switch n.(type) {
			case *ast.Comment, *ast.CommentGroup:
				return false
			}
			trailing[f.Line(n.End()-1)] = true
			trailing[f.Line(n.Pos())] = true
		}
		return true
	})
	for _, d := range found {
		own := f.Line(d.Pos)
		if trailing[own] {
			d.lines[0] = span{f, own, own}
		}
		d.Package = f.Line(file.Package) >= d.lines[0].first && f.Line(file.Package) <= d.lines[0].last
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if n != nil {
			for _, d := range found {
				x.cover(d, info, f, n)
			}
		}
		return true
	})
}

// cover has d cover n if n begins where d points to.
func (x *Index) cover(d *Directive, info *types.Info, f *token.File, n ast.Node) {
	s := d.lines[0]
	if first := f.Line(n.Pos()); first < s.first || first > s.last {
		return
	}
	switch n := n.(type) {
	case *ast.AssignStmt, *ast.ExprStmt, *ast.ReturnStmt, *ast.DeclStmt, *ast.GoStmt, *ast.DeferStmt, *ast.SendStmt, *ast.ValueSpec:
		d.lines = append(d.lines, span{f, f.Line(n.Pos()), f.Line(n.End())})
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Names) > 0 {
			d.constant(info.Defs[v.Names[0]])
		}
	case *ast.Field:
		for _, name := range n.Names {
			d.object(info.Defs[name])
		}
		if len(n.Names) == 0 {
			d.object(embeddedField(info, n))
		}
	case *ast.TypeSpec:
		d.object(info.Defs[n.Name])
	case *ast.GenDecl:
		for _, s := range n.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				d.object(info.Defs[s.Name])
			case *ast.ValueSpec:
				if n.Tok == token.CONST && len(s.Names) > 0 {
					d.constant(info.Defs[s.Names[0]])
				}
			}
		}
	}
}

func embeddedField(info *types.Info, n *ast.Field) types.Object {
	e := n.Type
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if id, ok := e.(*ast.Ident); ok {
		return info.Defs[id]
	}
	return nil
}

func (d *Directive) object(o types.Object) {
	if o != nil {
		d.Shared = true
		d.objects = append(d.objects, o)
	}
}

// constant takes the type of a constant's group.
func (d *Directive) constant(o types.Object) {
	if o == nil {
		return
	}
	if named, ok := types.Unalias(o.Type()).(*types.Named); ok {
		d.object(named.Obj())
	}
}

// Objects returns the fields and types that d stands on.
func (d *Directive) Objects() []types.Object { return d.objects }

// has reports whether d speaks of code.
func (d *Directive) has(code string) bool {
	return d.NoLint || slices.Contains(d.Codes, code)
}

// Match returns the directive that suppresses a finding, or nil.
func (x *Index) Match(code string, pos token.Pos, subjects []types.Object) *Directive {
	if !pos.IsValid() {
		return nil
	}
	file := x.fset.File(pos)
	line := file.Line(pos)
	for _, d := range x.All {
		if !d.has(code) {
			continue
		}
		if d.Package && !d.NoLint {
			return d
		}
		for _, s := range d.lines {
			if s.file == file && line >= s.first && line <= s.last {
				return d
			}
		}
		for _, o := range subjects {
			if slices.Contains(d.objects, o) {
				return d
			}
		}
	}
	return nil
}
