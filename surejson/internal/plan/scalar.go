package plan

import (
	"reflect"
	"strconv"

	"github.com/surewire/surewire/surejson/internal/memory"
	"github.com/surewire/surewire/surejson/internal/method"
	"github.com/surewire/surewire/surejson/internal/output"
)

// scalarEncoding returns the encoding of a type of a basic kind, or of one
// that JSON lacks.
func scalarEncoding(p *Plan, addressed bool) appender {
	var run appender
	switch p.t.Kind() {
	case reflect.Bool:
		p.brief = true
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			return strconv.AppendBool(b, memory.Load[bool](p))
		}
	case reflect.String:
		t := p.t
		return func(w *output.Writer, b []byte, p memory.Ref) []byte { return w.Text(b, memory.Load[string](p), t) }
	case reflect.Float32, reflect.Float64:
		p.brief = true
		return floatEncoding(p)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		run = integerEncoding(p)
	default:
		return unsupportedEncoding(p, addressed)
	}
	if m := enumMethod(p.t, addressed); m != nil {
		return enumEncoding(p, m, run)
	}
	p.brief = true
	return run
}

func integerEncoding(p *Plan) appender {
	switch p.t.Kind() {
	case reflect.Int:
		return intEncoding[int](p.t)
	case reflect.Int8:
		return intEncoding[int8](p.t)
	case reflect.Int16:
		return intEncoding[int16](p.t)
	case reflect.Int32:
		return intEncoding[int32](p.t)
	case reflect.Int64:
		return intEncoding[int64](p.t)
	case reflect.Uint:
		return uintEncoding[uint](p.t)
	case reflect.Uint8:
		return uintEncoding[uint8](p.t)
	case reflect.Uint16:
		return uintEncoding[uint16](p.t)
	case reflect.Uint32:
		return uintEncoding[uint32](p.t)
	case reflect.Uint64:
		return uintEncoding[uint64](p.t)
	}
	return uintEncoding[uintptr](p.t)
}

func intEncoding[T memory.Signed](t reflect.Type) appender {
	return func(w *output.Writer, b []byte, p memory.Ref) []byte { return w.Int(b, memory.Int[T](p), t) }
}

func uintEncoding[T memory.Unsigned](t reflect.Type) appender {
	return func(w *output.Writer, b []byte, p memory.Ref) []byte { return w.Uint(b, memory.Uint[T](p), t) }
}

func floatEncoding(p *Plan) appender {
	t := p.t
	if t.Kind() == reflect.Float32 {
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			return w.Float(b, memory.Float[float32](p), 32, t)
		}
	}
	return func(w *output.Writer, b []byte, p memory.Ref) []byte {
		return w.Float(b, memory.Float[float64](p), 64, t)
	}
}

// unsupportedEncoding writes null, or the text of what has one: complex
// numbers, and functions and channels with a String method.
func unsupportedEncoding(p *Plan, addressed bool) appender {
	t := p.t
	switch t.Kind() {
	case reflect.Complex64, reflect.Complex128:
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			c := memory.Reflect(p, t).Complex()
			w.Note(len(b), t, output.Unsupported, "")
			return w.Text(b, strconv.FormatComplex(c, 'g', -1, t.Bits()), t)
		}
	}
	null := func(w *output.Writer, b []byte, p memory.Ref) []byte {
		if memory.IsNil(p) {
			return append(b, "null"...)
		}
		return w.Replace(b, t, output.Unsupported, "")
	}
	if m := method.Of(method.String, t, addressed); m != nil {
		return textEncoding(p, m, null)
	}
	return null
}
