package surejson

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A key is a map key while its map is written.
type key struct {
	name   string
	i      int          // of the member among the columns or pairs
	t      reflect.Type // of the Go key, set if there is a reason
	reason Reason       // 0: the name says what the key says
	detail string
}

// A keyText returns the name of the map key at p.
type keyText func(w *writer, p ref) key

// sortKeys sorts by name, bytewise.
func sortKeys(keys []key) {
	slices.SortStableFunc(keys, func(a, b key) int { return strings.Compare(a.name, b.name) })
}

// disambiguate gives all but the first of equal neighbours in sorted keys
// the suffix #2, #3 and so on.
func disambiguate(keys []key, t reflect.Type) {
	for i := 1; i < len(keys); i++ {
		if keys[i].name != keys[i-1].name {
			continue
		}
		name := keys[i].name
		for n := 2; i < len(keys) && keys[i].name == name; i++ {
			var with string
			for ; ; n++ {
				with = name + "#" + strconv.Itoa(n)
				if !slices.ContainsFunc(keys, func(k key) bool { return k.name == with }) {
					break
				}
			}
			keys[i].name = with
			keys[i].t, keys[i].reason = cmp.Or[reflect.Type](keys[i].t, t), DuplicateKey
		}
	}
}

// keyTextOf returns how keys of type t are named: strings and marshaled
// texts as encoding/json has it, enums by name, numbers and booleans by
// their JSON text, structs and arrays by their JSON text too, pointers and
// interfaces by what they lead to.
func keyTextOf(t reflect.Type) keyText {
	switch t.Kind() {
	case reflect.String:
		return func(w *writer, p ref) key { return key{name: load[string](p)} }
	case reflect.Interface:
		return func(w *writer, p ref) key { return dynamicKey(w, reflected(p, t).Elem()) }
	}
	for _, kind := range []methodKind{callText, callAppend} {
		if t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(methodTypes[kind]) {
			return marshaledKey(t, newMethod(kind, t, true))
		}
	}
	switch t.Kind() {
	case reflect.Pointer:
		text := keyTextOf(t.Elem())
		return func(w *writer, p ref) key {
			q, ok := target(p)
			if !ok {
				return key{}
			}
			return text(w, q)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return integerKey(t)
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return func(w *writer, p ref) key { return key{name: "<" + t.String() + ">", t: t, reason: Unsupported} }
	}
	return func(w *writer, p ref) key { return jsonKey(w, p, t) }
}

// dynamicKey names the key in an interface.
func dynamicKey(w *writer, v reflect.Value) key {
	if !v.IsValid() {
		return key{name: "null"}
	}
	slot := reflect.New(v.Type()).Elem()
	slot.Set(v)
	return keyTextOf(v.Type())(w, refOf(slot))
}

// marshaledKey names keys by their MarshalText or AppendText.
func marshaledKey(t reflect.Type, m *method) keyText {
	return func(w *writer, p ref) key {
		o := w.call(m, p)
		if o.failed != 0 {
			return key{name: "<" + t.String() + ">", t: t, reason: o.failed, detail: o.detail}
		}
		return key{name: string(o.data)}
	}
}

// integerKey names integers: enums by name.
func integerKey(t reflect.Type) keyText {
	m := enumMethod(t, true)
	return func(w *writer, p ref) key {
		if m == nil || w.enumNumber {
			return key{name: integerText(reflected(p, t))}
		}
		name, reason, detail := w.enumName(m, p, t)
		if name == "" {
			name = integerText(reflected(p, t))
		}
		return key{name: name, t: t, reason: reason, detail: detail}
	}
}

// jsonKey names a key by its JSON text, without quotes if it is a string.
func jsonKey(w *writer, p ref, t reflect.Type) key {
	if t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64 {
		return key{name: strconv.FormatFloat(reflected(p, t).Float(), 'g', -1, t.Bits())}
	}
	e := Encoder{MaxDepth: w.maxDepth, MaxRepairs: 1, MethodTimeout: w.timeout}
	text, report := e.Append(nil, reflected(p, t).Interface())
	k := key{name: strings.Trim(string(text), `"`), t: t}
	if !report.Clean() {
		k.reason = report.Repairs[0].Reason
		k.detail = report.Repairs[0].Detail
	}
	return k
}
