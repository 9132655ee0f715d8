// Package reach tells what values of a type may lead to.
package reach

import (
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
)

// Itself reports whether a value of t, a pointer, map or slice, may lead back
// to itself. If not, it need not be looked for among what is being written.
func Itself(t reflect.Type) bool {
	seen := map[reflect.Type]bool{}
	return leads(t.Elem(), t, seen) || t.Kind() == reflect.Map && leads(t.Key(), t, seen)
}

// holders are types that hold values of any type, though not by an interface
// among their fields.
var holders = map[reflect.Type]bool{
	reflect.TypeFor[slog.Value]():    true,
	reflect.TypeFor[reflect.Value](): true,
	reflect.TypeFor[sync.Map]():      true,
	reflect.TypeFor[atomic.Value]():  true,
}

// leads reports whether a value of type t may lead to a value of type target,
// or anywhere at all, through an interface.
func leads(t, target reflect.Type, seen map[reflect.Type]bool) bool {
	if t == target || holders[t] {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return leads(t.Elem(), target, seen)
	case reflect.Map:
		return leads(t.Elem(), target, seen) || leads(t.Key(), target, seen)
	case reflect.Struct:
		if IsAtomicPointer(t) {
			return true
		}
		for i := range t.NumField() {
			if leads(t.Field(i).Type, target, seen) {
				return true
			}
		}
	}
	return false
}

// IsAtomicPointer reports whether t is an atomic.Pointer of any type.
func IsAtomicPointer(t reflect.Type) bool {
	return t.PkgPath() == "sync/atomic" && strings.HasPrefix(t.Name(), "Pointer[")
}
