package flow

import (
	"encoding/json"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"github.com/surewire/surewire/surevet/internal/goast"
	"github.com/surewire/surewire/surevet/internal/sinks"
)

// An Origin is where bytes come from.
type Origin struct {
	Kind   OriginKind
	Maker  string        // Encoded: the encoder, and what it is called through
	Call   *ast.CallExpr // Encoded, Glued: the call; may be nil
	At     ast.Node      // Encoded, Glued, Constant: the place
	Unsure bool          // Encoded: a failure was not looked at
	param  *parameter
}

// An OriginKind tells what bytes are.
type OriginKind uint8

const (
	Unknown  OriginKind = iota
	Encoded             // by a JSON encoder
	Safe                // by surewire
	Glued               // by hand, with values among the text
	Constant            // text that looks like JSON but is not
	Fine                // text that is valid, or is no JSON
	handed              // the caller's
)

// origins returns where the bytes or the string e come from.
func (s *solver) origins(e ast.Expr, seen map[*types.Var]bool) []Origin {
	e = ast.Unparen(e)
	tv := s.info.Types[e]
	if tv.Value != nil && tv.Value.Kind() == constant.String {
		return []Origin{constantOrigin(constant.StringVal(tv.Value), e)}
	}
	if tv.IsNil() {
		return []Origin{{Kind: Fine}}
	}
	switch e := e.(type) {
	case *ast.CallExpr:
		return s.madeBy(e, seen)
	case *ast.BinaryExpr:
		if e.Op == token.ADD && s.looksGlued(e) {
			return []Origin{{Kind: Glued, Maker: "+", At: e}}
		}
	case *ast.Ident:
		v := s.variable(e)
		if p, ok := s.params[v]; ok && len(s.values[v]) == 0 {
			return []Origin{{Kind: handed, param: &p}}
		}
		if v == nil || seen[v] || v.IsField() {
			break
		}
		seen[v] = true
		var all []Origin
		for _, a := range s.values[v] {
			if a.value != nil && a.result <= 0 {
				all = append(all, s.origins(a.value, seen)...)
			} else {
				all = append(all, Origin{})
			}
		}
		if len(all) > 0 {
			return all
		}
	}
	return []Origin{{}}
}

// madeBy returns the origin of what a call or conversion gives.
func (s *solver) madeBy(c *ast.CallExpr, seen map[*types.Var]bool) []Origin {
	if s.info.Types[c.Fun].IsType() && len(c.Args) == 1 {
		return s.origins(c.Args[0], seen)
	}
	if id, ok := c.Fun.(*ast.Ident); ok && id.Name == "append" && len(c.Args) > 0 {
		return s.origins(c.Args[0], seen)
	}
	f := s.called(c)
	if f == nil || f.Pkg() == nil {
		return []Origin{{}}
	}
	if sink, ok := sinks.Lookup(f, s.receiver(c)); ok && sink.Bytes {
		if sink.Dialect == "surewire" {
			return []Origin{{Kind: Safe}}
		}
		return []Origin{{Kind: Encoded, Maker: name(f), Call: c, At: c, Unsure: s.unsure(c)}}
	}
	switch path := f.Pkg().Path(); {
	case path == "bytes" && (f.Name() == "Bytes" || f.Name() == "String") || path == "strings" && f.Name() == "String":
		if sel, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr); ok {
			if by := s.encoded[s.variable(sel.X)]; by != nil {
				return []Origin{{Kind: Encoded, Maker: "json.Encoder.Encode", Call: nil, At: by}}
			}
		}
	case path == "fmt" && (f.Name() == "Sprintf" || f.Name() == "Appendf"):
		return []Origin{s.formatted(c, f.Signature().Params().Len()-2)}
	}
	if b := s.bytesOf(f); b != nil {
		if b.Safe {
			return []Origin{{Kind: Safe}}
		}
		return []Origin{{Kind: Encoded, Maker: strings.Join(append([]string{name(f)}, b.Via...), ", ") + ", " + b.Maker, At: c}}
	}
	return []Origin{{}}
}

// formatted judges a call of a function that formats, whose argument i is the format.
func (s *solver) formatted(c *ast.CallExpr, i int) Origin {
	if i >= len(c.Args) {
		return Origin{}
	}
	v := s.info.Types[c.Args[i]].Value
	if v == nil || v.Kind() != constant.String {
		return Origin{}
	}
	format := constant.StringVal(v)
	if !looksLikeJSON(format) || !strings.Contains(format, "%") {
		return Origin{}
	}
	for _, a := range c.Args[i+1:] {
		if !s.plain(a) {
			return Origin{Kind: Glued, Maker: name(s.called(c)), Call: c, At: c}
		}
	}
	return Origin{Kind: Fine}
}

// plain reports whether the text of e needs no escapes: a number or a boolean.
func (s *solver) plain(e ast.Expr) bool {
	tv := s.info.Types[e]
	if tv.Value != nil {
		return true
	}
	if c, ok := ast.Unparen(e).(*ast.CallExpr); ok {
		if f := s.called(c); f != nil && f.Pkg() != nil && f.Pkg().Path() == "strconv" && strings.HasPrefix(f.Name(), "F") || f != nil && f.Name() == "Itoa" {
			return true
		}
	}
	u, ok := types.Unalias(tv.Type).(*types.Basic)
	return ok && u.Info()&(types.IsInteger|types.IsBoolean) != 0
}

// looksGlued reports whether a sum of strings is JSON text around values.
func (s *solver) looksGlued(e *ast.BinaryExpr) bool {
	var text strings.Builder
	glued := false
	var walk func(ast.Expr)
	walk = func(e ast.Expr) {
		e = ast.Unparen(e)
		if v := s.info.Types[e].Value; v != nil && v.Kind() == constant.String {
			text.WriteString(constant.StringVal(v))
			return
		}
		if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.ADD {
			walk(b.X)
			walk(b.Y)
			return
		}
		glued = glued || !s.plain(e)
	}
	walk(e)
	return glued && looksLikeJSON(text.String())
}

func looksLikeJSON(text string) bool {
	text = strings.TrimSpace(text)
	return text != "" && (text[0] == '{' && strings.Contains(text, `"`) || text[0] == '[' && strings.ContainsAny(text, `"{`))
}

func constantOrigin(text string, at ast.Node) Origin {
	if looksLikeJSON(text) && !json.Valid([]byte(text)) {
		return Origin{Kind: Constant, At: at}
	}
	return Origin{Kind: Fine}
}

// unsure reports whether the error of a call that encodes is dropped, or looked
// at by an if that goes on.
func (s *solver) unsure(c *ast.CallExpr) bool {
	if s.blank[c] {
		return true
	}
	a := s.adopted[c]
	if a == nil || len(a.Lhs) != 2 {
		return false
	}
	failed := s.variable(a.Lhs[1])
	after := s.blocks[a]
	if failed == nil || len(after) == 0 {
		return false
	}
	check, ok := after[0].(*ast.IfStmt)
	if !ok || check.Init != nil || check.Else != nil {
		return false
	}
	cond, ok := ast.Unparen(check.Cond).(*ast.BinaryExpr)
	if !ok || cond.Op != token.NEQ || s.variable(cond.X) != failed || !s.info.Types[cond.Y].IsNil() {
		return false
	}
	return !goast.Leaves(check.Body) && !s.assigns(check.Body, s.variable(a.Lhs[0]))
}

func (s *solver) assigns(b *ast.BlockStmt, v *types.Var) bool {
	found := false
	ast.Inspect(b, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok {
			for _, lhs := range a.Lhs {
				found = found || v != nil && s.variable(lhs) == v
			}
		}
		return true
	})
	return found
}
