package jsonshape

import (
	"go/types"

	"golang.org/x/tools/go/types/typeutil"
)

// A Builder predicts by one dialect. It remembers what it predicted, and is not
// for concurrent use.
type Builder struct {
	dialect *Dialect
	known   [4]typeutil.Map // by addressed and quoted
}

// NewBuilder returns a Builder that predicts what the dialect writes.
func NewBuilder(d *Dialect) *Builder { return &Builder{dialect: d} }

// Dialect returns the dialect that b predicts.
func (b *Builder) Dialect() *Dialect { return b.dialect }

// Root predicts a value of type t that is handed to the encoder. The nodes of
// recursive types form a circle.
func (b *Builder) Root(t types.Type) *Node { return b.node(t, false, false) }

// node predicts a value in a place where it has an address, or not, and where
// numbers are quoted, or not.
func (b *Builder) node(t types.Type, addressed, quoted bool) *Node {
	t = types.Unalias(t)
	known := &b.known[0]
	switch {
	case addressed && quoted:
		known = &b.known[3]
	case addressed:
		known = &b.known[2]
	case quoted:
		known = &b.known[1]
	}
	if n, ok := known.At(t).(*Node); ok {
		return n
	}
	n := &Node{Type: t}
	known.Set(t, n)
	b.fill(n, addressed, quoted)
	return n
}

func (b *Builder) fill(n *Node, addressed, quoted bool) {
	if _, ok := n.Type.(*types.TypeParam); ok {
		return
	}
	if b.dialect.Contents && holdsContents(n.Type) {
		return
	}
	if b.byMethod(n, addressed) || b.byName(n) {
		return
	}
	switch u := n.Type.Underlying().(type) {
	case *types.Basic:
		b.basic(n, u, quoted)
	case *types.Pointer:
		n.Kind, n.Elem = Pointer, b.node(u.Elem(), true, quoted)
	case *types.Slice:
		b.list(n, u.Elem(), true, quoted)
	case *types.Array:
		b.list(n, u.Elem(), addressed, quoted)
	case *types.Map:
		n.Kind = Map
		n.Key = b.key(u.Key())
		n.Elem = b.node(u.Elem(), false, quoted)
	case *types.Struct:
		b.structure(n, u, addressed, quoted)
	case *types.Interface:
		n.Kind = Interface
	default: // *types.Chan, *types.Signature, *types.Tuple
		n.Kind, n.Reason = Unsupported, kindName(n.Type)
	}
}

// byMethod fills n if its type encodes itself, and notes the method that would
// but is not called.
func (b *Builder) byMethod(n *Node, addressed bool) bool {
	t := n.Type
	if b.dialect.CopiesForMethods {
		addressed = addressed || b.dialect.MarshalJSONTo
		switch t.Underlying().(type) {
		case *types.Pointer:
			return false // the pointer is followed first
		case *types.Interface:
			return false
		}
	}
	if b.method(n, addressed) {
		return true
	}
	if addressed {
		return false
	}
	if b.dialect.CopiesForMethods {
		return b.method(n, true)
	}
	for _, m := range b.marshalers() {
		if f, promoted := find(t, m, true); f != nil {
			n.Skipped, n.Promoted = f, promoted
			break
		}
	}
	return false
}

// method fills n by the first marshaler that is called on its values.
func (b *Builder) method(n *Node, addressed bool) bool {
	for _, m := range b.marshalers() {
		if f, promoted := find(n.Type, m, addressed); f != nil {
			n.Kind, n.Func, n.Promoted = Method, f, promoted
			return true
		}
	}
	return false
}

func (b *Builder) marshalers() []method {
	switch {
	case b.dialect.MarshalJSONTo:
		return []method{marshalJSONTo, marshalJSON, appendText, marshalText}
	case b.dialect.AppendText:
		return []method{marshalJSON, marshalText, appendText}
	}
	return []method{marshalJSON, marshalText}
}

// byName fills n if the dialect writes the text of its type's values: of an error,
// an enum, or a struct with nothing else to show.
func (b *Builder) byName(n *Node) bool {
	t := n.Type
	pointer, isPointer := t.Underlying().(*types.Pointer)
	if b.dialect.ErrorTexts && !types.IsInterface(t) && !(isPointer && HasMarshaler(pointer.Elem())) {
		if f, promoted := find(t, errorText, false); f != nil {
			n.Kind, n.Func, n.Promoted = Text, f, promoted
			return true
		}
	}
	u, basic := t.Underlying().(*types.Basic)
	enum := basic && u.Info()&types.IsInteger != 0 && !isNamed(t, "time", "Duration")
	if !b.dialect.EnumNames || !enum && !nothingExported(t) {
		return false
	}
	f, promoted := find(t, stringText, true)
	if f == nil {
		return false
	}
	n.Kind, n.Func, n.Promoted = Text, f, promoted
	return true
}

// holdsContents reports whether t is one of the types of the standard library
// that surejson opens.
func holdsContents(t types.Type) bool {
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return false
	}
	switch named.Obj().Pkg().Path() {
	case "sync/atomic":
		return true
	case "sync":
		return named.Obj().Name() == "Map"
	case "reflect":
		return named.Obj().Name() == "Value"
	case "log/slog":
		return named.Obj().Name() == "Value"
	}
	return false
}

func nothingExported(t types.Type) bool {
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range s.Fields() {
		if f.Exported() || f.Embedded() {
			return false
		}
	}
	return s.NumFields() > 0
}

func (b *Builder) basic(n *Node, u *types.Basic, quoted bool) {
	switch info := u.Info(); {
	case b.dialect.NoDuration && isNamed(n.Type, "time", "Duration"):
		n.Kind, n.Reason = Unsupported, "a time.Duration has no format"
	case isNamed(n.Type, "encoding/json", "Number"):
		n.Kind, n.Quoted = Number, quoted
	case info&types.IsBoolean != 0:
		n.Kind, n.Quoted = Bool, quoted && !b.dialect.StringsInside
	case info&(types.IsInteger|types.IsFloat) != 0:
		n.Kind, n.Quoted = Number, quoted
	case info&types.IsString != 0:
		n.Kind = Text
	case u.Kind() == types.UntypedNil:
		n.Kind = Interface
	case u.Kind() == types.Invalid:
		n.Kind = Opaque
	default:
		n.Kind, n.Reason = Unsupported, kindName(n.Type)
	}
}

// list fills n for a slice or an array. Its elements have an address if they are
// addressed.
func (b *Builder) list(n *Node, elem types.Type, addressed, quoted bool) {
	quoted = quoted && b.dialect.StringsInside
	n.Kind, n.Elem = Array, b.node(elem, addressed, quoted)
	e, ok := elem.Underlying().(*types.Basic)
	if !ok || e.Kind() != types.Uint8 {
		return
	}
	_, array := n.Type.Underlying().(*types.Array)
	_, named := types.Unalias(elem).(*types.Named)
	switch {
	case array && !b.dialect.ByteArrays:
	case named && b.dialect.NamedBytes:
	case named && b.hasMethod(elem):
	default:
		n.Kind = Base64
	}
}

// hasMethod reports whether elements of a type of bytes are written one by one.
func (b *Builder) hasMethod(elem types.Type) bool {
	for _, m := range b.marshalers() {
		if f, _ := find(elem, m, true); f != nil {
			return true
		}
	}
	if b.dialect.EnumNames {
		f, _ := find(elem, stringText, true)
		return f != nil
	}
	return false
}

// key predicts a map key, which is Text, Number, Method or Unsupported.
func (b *Builder) key(t types.Type) *Node {
	t = types.Unalias(t)
	n := &Node{Type: t, Kind: Text}
	if b.dialect.MarshaledKeys {
		return b.marshaledKey(t)
	}
	u, basic := t.Underlying().(*types.Basic)
	if basic && u.Info()&types.IsString != 0 {
		return n
	}
	if b.dialect.AnyKey {
		if f := StringMethod(t); f == nil && basic && u.Info()&types.IsInteger != 0 && !HasText(t) {
			n.Kind = Number
		}
		return n
	}
	if f, promoted := find(t, marshalText, false); f != nil {
		n.Kind, n.Func, n.Promoted = Method, f, promoted
		return n
	}
	switch {
	case basic && u.Info()&types.IsInteger != 0:
		n.Kind = Number
	default:
		if _, ok := t.(*types.TypeParam); ok {
			n.Kind = Opaque
			return n
		}
		n.Kind, n.Reason = Unsupported, "a map key of type "+Name(t)
	}
	return n
}

// marshaledKey predicts a key that is written as a value is.
func (b *Builder) marshaledKey(t types.Type) *Node {
	n := *b.node(t, false, true)
	switch n.Kind {
	case Bool, Array, Map, Struct:
		n.Kind, n.Reason = Unsupported, "a map key of type "+Name(t)
	case Pointer:
		switch n.Elem.Kind {
		case Bool, Array, Map, Struct:
			n.Kind, n.Reason = Unsupported, "a map key of type "+Name(t)
		}
	}
	return &n
}

// Name returns t as messages write it: with the names of packages, not their paths.
func Name(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}

func kindName(t types.Type) string {
	switch t.Underlying().(type) {
	case *types.Chan:
		return "a channel"
	case *types.Signature:
		return "a function"
	}
	return Name(t.Underlying())
}

func isNamed(t types.Type, pkg, name string) bool {
	named, ok := t.(*types.Named)
	return ok && named.Obj().Name() == name && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == pkg
}
