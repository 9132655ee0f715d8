//go:build !purego

package surejson

import (
	"reflect"
	"unsafe"
)

// A ref is a place in memory that holds a Go value of a type known from
// elsewhere. This file is the only one that uses package unsafe: to load
// values at a place, to step to fields and elements, to read slice headers
// and interface words, and to build the interface a method is called by.
// memory_purego.go does the same by reflection, for the build tag purego.
type ref = unsafe.Pointer

// words are the two words of an interface: a table or type, and the data.
type words struct{ table, data unsafe.Pointer }

// refTo returns the place of an interface variable.
func refTo(slot *any) ref { return ref(slot) }

// load reads a T, whose underlying type is that of the value.
func load[T any](p ref) T { return *(*T)(p) }

func loadInt[T signed](p ref) int64     { return int64(*(*T)(p)) }
func loadUint[T unsigned](p ref) uint64 { return uint64(*(*T)(p)) }
func loadFloat[T floating](p ref) float64 {
	return float64(*(*T)(p))
}

// address returns the place as a pointer.
func address[T any](p ref) *T { return (*T)(p) }

// reflected returns the value of type t at p.
func reflected(p ref, t reflect.Type) reflect.Value { return reflect.NewAt(t, p).Elem() }

// refOf returns the place of v, which must be addressable.
func refOf(v reflect.Value) ref { return v.Addr().UnsafePointer() }

// target follows a pointer; ok is false if it is nil.
func target(p ref) (q ref, ok bool) {
	q = *(*unsafe.Pointer)(p)
	return q, q != nil
}

// identity is equal for equal places of one type.
func identity(p ref) uintptr { return uintptr(p) }

// mapIdentity is equal for one map.
func mapIdentity(p ref) uintptr { return *(*uintptr)(p) }

// isNil reports whether the pointer, map, slice or function at p is nil.
func isNil(p ref) bool { return *(*unsafe.Pointer)(p) == nil }

// elements returns the place of a slice's elements and their number.
func elements(p ref) (base ref, n int) {
	s := *(*[]byte)(p)
	return ref(unsafe.SliceData(s)), len(s)
}

// element steps to an element of the given size.
func element(base ref, i int, size uintptr) ref { return unsafe.Add(base, uintptr(i)*size) }

// dynamic returns the value in the interface at p; empty says whether its
// type is interface{}.
func dynamic(p ref, empty bool) any {
	if empty {
		return *(*any)(p)
	}
	return any(*(*interface{ method() })(p))
}

// inside returns the place of the value in the interface at p.
func inside(p ref, direct bool) ref {
	data := unsafe.Add(p, unsafe.Sizeof(p))
	if direct {
		return data
	}
	return *(*unsafe.Pointer)(data)
}

// isDirect reports whether values of type t are kept in the data word of an
// interface itself: then the word of a zero value is zero.
func isDirect(t reflect.Type) bool {
	if t.Size() != unsafe.Sizeof(ref(nil)) {
		return false
	}
	zero := reflect.Zero(t).Interface()
	return (*words)(unsafe.Pointer(&zero)).data == nil
}

// A binding holds what calls the methods of interface I of a type.
type binding struct{ table unsafe.Pointer }

// bind returns the binding for *t, which must implement I.
func bind[I any](t reflect.Type) binding {
	i := reflect.New(t).Interface().(I)
	return binding{(*words)(unsafe.Pointer(&i)).table}
}

// bound returns the value at p as I.
func bound[I any](b binding, p ref) I {
	w := words{b.table, p}
	return *(*I)(unsafe.Pointer(&w))
}

// copied returns the place of a copy of the value of type t at p.
func copied(p ref, t reflect.Type) ref {
	c := reflect.New(t)
	c.Elem().Set(reflect.NewAt(t, p).Elem())
	return c.UnsafePointer()
}

// asString returns b as a string without a copy; b must not change while
// the string is in use.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// A step is the way from a struct to one of its fields.
type step struct {
	hops   []uintptr // offsets of the embedded pointers on the way
	offset uintptr   // from the struct, or from where the last hop leads
}

// stepTo returns the way to the field of t with the given index.
func stepTo(t reflect.Type, index []int) step {
	var s step
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

// direct reports whether the way leads through no pointer.
func (s *step) direct() bool { return len(s.hops) == 0 }

// field goes a direct way.
func (s *step) field(p ref) ref { return unsafe.Add(p, s.offset) }

// follow goes any way; ok is false if a pointer on it is nil.
func (s *step) follow(p ref) (q ref, ok bool) {
	for _, offset := range s.hops {
		if p = *(*unsafe.Pointer)(unsafe.Add(p, offset)); p == nil {
			return nil, false
		}
	}
	return unsafe.Add(p, s.offset), true
}
