//go:build !purego

package memory

import (
	"reflect"
	"unsafe"
)

// A Ref is a place in memory. It keeps alive what is there.
type Ref = unsafe.Pointer

// words are the two words of an interface: a table or type, and the data.
type words struct{ table, data unsafe.Pointer }

// At returns the place that a pointer points to.
func At[T any](to *T) Ref { return Ref(to) }

// Of returns the place of v, which must be addressable.
func Of(v reflect.Value) Ref { return v.Addr().UnsafePointer() }

// Load reads a T, whose underlying type must be that of the value at p.
func Load[T any](p Ref) T { return *(*T)(p) }

// Int reads a signed integer.
func Int[T Signed](p Ref) int64 { return int64(*(*T)(p)) }

// Uint reads an unsigned integer.
func Uint[T Unsigned](p Ref) uint64 { return uint64(*(*T)(p)) }

// Float reads a float.
func Float[T Floating](p Ref) float64 { return float64(*(*T)(p)) }

// Address returns the place as a pointer.
func Address[T any](p Ref) *T { return (*T)(p) }

// Reflect returns the value of type t at p, addressable.
func Reflect(p Ref, t reflect.Type) reflect.Value { return reflect.NewAt(t, p).Elem() }

// Target follows the pointer at p; ok is false if it is nil.
func Target(p Ref) (q Ref, ok bool) {
	q = *(*unsafe.Pointer)(p)
	return q, q != nil
}

// Identity is the same for the same place.
func Identity(p Ref) uintptr { return uintptr(p) }

// MapIdentity is the same for the same map at p.
func MapIdentity(p Ref) uintptr { return *(*uintptr)(p) }

// TypeIdentity is the same for the same type: it is where that is described.
func TypeIdentity(t reflect.Type) uintptr { return uintptr((*words)(unsafe.Pointer(&t)).data) }

// IsNil reports whether the pointer, map, slice, channel or function at p is
// nil.
func IsNil(p Ref) bool { return *(*unsafe.Pointer)(p) == nil }

// Elements returns the place of the elements of the slice at p and their
// number.
func Elements(p Ref) (base Ref, n int) {
	s := *(*[]byte)(p)
	return Ref(unsafe.SliceData(s)), len(s)
}

// Element steps to element i of a slice or array; size is an element's.
func Element(base Ref, i int, size uintptr) Ref { return unsafe.Add(base, uintptr(i)*size) }

// Dynamic returns the value in the interface at p; empty says whether the
// type of the interface has no methods.
func Dynamic(p Ref, empty bool) any {
	if empty {
		return *(*any)(p)
	}
	return any(*(*interface{ method() })(p))
}

// Inside returns the place of the value in the interface at p; direct is
// [IsDirect] of its type.
func Inside(p Ref, direct bool) Ref {
	data := unsafe.Add(p, unsafe.Sizeof(p))
	if direct {
		return data
	}
	return *(*unsafe.Pointer)(data)
}

// IsDirect reports whether interfaces hold values of type t in their data
// word itself. Then that word of a zero value is zero.
func IsDirect(t reflect.Type) bool {
	if t.Size() != unsafe.Sizeof(Ref(nil)) {
		return false
	}
	zero := reflect.Zero(t).Interface()
	return (*words)(unsafe.Pointer(&zero)).data == nil
}

// Copy returns the place of a copy of the value of type t at p.
func Copy(p Ref, t reflect.Type) Ref {
	c := reflect.New(t)
	c.Elem().Set(reflect.NewAt(t, p).Elem())
	return c.UnsafePointer()
}

// String returns b as a string without copying it; b must not change as long
// as the string is in use.
func String(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Bytes returns the bytes of s without copying them; they must not be changed.
func Bytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// A Binding calls the methods of an interface on values of one type.
type Binding struct{ table unsafe.Pointer }

// Bind returns the Binding for interface I, which *t must implement.
func Bind[I any](t reflect.Type) Binding {
	i := reflect.New(t).Interface().(I)
	return Binding{(*words)(unsafe.Pointer(&i)).table}
}

// As returns the value at p as the interface of its Binding. The methods get
// p itself if their receiver is a pointer.
func As[I any](b Binding, p Ref) I {
	w := words{b.table, p}
	return *(*I)(unsafe.Pointer(&w))
}

// A Step is the way from a struct to one of its fields, also to those of
// embedded structs.
type Step struct {
	hops   []uintptr // offsets of the embedded pointers on the way
	offset uintptr   // from the struct, or from where the last hop leads
}

// StepTo returns the way to the field of t with the given index.
func StepTo(t reflect.Type, index []int) Step {
	var s Step
	for _, i := range index {
		if t.Kind() == reflect.Pointer {
			s.hops = append(s.hops, s.offset)
			s.offset, t = 0, t.Elem()
		}
		f := t.Field(i)
		s.offset += f.Offset
		t = f.Type
	}
	return s
}

// Straight reports whether the way leads through no pointer.
func (s *Step) Straight() bool { return len(s.hops) == 0 }

// Field goes a straight way.
func (s *Step) Field(p Ref) Ref { return unsafe.Add(p, s.offset) }

// Follow goes any way; ok is false if a pointer on it is nil.
func (s *Step) Follow(p Ref) (q Ref, ok bool) {
	for _, offset := range s.hops {
		if p = *(*unsafe.Pointer)(unsafe.Add(p, offset)); p == nil {
			return nil, false
		}
	}
	return unsafe.Add(p, s.offset), true
}
