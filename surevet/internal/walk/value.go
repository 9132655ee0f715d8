package walk

import (
	"fmt"
	"go/ast"
	"go/types"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/surewire/surewire/surevet/internal/flow"
	"github.com/surewire/surewire/surevet/internal/jsonshape"
	"github.com/surewire/surewire/surevet/internal/report"
)

// unsupported reports what cannot be encoded. It tells whether to look below s,
// and whether the root is refused for it, by default.
func (w *walker) unsupported(r flow.Root, s step) (more, refused bool) {
	n := s.node
	if !below(n) {
		return false, false
	}
	bad, maybe := n, s.maybe
	if n.Kind == jsonshape.Map && n.Key.Kind == jsonshape.Unsupported {
		bad = n.Key
		maybe = maybe || r.Dialect.MarshaledKeys
	}
	if bad.Kind != jsonshape.Unsupported {
		return true, false
	}
	consequence := "Marshal always fails"
	switch {
	case r.Dialect.Total:
		consequence = "null is written in its place"
	case maybe:
		consequence = "Marshal fails wherever there is one"
	}
	f := report.Finding{Code: "SW301", Strict: s.absent}
	f.Message = fmt.Sprintf("%s cannot be encoded (%s): %s", s.path, bad.Reason, consequence)
	if len(r.Via) > 0 {
		f.Message += ", via " + strings.Join(r.Via, ", ")
	}
	w.found(r, s, f)
	return true, !s.absent && !r.Dialect.Total
}

// skipped reports a marshaler that is not called.
func (w *walker) skipped(r flow.Root, s step) {
	m := s.node.Skipped
	typ := w.name(s.node.Type)
	f := report.Finding{Code: "SW302", Fixes: w.receiverFix(m)}
	f.Message = fmt.Sprintf("(*%s).%s is not called here: the value at %s is not addressable; use a value receiver or a pointer", typ, m.Name(), s.path)
	w.atSink(r, s, f)
}

// swallowed reports a struct that an embedded field's marshaler writes alone.
func (w *walker) swallowed(r flow.Root, s step) {
	n := s.node
	t := n.Type
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok || len(n.Promoted) == 0 {
		return
	}
	lost := 0
	for i := range st.NumFields() {
		f := st.Field(i)
		if f != n.Promoted[0] && f.Exported() && reflect.StructTag(st.Tag(i)).Get("json") != "-" {
			lost++
		}
	}
	if lost == 0 {
		return
	}
	s.node = &jsonshape.Node{Type: t}
	w.atType(r, s, report.Finding{Code: "SW308", Message: fmt.Sprintf(
		"%s promotes %s from embedded %s: its other fields, %d in number, are lost", w.name(t), n.Func.Name(), n.Promoted[0].Name(), lost)})
}

// open reports interfaces.
func (w *walker) open(r flow.Root, s step) {
	t := s.node.Type
	if jsonshape.IsErrorInterface(t) {
		if r.Dialect.ErrorTexts {
			return
		}
		f := report.Finding{Code: "SW303", Strict: s.first && !r.Inside}
		f.Message = fmt.Sprintf("error at %s encodes as {}: store err.Error()", s.path)
		if r.Dialect.StrictStructs {
			f.Message = fmt.Sprintf("error at %s cannot be encoded where it has no exported field: store err.Error()", s.path)
		}
		w.found(r, s, f)
		return
	}
	if s.field != nil && !dependsOnTypeParam(s.field.Origin().Type()) {
		w.found(r, s, report.Finding{Code: "SW314", Message: fmt.Sprintf("%s holds any type: what is written is not known here", s.path)})
	}
}

// structure reports structs that show nothing, or less than they have.
func (w *walker) structure(r flow.Root, s step) {
	n := s.node
	if isSQLNull(n.Type) {
		w.found(r, s, report.Finding{Code: "SW315", Message: fmt.Sprintf("%s is written as an object with Valid: use a pointer or a type that encodes as null", s.path)})
		return
	}
	if !s.marker && !(s.first && r.Zero) && showsNothing(n) {
		w.found(r, s, report.Finding{Code: "SW304", Strict: isUserinfo(n.Type), Subjects: typeObjects(n.Type),
			Message: fmt.Sprintf("%s has no exported field and no marshaler: %s encodes as {}", w.name(n.Type), s.path)})
	}
	for _, c := range n.Dropped {
		if c.Depth < 1 || len(c.Fields) < 2 {
			continue
		}
		w.atType(r, s, report.Finding{Code: "SW309", Message: fmt.Sprintf("field %q appears in %s and %s: both are dropped",
			c.Name, w.name(c.Owners[0]), w.name(c.Owners[1]))})
	}
	w.parents(r, s)
}

func typeObjects(t types.Type) []types.Object {
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return []types.Object{named.Obj()}
	}
	return nil
}

// showsNothing reports whether n has fields, and none that any encoder may see.
func showsNothing(n *jsonshape.Node) bool {
	s := n.Type.Underlying().(*types.Struct)
	hidden := false
	for f := range s.Fields() {
		if f.Exported() || f.Embedded() {
			return false
		}
		hidden = hidden || f.Name() != "_"
	}
	return hidden && len(n.Members) == 0
}

// isUserinfo reports whether t is the user of a URL. It may hold a password: that it
// shows nothing is what one wants of it.
func isUserinfo(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Userinfo" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "net/url"
}

func isSQLNull(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != "database/sql" {
		return false
	}
	return strings.HasPrefix(named.Obj().Name(), "Null")
}

// parents reports a pointer that likely leads back to where it came from.
func (w *walker) parents(r flow.Root, s step) {
	var back []jsonshape.Member
	refers := 0
	for _, m := range s.node.Members {
		if leadsTo(m.Field.Type(), s.node.Type, true) {
			refers++
			if p, ok := m.Field.Type().(*types.Pointer); ok && types.Identical(p.Elem(), s.node.Type) {
				back = append(back, m)
			}
		}
	}
	for _, m := range back {
		upward := map[string]bool{"Parent": true, "Owner": true, "Prev": true, "Up": true, "Previous": true}[m.Field.Name()]
		if refers < 2 && !upward {
			continue
		}
		next := step{node: m.Node, field: m.Field, owner: s.node.Type, path: s.path + "." + m.Field.Name(), length: s.length + 1}
		message := fmt.Sprintf("%s may lead back to its own parent, which then encodes itself: Marshal fails", next.path)
		if r.Dialect.Total {
			message = fmt.Sprintf("%s may lead back to its own parent: null is written there", next.path)
		}
		w.found(r, next, report.Finding{Code: "SW313", Strict: true, Message: message})
	}
}

// leadsTo reports whether t is a pointer to target, or a list or map of such.
func leadsTo(t, target types.Type, direct bool) bool {
	switch u := types.Unalias(t).(type) {
	case *types.Pointer:
		return types.Identical(u.Elem(), target) || leadsTo(u.Elem(), target, direct)
	case *types.Slice:
		return types.Identical(u.Elem(), target) || leadsTo(u.Elem(), target, direct)
	case *types.Map:
		return types.Identical(u.Elem(), target) || leadsTo(u.Elem(), target, direct)
	}
	return false
}

var nanoseconds = regexp.MustCompile(`(?i)(ns|nano|nanos|nanosec|nanoseconds)$`)

// number reports numbers that readers take for something else.
func (w *walker) number(r flow.Root, s step) {
	n := s.node
	u, ok := n.Type.Underlying().(*types.Basic)
	if !ok || s.field == nil {
		return
	}
	if isDuration(n.Type) {
		if !nanoseconds.MatchString(s.member.Name) {
			w.found(r, s, report.Finding{Code: "SW306", Message: fmt.Sprintf("%s is a time.Duration, written as nanoseconds", s.path)})
		}
		return
	}
	if _, f := w.enumOf(n.Type); f != nil && !f.Explicit {
		return
	}
	switch u.Kind() {
	case types.Int64, types.Uint64, types.Uintptr:
		if !n.Quoted && !r.Dialect.ExactIntegers {
			w.found(r, s, report.Finding{Code: "SW305", Message: fmt.Sprintf("64-bit %s may lose digits in JavaScript: use ,string", s.path)})
		}
	case types.Float32, types.Float64:
		message := fmt.Sprintf("%s fails to encode if it is NaN or infinite", s.path)
		if r.Dialect.Total {
			message = fmt.Sprintf("%s is written as null if it is NaN or infinite", s.path)
		}
		w.found(r, s, report.Finding{Code: "SW311", Strict: true, Message: message})
	}
}

func isDuration(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Duration" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "time"
}

// bytes reports bytes that are no text.
func (w *walker) bytes(r flow.Root, s step) {
	u, ok := s.node.Elem.Type.Underlying().(*types.Basic)
	if _, f := w.enumOf(s.node.Elem.Type); !ok || u.Kind() != types.Uint8 || f != nil || s.field == nil || s.node.Elem.Kind != jsonshape.Number {
		return
	}
	form := "base64"
	if s.node.Kind == jsonshape.Array {
		form = "a list of numbers"
	}
	w.found(r, s, report.Finding{Code: "SW307", Message: fmt.Sprintf("%s is written as %s", s.path, form)})
}

// odd reports values that no type gives away.
func (w *walker) odd() {
	for _, o := range w.flow.Odd {
		f := report.Finding{Code: "SW311", Strict: o.Maybe, Pos: o.At.Pos(), End: o.At.End()}
		what := types.ExprString(o.At)
		switch {
		case o.Cycle && o.Total:
			f.Code, f.Message = "SW313", what+" is put into itself: null is written there"
		case o.Cycle:
			f.Code, f.Message = "SW313", what+" is put into itself, and so encodes itself: Marshal fails"
		case o.Maybe && o.Total:
			f.Message = what + " may be NaN or infinite, which is written as null"
		case o.Maybe:
			f.Message = what + " may be NaN or infinite, which cannot be encoded"
		case o.Total:
			f.Message = what + " is NaN or infinite, and written as null"
		default:
			f.Message = what + " is NaN or infinite, and cannot be encoded"
		}
		w.add(key{code: f.Code, at: o.At}, 0, f)
	}
}

// drops reports encoders whose error is dropped though there may be one.
func (w *walker) drops() {
	for _, d := range w.flow.Drops {
		open, fails := false, false
		for _, r := range d.Roots {
			o, f := w.mayFail(r)
			open, fails = open || o, fails || f
		}
		if d.Sent || !fails {
			continue // what is sent is reported there
		}
		f := report.Finding{Code: "SW312", Pos: d.Call.Pos(), End: d.Call.End(), Strict: !d.Returned || !open}
		f.Message = fmt.Sprintf("error of %s discarded: nothing is written when it fails", d.Sink)
		w.add(key{code: f.Code, at: d.Call}, 0, f)
	}
}

// mayFail tells whether encoding r may fail, and whether that is because its type
// is open at the top.
func (w *walker) mayFail(r flow.Root) (open, fails bool) {
	w.each(r, w.builder(r.Dialect).Root(r.Type), func(s step) bool {
		switch s.node.Kind {
		case jsonshape.Interface:
			open = open || s.field == nil
			fails = true
		case jsonshape.Method, jsonshape.Unsupported, jsonshape.Opaque:
			fails = true
		case jsonshape.Number:
			u, ok := s.node.Type.Underlying().(*types.Basic)
			fails = fails || !ok || u.Info()&types.IsFloat != 0 || u.Info()&types.IsString != 0
		}
		return true
	})
	return open, fails
}

// tags reports tag keys that look like a mistyped json.
func (w *walker) tags() {
	for _, file := range w.pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			f, ok := n.(*ast.Field)
			if !ok || f.Tag == nil {
				return true
			}
			text, err := strconv.Unquote(f.Tag.Value)
			if _, tagged := reflect.StructTag(text).Lookup("json"); err != nil || tagged {
				return true
			}
			for _, k := range tagKey.FindAllStringSubmatch(text, -1) {
				if almostJSON(k[1]) {
					w.findings = append(w.findings, report.Finding{Code: "SW310", Pos: f.Tag.Pos(), End: f.Tag.End(),
						Message: fmt.Sprintf("tag key %q: did you mean json?", k[1])})
					w.lengths = append(w.lengths, 0)
				}
			}
			return true
		})
	}
}

var tagKey = regexp.MustCompile(`(\w+):"`)

// almostJSON reports whether key is "json" but for its case, one letter, or two
// that changed places.
func almostJSON(key string) bool {
	const want = "json"
	if key == want || key == "bson" || key == "jso" {
		return false
	}
	low := strings.ToLower(key)
	if low == want {
		return true
	}
	for i := range want {
		if low == want[:i]+want[i+1:] || len(low) == 4 && low[:i] == want[:i] && low[i+1:] == want[i+1:] {
			return true
		}
		if i > 0 && low == want[:i-1]+want[i:i+1]+want[i-1:i]+want[i+1:] {
			return true
		}
	}
	if len(low) == 5 {
		for i := range low {
			if low[:i]+low[i+1:] == want {
				return true
			}
		}
	}
	return false
}

// MayFail reports whether a value that reaches a sink may fail to encode.
func MayFail(r flow.Root) bool {
	w := &walker{built: map[*jsonshape.Dialect]*jsonshape.Builder{}}
	_, fails := w.mayFail(r)
	return fails
}
