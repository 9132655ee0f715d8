package plan

import (
	"reflect"
	"strconv"

	"github.com/surewire/surewire/surejson/internal/memory"
	"github.com/surewire/surewire/surejson/internal/method"
	"github.com/surewire/surewire/surejson/internal/output"
	"github.com/surewire/surewire/surejson/internal/pointer"
	"github.com/surewire/surewire/surejson/internal/typemap"
)

// A keyText returns the name of the map key at p, which should not be much
// longer than room.
type keyText func(w *output.Writer, p memory.Ref, room int) output.Key

// keyTextOf returns how keys of type t are named: strings and marshaled
// texts as encoding/json has it, enums by name, everything else by its JSON
// text, which for an error is what Error returns.
func keyTextOf(t reflect.Type) keyText {
	kind := t.Kind()
	switch {
	case t == output.TimeType:
		return func(w *output.Writer, p memory.Ref, room int) output.Key { return jsonKey(w, p, t, room) }
	case kind == reflect.String:
		return func(w *output.Writer, p memory.Ref, _ int) output.Key {
			return output.Key{Name: memory.Load[string](p)}
		}
	case kind == reflect.Interface:
		return func(w *output.Writer, p memory.Ref, room int) output.Key { return dynamicKey(w, p, t, room) }
	case kind == reflect.Pointer:
		return pointerKey(t)
	}
	for _, kind := range []method.Kind{method.Text, method.Append} {
		if m := method.Of(kind, t, true); m != nil {
			return marshaledKey(t, m)
		}
	}
	switch kind {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if !t.Implements(errorType) {
			return integerKey(t)
		}
	case reflect.Chan, reflect.UnsafePointer:
		return func(*output.Writer, memory.Ref, int) output.Key { return unnamedKey(t, output.Unsupported, "") }
	}
	return func(w *output.Writer, p memory.Ref, room int) output.Key { return jsonKey(w, p, t, room) }
}

// unnamedKey names a key that has no text by its type.
func unnamedKey(t reflect.Type, reason output.Reason, detail string) output.Key {
	return output.Key{Name: "<" + t.String() + ">", Type: t, Reason: reason, Detail: detail}
}

// keyTexts holds what was found for the types of keys in interfaces.
var keyTexts typemap.Map[keyText]

// dynamicKey names the key in an interface of type t.
func dynamicKey(w *output.Writer, p memory.Ref, t reflect.Type, room int) output.Key {
	v := memory.Reflect(p, t).Elem()
	if !v.IsValid() {
		return output.Key{Name: "null"}
	}
	slot := reflect.New(v.Type()).Elem()
	slot.Set(v)
	text := keyTexts.Load(v.Type())
	if text == nil {
		made := keyTextOf(v.Type())
		text = &made
		keyTexts.Store(v.Type(), text)
	}
	k := (*text)(w, memory.Of(slot), room)
	k.Type = v.Type()
	return k
}

// pointerKey names a pointer by the text of what it leads to; nil has the
// empty text if there is a method for it, as encoding/json has it.
func pointerKey(t reflect.Type) keyText {
	for _, kind := range []method.Kind{method.Text, method.Append} {
		if !t.Implements(method.Interfaces[kind]) {
			continue
		}
		text := marshaledKey(t, method.Of(kind, t.Elem(), true))
		return func(w *output.Writer, p memory.Ref, room int) output.Key {
			q, ok := memory.Target(p)
			if !ok {
				return output.Key{}
			}
			return text(w, q, room)
		}
	}
	return func(w *output.Writer, p memory.Ref, room int) output.Key { return jsonKey(w, p, t, room) }
}

// marshaledKey names keys by their MarshalText or AppendText.
func marshaledKey(t reflect.Type, m *method.Method) keyText {
	return func(w *output.Writer, p memory.Ref, _ int) output.Key {
		given, fault := m.Call(p, w.Timeout)
		if fault != nil {
			return unnamedKey(t, fault.Reason, fault.Detail)
		}
		return output.Key{Name: string(given)}
	}
}

// integerKey names integers: enums by name.
func integerKey(t reflect.Type) keyText {
	m := enumMethod(t, true)
	return func(w *output.Writer, p memory.Ref, _ int) output.Key {
		if m == nil || w.EnumNumbers {
			return output.Key{Name: integerText(memory.Reflect(p, t))}
		}
		name, reason, detail := enumName(w, m, p, t)
		if name == "" {
			name = integerText(memory.Reflect(p, t))
		}
		return output.Key{Name: name, Type: t, Reason: reason, Detail: detail}
	}
}

// jsonKey names a key by its JSON text, without the quotes if it is a string.
// It is written by the same writer, whose ancestors and depth go on: a key
// may lead back to its map.
func jsonKey(w *output.Writer, p memory.Ref, t reflect.Type, room int) output.Key {
	if t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64 {
		return output.Key{Name: strconv.FormatFloat(memory.Reflect(p, t).Float(), 'g', -1, t.Bits())}
	}
	s := w.Tally()
	text := w.Aside(room, func(b []byte) []byte { return Of(t).run(w, b, p) })
	k := output.Key{Name: string(text), Type: t}
	if text[0] == '"' {
		k.Name = pointer.Unquote(text)
	}
	if reason, detail, ok := w.First(s); ok {
		k.Reason, k.Detail = reason, detail
		w.Rollback(s)
	}
	return k
}
