package jsonshape

import "go/types"

// methods are the ways in which types encode themselves, by precedence.
type method struct {
	name    string
	matches func(*types.Signature) bool
}

var (
	marshalJSONTo = method{"MarshalJSONTo", func(s *types.Signature) bool { return s.Params().Len() == 1 && results(s, isError) }}
	marshalJSON   = method{"MarshalJSON", func(s *types.Signature) bool { return s.Params().Len() == 0 && results(s, isBytes, isError) }}
	appendText    = method{"AppendText", func(s *types.Signature) bool {
		return s.Params().Len() == 1 && isBytes(s.Params().At(0).Type()) && results(s, isBytes, isError)
	}}
	marshalText   = method{"MarshalText", func(s *types.Signature) bool { return s.Params().Len() == 0 && results(s, isBytes, isError) }}
	errorText     = method{"Error", func(s *types.Signature) bool { return s.Params().Len() == 0 && results(s, isString) }}
	stringText    = method{"String", errorText.matches}
	unmarshalJSON = method{"UnmarshalJSON", takesBytes}
	unmarshalText = method{"UnmarshalText", takesBytes}
)

func takesBytes(s *types.Signature) bool {
	return s.Params().Len() == 1 && isBytes(s.Params().At(0).Type()) && results(s, isError)
}

func results(s *types.Signature, want ...func(types.Type) bool) bool {
	if s.Results().Len() != len(want) || s.Variadic() {
		return false
	}
	for i, is := range want {
		if !is(s.Results().At(i).Type()) {
			return false
		}
	}
	return true
}

func isString(t types.Type) bool { return types.Identical(t, types.Typ[types.String]) }

func isBytes(t types.Type) bool {
	s, ok := types.Unalias(t).(*types.Slice)
	return ok && types.Identical(s.Elem(), types.Typ[types.Uint8])
}

func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}

// find returns the method m of t, and the embedded fields through which it is
// promoted. With addressed, methods with a pointer receiver count too.
func find(t types.Type, m method, addressed bool) (*types.Func, []*types.Var) {
	object, index, _ := types.LookupFieldOrMethod(t, addressed, nil, m.name)
	f, ok := object.(*types.Func)
	if !ok || !m.matches(f.Signature()) {
		return nil, nil
	}
	return f, embedded(t, index[:len(index)-1])
}

// embedded returns the fields on the path of indices from t.
func embedded(t types.Type, path []int) []*types.Var {
	var fields []*types.Var
	for _, i := range path {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		s, ok := t.Underlying().(*types.Struct)
		if !ok {
			return fields
		}
		fields = append(fields, s.Field(i))
		t = s.Field(i).Type()
	}
	return fields
}

// HasText reports whether t is written as text where it is a map key.
func HasText(t types.Type) bool {
	f, _ := find(t, marshalText, false)
	return f != nil
}

// HasMarshaler reports whether a value of type t, or its address, encodes itself.
func HasMarshaler(t types.Type) bool {
	for _, m := range []method{marshalJSONTo, marshalJSON, marshalText, appendText} {
		if f, _ := find(t, m, true); f != nil {
			return true
		}
	}
	return false
}

// StringMethod returns the method String of t, or nil.
func StringMethod(t types.Type) *types.Func {
	f, _ := find(t, stringText, false)
	return f
}

// IsErrorInterface reports whether t is an interface with a method Error.
func IsErrorInterface(t types.Type) bool {
	if !types.IsInterface(t) {
		return false
	}
	f, _ := find(t, errorText, false)
	return f != nil
}

// TypeParams returns the type parameters that t depends on, as far as they stand
// in its type arguments and elements.
func TypeParams(t types.Type) []*types.TypeParam {
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
		return []*types.TypeParam{t}
	case *types.Pointer:
		return TypeParams(t.Elem())
	case *types.Slice:
		return TypeParams(t.Elem())
	case *types.Array:
		return TypeParams(t.Elem())
	case *types.Map:
		return append(TypeParams(t.Key()), TypeParams(t.Elem())...)
	case *types.Named:
		var all []*types.TypeParam
		for a := range t.TypeArgs().Types() {
			all = append(all, TypeParams(a)...)
		}
		return all
	}
	return nil
}
