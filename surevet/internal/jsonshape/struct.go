package jsonshape

import (
	"cmp"
	"fmt"
	"go/types"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// A field is a candidate for a member.
type field struct {
	v         *types.Var
	name      string
	tagged    bool
	options   string
	index     []int
	via       []string
	owner     types.Type
	addressed bool // by itself, or through an embedded pointer
	optional  bool // through an embedded pointer
}

// A level is a struct whose fields are candidates.
type level struct {
	typ       types.Type
	index     []int
	via       []string
	addressed bool
	optional  bool
	again     bool // embedded before: v1 has its fields twice, v2 without what they embed
}

// structure fills n by the rules for fields of encoding/json, or of its v2.
func (b *Builder) structure(n *Node, s *types.Struct, addressed, quoted bool) {
	n.Kind = Struct
	w := &walker{b: b, node: n, seen: map[types.Type]bool{}}
	current := []level{{typ: n.Type, addressed: addressed}}
	for len(current) > 0 {
		w.next, w.count = nil, map[types.Type]int{}
		for _, l := range current {
			if w.seen[l.typ] && !b.dialect.StrictStructs {
				continue
			}
			w.seen[l.typ] = true
			w.fields(l)
		}
		current = w.next
	}
	if w.fault != "" {
		n.Kind, n.Reason = Unsupported, w.fault
		return
	}
	for _, f := range dominant(n, w.found) {
		inside := quoted && b.dialect.StringsInside || quotes(b.dialect, f)
		m := Member{Name: f.name, Field: f.v, Options: f.options, Via: f.via}
		m.Optional = f.optional || m.Elided()
		if b.dialect.StrictStructs && strings.Contains(f.options, "format:") {
			m.Node = &Node{Type: f.v.Type()}
		} else {
			m.Node = b.node(f.v.Type(), f.addressed, inside)
		}
		n.Members = append(n.Members, m)
	}
}

// A walker collects candidates, level by level.
type walker struct {
	b     *Builder
	node  *Node
	found []field
	seen  map[types.Type]bool
	next  []level
	count map[types.Type]int
	fault string // why the struct is an error to the dialect
}

func (w *walker) faultf(format string, args ...any) {
	if w.fault == "" {
		w.fault = fmt.Sprintf(format, args...)
	}
}

func (w *walker) fields(l level) {
	s := l.typ.Underlying().(*types.Struct)
	names := map[string]string{}
	tags, shown := false, false
	for i := range s.NumFields() {
		v := s.Field(i)
		tag, hasTag := reflect.StructTag(s.Tag(i)).Lookup("json")
		tags = tags || hasTag
		if tag == "-" {
			continue
		}
		if !v.Exported() && !v.Embedded() {
			if hasTag && w.b.dialect.StrictStructs {
				w.faultf("unexported field %s has a tag", v.Name())
			}
			continue
		}
		shown = true
		f := field{
			v: v, owner: l.typ, via: l.via, addressed: l.addressed, optional: l.optional,
			index: append(slices.Clip(l.index), i),
		}
		name, options, _ := strings.Cut(tag, ",")
		f.options = options
		if validName(name) || name != "" && w.b.dialect.StrictStructs {
			f.name, f.tagged = name, true
		}
		w.candidate(l, f, names)
	}
	if w.b.dialect.StrictStructs && s.NumFields() > 0 && !tags && !shown {
		w.faultf("%s has no exported field", Name(l.typ))
	}
}

// candidate queues f's struct if it is embedded, and takes f otherwise.
func (w *walker) candidate(l level, f field, names map[string]string) {
	t := types.Unalias(f.v.Type())
	pointer, isPointer := t.(*types.Pointer)
	if isPointer {
		t = types.Unalias(pointer.Elem())
	}
	_, isStruct := t.Underlying().(*types.Struct)
	strict := w.b.dialect.StrictStructs
	inlined := strict && (hasOption(f.options, "inline") || hasOption(f.options, "unknown"))
	if strict && f.v.Embedded() && !f.tagged && !isStruct && !inlined {
		w.faultf("embedded field %s, which is no struct, has no name", f.v.Name())
		return
	}
	if inlined && !isStruct {
		w.node.Open = true
		return
	}
	if f.v.Embedded() && !f.v.Exported() && !isStruct {
		return
	}
	if (!f.v.Embedded() || f.tagged || !isStruct) && !inlined {
		w.take(l, f, t, names)
		return
	}
	if strict && f.options != "" && f.options != "inline" && f.options != "unknown" {
		w.faultf("embedded field %s has options but no name", f.v.Name())
	}
	if strict && hasAnyMethod(t) {
		w.faultf("embedded field %s has methods that marshal or unmarshal", f.v.Name())
	}
	w.count[t]++
	if strict && l.again {
		return
	}
	if !strict && w.count[t] > 1 {
		w.again(t)
		return
	}
	again := strict && w.seen[t]
	w.seen[t] = w.seen[t] || strict
	w.next = append(w.next, level{
		typ: t, index: f.index, via: append(slices.Clip(l.via), f.v.Name()), again: again,
		addressed: l.addressed || isPointer, optional: l.optional || isPointer,
	})
}

// again marks the queued struct as embedded more than once on its depth: its
// fields annul each other.
func (w *walker) again(t types.Type) {
	for i := range w.next {
		if w.next[i].typ == t {
			w.next[i].again = true
		}
	}
}

func (w *walker) take(l level, f field, t types.Type, names map[string]string) {
	if f.name == "" {
		f.name = f.v.Name()
	}
	if w.b.dialect.StrictStructs {
		if !f.v.Exported() && hasAnyMethod(t) {
			w.faultf("field %s is not exported for method calls", f.v.Name())
		}
		if other, ok := names[f.name]; ok {
			w.faultf("fields %s and %s have the name %q", other, f.v.Name(), f.name)
		}
		names[f.name] = f.v.Name()
	}
	w.found = append(w.found, f)
	if l.again && !w.b.dialect.StrictStructs {
		w.found = append(w.found, f)
	}
}

// dominant returns the fields that are written, in the order of the struct, and
// notes in n those that annul each other.
func dominant(n *Node, found []field) []field {
	slices.SortStableFunc(found, func(x, y field) int {
		return cmp.Or(strings.Compare(x.name, y.name), cmp.Compare(len(x.index), len(y.index)), btoi(y.tagged)-btoi(x.tagged))
	})
	var kept []field
	for len(found) > 0 {
		end := 1
		for end < len(found) && found[end].name == found[0].name {
			end++
		}
		same := found[:end]
		found = found[end:]
		first := same[0]
		if len(same) == 1 || len(same[1].index) != len(first.index) || same[1].tagged != first.tagged {
			kept = append(kept, first)
			continue
		}
		c := Conflict{Name: first.name, Depth: len(first.index) - 1}
		for _, f := range same {
			if len(f.index) == len(first.index) && f.tagged == first.tagged {
				c.Fields = append(c.Fields, f.v)
				c.Owners = append(c.Owners, f.owner)
			}
		}
		n.Dropped = append(n.Dropped, c)
	}
	slices.SortFunc(kept, func(x, y field) int { return slices.Compare(x.index, y.index) })
	return kept
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// quotes reports whether the option "string" has an effect on f.
func quotes(d *Dialect, f field) bool {
	if !hasOption(f.options, "string") {
		return false
	}
	if d.StringsInside {
		return true
	}
	t := types.Unalias(f.v.Type())
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	u, ok := t.Underlying().(*types.Basic)
	return ok && u.Info()&(types.IsBoolean|types.IsInteger|types.IsFloat|types.IsString) != 0
}

func hasOption(options, name string) bool {
	for o := range strings.SplitSeq(options, ",") {
		if o == name {
			return true
		}
	}
	return false
}

func hasAnyMethod(t types.Type) bool {
	for _, m := range []method{unmarshalJSON, unmarshalText} {
		if f, _ := find(t, m, true); f != nil {
			return true
		}
	}
	return HasMarshaler(t)
}

// validName reports whether encoding/json takes the name of a tag.
func validName(s string) bool {
	for _, r := range s {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return s != ""
}
