package jsonshape_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// prelude has the types whose methods and fields differ in every way that
// matters; composites are made of them.
const prelude = `package main

import ("bufio"; "encoding"; "errors"; "fmt"; "math/big"; "net/netip"; "os"; "reflect"; "sync"; "sync/atomic"; "time"; "unsafe"; /*imports*/)

type Plain int
type Named int
func (Named) String() string { return "S:Named" }
type NamedP int
func (*NamedP) String() string { return "S:NamedP" }
type JSONV int
func (JSONV) MarshalJSON() ([]byte, error) { return []byte("\"J:JSONV\""), nil }
type JSONP int
func (*JSONP) MarshalJSON() ([]byte, error) { return []byte("\"J:JSONP\""), nil }
type TextV int
func (TextV) MarshalText() ([]byte, error) { return []byte("T:TextV"), nil }
type TextP int
func (*TextP) MarshalText() ([]byte, error) { return []byte("T:TextP"), nil }
type BothVP int
func (*BothVP) MarshalJSON() ([]byte, error) { return []byte("\"J:BothVP\""), nil }
func (BothVP) MarshalText() ([]byte, error) { return []byte("T:BothVP"), nil }
type Append int
func (Append) AppendText(b []byte) ([]byte, error) { return append(b, "A:Append"...), nil }
type Derived JSONV
type Word string
type WordT string
func (WordT) MarshalText() ([]byte, error) { return []byte("T:WordT"), nil }
type Flag bool
type Ratio float32
type Byte uint8
type ByteS uint8
func (ByteS) String() string { return "S:ByteS" }
type ByteP uint8
func (*ByteP) MarshalJSON() ([]byte, error) { return []byte("\"J:ByteP\""), nil }
type ByteT uint8
func (ByteT) MarshalText() ([]byte, error) { return []byte("T:ByteT"), nil }
type Empty struct{}
type Hidden struct{ a int }
type HiddenS struct{ a int }
func (HiddenS) String() string { return "S:HiddenS" }
type Fault struct{ a int; B int }
func (Fault) Error() string { return "E:Fault" }
type FaultP struct{ A int }
func (*FaultP) Error() string { return "E:FaultP" }
type StructV struct{ A int }
func (StructV) MarshalJSON() ([]byte, error) { return []byte("\"J:StructV\""), nil }
type StructP struct{ A int }
func (*StructP) MarshalJSON() ([]byte, error) { return []byte("\"J:StructP\""), nil }
type StructT struct{ B int }
func (StructT) MarshalText() ([]byte, error) { return []byte("T:StructT"), nil }
type StructTP struct{ B int }
func (*StructTP) MarshalText() ([]byte, error) { return []byte("T:StructTP"), nil }
type Reader struct{ C int }
func (*Reader) UnmarshalJSON([]byte) error { return nil }
type Wrong struct{ C int }
func (Wrong) MarshalJSON() []byte { return nil }
type lower struct{ A, C int; d int }
type Low2 struct { A int; B string }
type Tagged struct { X int ` + "`json:\"A\"`" + `; B bool }
type Tree struct { Name string; Kids []*Tree; Up *Tree }
type Box[T any] struct { V T; N int }
type Marshals interface { MarshalJSON() ([]byte, error) }

func fill(v reflect.Value, depth int) {
	switch v.Type() {
	case reflect.TypeFor[time.Time](), reflect.TypeFor[big.Int](), reflect.TypeFor[netip.Addr](), reflect.TypeFor[sync.Mutex](), reflect.TypeFor[sync.Map]():
		return
	case reflect.TypeFor[atomic.Int64]():
		return
	case reflect.TypeFor[json.Number]():
		v.SetString("12")
		return
	case reflect.TypeFor[json.RawMessage]():
		v.SetBytes([]byte("\"raw\""))
		return
	case reflect.TypeFor[error]():
		v.Set(reflect.ValueOf(errors.New("boom")))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(7)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1.5)
	case reflect.String:
		v.SetString("text")
	case reflect.Pointer:
		if depth < 9 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth+1)
		}
	case reflect.Slice:
		if depth < 9 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), depth+1)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), depth+1)
		}
	case reflect.Map:
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(k, depth+1)
		fill(e, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(k, e)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Field(i)
			fill(reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem(), depth+1)
		}
	}
}

var out = bufio.NewWriter(os.Stdout)

// An encoder returns the text of a value, and an error or, if it has none, a report.
type encoder struct {
	name    string
	marshal func(v any) ([]byte, any)
}

/*encoders*/

func encode(e encoder, name string, v any) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(out, "%s\t%s\tPANIC\n", e.name, name)
		}
	}()
	b, report := e.marshal(v)
	if err, failed := report.(error); failed {
		fmt.Fprintf(out, "%s\t%s\tERROR %.60q\n", e.name, name, err.Error())
		return
	}
	fmt.Fprintf(out, "%s\t%s\t%s\n", e.name, name, b)
}

// try encodes what p points to, by value and by pointer.
func try(name string, p any) {
	v := reflect.ValueOf(p).Elem()
	fill(v, 0)
	for _, e := range encoders {
		encode(e, name, v.Interface())
		encode(e, "&"+name, p)
	}
}

var _ encoding.TextMarshaler = TextV(0)
var _ json.Number
`

var (
	scalars = strings.Fields("bool int int8 uint8 int64 uint64 float64 string uintptr Plain Named NamedP JSONV JSONP TextV TextP BothVP " +
		"Append Derived Word WordT Flag Ratio Byte ByteS ByteP ByteT")
	structs = strings.Fields("Empty Hidden HiddenS Fault FaultP StructV StructP StructT StructTP Reader Wrong lower Low2 Tagged Tree Box[int] Box[JSONP] Box[[]Byte]")
	library = strings.Fields("time.Time time.Duration big.Int netip.Addr sync.Mutex atomic.Int64 json.Number json.RawMessage error any fmt.Stringer Marshals []byte [2]byte")
	broken  = []string{"chan int", "func()", "complex128", "unsafe.Pointer", "map[Low2]int", "map[bool]int", "map[float64]int", "map[[2]byte]int"}
	keys    = strings.Fields("string int uint8 Plain Named JSONV TextV TextP BothVP Word WordT Byte netip.Addr StructT *TextP Append")
	embeds  = strings.Fields("StructV StructP StructT StructTP Reader Wrong lower Low2 Tagged Hidden Fault Plain JSONV Word Tree time.Time sync.Mutex *lower *Low2 *Tagged *StructP *StructV *time.Time error Box[int]")
	tags    = []string{`a`, `A`, `B`, `-`, `,omitempty`, `,string`, `b,string`, `c,omitzero`, `,omitempty,string`, `x y`, `-,`}
)

// A gen makes types.
type gen struct {
	*rand.Rand
	b      strings.Builder
	made   []string // names of structs so far
	strict bool     // for an encoder that takes no odd tags
}

func (g *gen) pick(from []string) string { return from[g.IntN(len(from))] }

// generate returns a program that encodes n types, and how many they are.
func generate(seed uint64, n int, strict bool) (source string, count int) {
	g := &gen{Rand: rand.New(rand.NewPCG(seed, 0)), strict: strict}
	g.b.WriteString(prelude)
	var names []string
	for i := range n {
		name := fmt.Sprintf("G%d", i)
		if g.IntN(4) == 0 {
			fmt.Fprintf(&g.b, "type %s %s\n", name, g.composite(3))
		} else {
			fmt.Fprintf(&g.b, "type %s %s\n", name, g.structure(2))
			g.made = append(g.made, name)
		}
		names = append(names, name)
	}
	g.b.WriteString("func main() {\n\tdefer out.Flush()\n")
	for _, name := range names {
		fmt.Fprintf(&g.b, "\ttry(%q, new(%s))\n", name, name)
	}
	g.b.WriteString("}\n")
	return g.b.String(), len(names)
}

func (g *gen) composite(depth int) string {
	switch g.IntN(5) {
	case 0:
		return "*" + g.expr(depth-1)
	case 1:
		return "[]" + g.expr(depth-1)
	case 2:
		return "[2]" + g.expr(depth-1)
	default:
		return "map[" + g.pick(keys) + "]" + g.expr(depth-1)
	}
}

func (g *gen) expr(depth int) string {
	switch r := g.IntN(100); {
	case r < 30:
		return g.pick(scalars)
	case r < 48:
		return g.pick(structs)
	case r < 60:
		return g.pick(library)
	case r < 62:
		return g.pick(broken)
	case r < 70 && len(g.made) > 0:
		return g.pick(g.made)
	case depth > 0 && r < 76:
		return g.structure(depth - 1)
	case depth > 0:
		return g.composite(depth)
	}
	return g.pick(scalars)
}

func (g *gen) structure(depth int) string {
	var fields, used []string
	add := func(name, typ string) {
		if slices.Contains(used, name) {
			return
		}
		used = append(used, name)
		decl := name + " " + typ
		if base := strings.TrimPrefix(typ, "*"); name == "" || embeddedName(base) == name {
			decl = typ
		}
		if g.IntN(3) == 0 && (!g.strict || name[0] < 'a') {
			decl += fmt.Sprintf(" `json:%q`", g.tag())
		}
		fields = append(fields, decl)
	}
	for range 1 + g.IntN(4) {
		switch r := g.IntN(10); {
		case r < 2:
			typ := g.pick(embeds)
			add(embeddedName(strings.TrimPrefix(typ, "*")), typ)
		case r < 3 && len(g.made) > 0:
			typ := g.pick(g.made)
			if g.IntN(3) == 0 {
				add(typ, "*"+typ)
			} else {
				add(typ, typ)
			}
		case r < 4:
			add(g.pick([]string{"a", "b", "c"}), g.expr(depth))
		default:
			add(g.pick([]string{"A", "B", "C", "D", "E"}), g.expr(depth))
		}
	}
	return "struct { " + strings.Join(fields, "; ") + " }"
}

func (g *gen) tag() string {
	if g.strict {
		return g.pick(tags[:len(tags)-1])
	}
	return g.pick(append(slices.Clone(tags), "bad'name", "é"))
}

// embeddedName returns the name of an embedded field of type t.
func embeddedName(t string) string {
	t, _, _ = strings.Cut(t, "[")
	return t[strings.LastIndexByte(t, '.')+1:]
}
