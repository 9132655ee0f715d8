//go:build purego

package memory

import "reflect"

// A Ref is a place in memory: a value, addressable where it is a part of
// something that can be addressed.
type Ref = reflect.Value

// At returns the place that a pointer points to.
func At[T any](to *T) Ref { return reflect.ValueOf(to).Elem() }

// Of returns the place of v, which must be addressable.
func Of(v reflect.Value) Ref { return v }

// Load reads a T, whose underlying type must be that of the value at p.
func Load[T any](p Ref) T {
	t := reflect.TypeFor[T]()
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		p = reflect.ValueOf(p.Bytes())
	}
	if p.Type() != t {
		p = p.Convert(t)
	}
	v, _ := p.Interface().(T) // fails for a nil interface
	return v
}

// Int reads a signed integer.
func Int[T Signed](p Ref) int64 { return p.Int() }

// Uint reads an unsigned integer.
func Uint[T Unsigned](p Ref) uint64 { return p.Uint() }

// Float reads a float.
func Float[T Floating](p Ref) float64 { return p.Float() }

// Address returns the place as a pointer.
func Address[T any](p Ref) *T { return Reflect(p, p.Type()).Addr().Interface().(*T) }

// Reflect returns the value of type t at p, addressable.
func Reflect(p Ref, t reflect.Type) reflect.Value {
	if p.CanAddr() {
		return p
	}
	return Copy(p, t)
}

// Target follows the pointer at p; ok is false if it is nil.
func Target(p Ref) (q Ref, ok bool) { return p.Elem(), !p.IsNil() }

// Identity is the same for the same place.
func Identity(p Ref) uintptr {
	if p.Kind() == reflect.Slice {
		return p.Pointer()
	}
	return p.Addr().Pointer()
}

// MapIdentity is the same for the same map at p.
func MapIdentity(p Ref) uintptr { return p.Pointer() }

// TypeIdentity is the same for the same type: it is where that is described.
func TypeIdentity(t reflect.Type) uintptr { return reflect.ValueOf(t).Pointer() }

// IsNil reports whether the pointer, map, slice, channel or function at p is
// nil.
func IsNil(p Ref) bool { return p.IsNil() }

// Elements returns the place of the elements of the slice at p and their
// number.
func Elements(p Ref) (base Ref, n int) { return p, p.Len() }

// Element steps to element i of a slice or array; size is an element's.
func Element(base Ref, i int, size uintptr) Ref { return base.Index(i) }

// Dynamic returns the value in the interface at p; empty says whether the
// type of the interface has no methods.
func Dynamic(p Ref, empty bool) any { return p.Interface() }

// Inside returns the place of the value in the interface at p; direct is
// [IsDirect] of its type.
func Inside(p Ref, direct bool) Ref { return p.Elem() }

// IsDirect is of no concern to reflection.
func IsDirect(t reflect.Type) bool { return false }

// Copy returns the place of a copy of the value of type t at p.
func Copy(p Ref, t reflect.Type) Ref {
	c := reflect.New(t).Elem()
	c.Set(p)
	return c
}

// String returns b as a string.
func String(b []byte) string { return string(b) }

// Bytes returns the bytes of s.
func Bytes(s string) []byte { return []byte(s) }

// A Binding calls the methods of an interface on values of one type.
type Binding struct{ t reflect.Type }

// Bind returns the Binding for interface I, which *t must implement.
func Bind[I any](t reflect.Type) Binding { return Binding{t} }

// As returns the value at p as the interface of its Binding. The methods get
// p itself if their receiver is a pointer, nil if p is no place.
func As[I any](b Binding, p Ref) I {
	switch {
	case !p.IsValid():
		p = reflect.Zero(reflect.PointerTo(b.t))
	case p.CanAddr():
		p = p.Addr()
	}
	return p.Interface().(I)
}

// A Step is the way from a struct to one of its fields, also to those of
// embedded structs.
type Step struct {
	index    []int
	straight bool
}

// StepTo returns the way to the field of t with the given index.
func StepTo(t reflect.Type, index []int) Step {
	s := Step{index: index, straight: true}
	for _, i := range index {
		if t.Kind() == reflect.Pointer {
			s.straight, t = false, t.Elem()
		}
		t = t.Field(i).Type
	}
	return s
}

// Straight reports whether the way leads through no pointer.
func (s *Step) Straight() bool { return s.straight }

// Field goes a straight way.
func (s *Step) Field(p Ref) Ref { return p.FieldByIndex(s.index) }

// Follow goes any way; ok is false if a pointer on it is nil.
func (s *Step) Follow(p Ref) (q Ref, ok bool) {
	for _, i := range s.index {
		if p.Kind() == reflect.Pointer {
			if p.IsNil() {
				return p, false
			}
			p = p.Elem()
		}
		p = p.Field(i)
	}
	return p, true
}
