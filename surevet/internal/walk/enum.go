package walk

import (
	"fmt"
	"go/token"
	"go/types"

	"github.com/surewire/surewire/surevet/internal/enum"
	"github.com/surewire/surewire/surevet/internal/flow"
	"github.com/surewire/surewire/surevet/internal/jsonshape"
	"github.com/surewire/surewire/surevet/internal/report"
	"github.com/surewire/surewire/surevet/internal/std"
)

func pos(n int) token.Pos { return token.Pos(n) }

// enumOf returns the enumeration that a type is, or nil.
func (w *walker) enumOf(t types.Type) (*types.TypeName, *enum.Fact) {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return nil, nil
	}
	if f := w.flow.Enum(named.Obj()); f != nil {
		return named.Obj(), f
	}
	return nil, nil
}

// quiet reports whether an enumeration is one that only -strict speaks of.
func (w *walker) quiet(o *types.TypeName, f *enum.Fact) bool {
	return f.Explicit || std.Is(o.Pkg().Path()) && o.Pkg() != w.pass.Pkg && w.isForeign(o.Pkg())
}

// isForeign reports whether a package is of another module than the one at hand.
func (w *walker) isForeign(p *types.Package) bool {
	if w.pass.Module == nil || w.pass.Module.Path == "" {
		return true
	}
	m := w.pass.Module.Path
	return p.Path() != m && (len(p.Path()) <= len(m) || p.Path()[:len(m)+1] != m+"/")
}

// enum reports enumerations that lose their names.
func (w *walker) enum(r flow.Root, s step) {
	n := s.node
	switch n.Kind {
	case jsonshape.Number:
		if o, f := w.enumOf(n.Type); f != nil {
			message := fmt.Sprintf("enum %s reaches %s as a number (%s): add MarshalText", o.Name(), sinkName(r), s.path)
			w.found(r, s, w.named("SW201", message, n, o, f, r))
		}
	case jsonshape.Map:
		if o, f := w.enumOf(n.Key.Type); f != nil && n.Key.Kind == jsonshape.Number {
			message := fmt.Sprintf("map key %s is written as a number (%s): MarshalJSON and String are not used for keys, add MarshalText", o.Name(), s.path)
			if r.Dialect.AnyKey {
				message = fmt.Sprintf("map key %s is written as a number (%s): add MarshalText or String", o.Name(), s.path)
			} else if r.Dialect.MarshaledKeys {
				message = fmt.Sprintf("map key %s is written as a number (%s): add MarshalText", o.Name(), s.path)
			}
			w.found(r, s, w.named("SW202", message, nil, o, f, r))
		}
	case jsonshape.Base64:
		if o, f := w.enumOf(n.Elem.Type); f != nil {
			message := fmt.Sprintf("[]%s is written as base64 because its base type is uint8 (%s): add MarshalText", o.Name(), s.path)
			w.found(r, s, w.named("SW203", message, nil, o, f, r))
		}
	}
}

// named completes the finding of a rule for enumerations. n is the enumeration's
// value, if it stands for itself.
func (w *walker) named(code, message string, n *jsonshape.Node, o *types.TypeName, f *enum.Fact, r flow.Root) report.Finding {
	stringer := jsonshape.StringMethod(o.Type())
	switch {
	case r.Dialect.EnumNames && n != nil:
		message += " or String"
	case stringer != nil && n != nil:
		message += "; its String method is ignored by " + r.Dialect.Name
	}
	finding := report.Finding{
		Code: code, Message: message, Strict: w.quiet(o, f), Subjects: []types.Object{o},
	}
	if o.Pkg() == w.pass.Pkg {
		finding.Fixes = w.enumFix(o, f, stringer)
	}
	return finding
}

// logged reports enumerations in the lines of slog's JSON handler.
func (w *walker) logged(r flow.Root, n *jsonshape.Node) {
	for n.Kind == jsonshape.Pointer {
		n = n.Elem
	}
	if n.Kind != jsonshape.Number || n.Skipped != nil {
		return
	}
	if o, f := w.enumOf(n.Type); f != nil && !w.quiet(o, f) {
		w.add(key{code: "SW204", at: r.At}, 0, report.Finding{
			Code: "SW204", Pos: r.At.Pos(), End: r.At.End(), Subjects: []types.Object{o},
			Message: fmt.Sprintf("slog's JSON handler writes %s as a number: add MarshalText", o.Name()),
		})
	}
}
