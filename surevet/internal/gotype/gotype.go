// Package gotype answers questions about Go types that go/types leaves open.
package gotype

import "go/types"

// HoldsInterfaces reports whether a container of type t takes values of any type.
func HoldsInterfaces(t types.Type) bool {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	switch u := t.Underlying().(type) {
	case *types.Map:
		return types.IsInterface(u.Elem())
	case *types.Slice:
		return types.IsInterface(u.Elem())
	}
	return false
}

// IsCopied reports whether a value of type t, put into itself, is a copy.
func IsCopied(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Map, *types.Slice, *types.Pointer:
		return false
	}
	return true
}

// Field returns the index of the field of that name, or -1.
func Field(s *types.Struct, name string) int {
	for i := range s.NumFields() {
		if s.Field(i).Name() == name {
			return i
		}
	}
	return -1
}

// IsText reports whether t is a string or bytes.
func IsText(t types.Type) bool {
	if t == nil {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&types.IsString != 0
	case *types.Slice:
		b, ok := u.Elem().Underlying().(*types.Basic)
		return ok && b.Kind() == types.Uint8
	}
	return false
}
