package surejson

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/surewire/surewire/surejson/internal/scan"
	"github.com/surewire/surewire/surejson/internal/token"
)

type signed interface {
	int | int8 | int16 | int32 | int64
}

type unsigned interface {
	uint | uint8 | uint16 | uint32 | uint64 | uintptr
}

type floating interface{ float32 | float64 }

// scalarEncoding returns the encoding of a type of a basic kind, or of one
// that JSON lacks.
func scalarEncoding(p *plan, addressed bool) appender {
	var run appender
	switch p.t.Kind() {
	case reflect.Bool:
		return func(w *writer, b []byte, p ref) []byte { return strconv.AppendBool(b, load[bool](p)) }
	case reflect.String:
		t := p.t
		return func(w *writer, b []byte, p ref) []byte { return w.text(b, load[string](p), t) }
	case reflect.Float32, reflect.Float64:
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
	return run
}

func integerEncoding(p *plan) appender {
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

func intEncoding[T signed](t reflect.Type) appender {
	return func(w *writer, b []byte, p ref) []byte { return w.int(b, loadInt[T](p), t) }
}

func uintEncoding[T unsigned](t reflect.Type) appender {
	return func(w *writer, b []byte, p ref) []byte { return w.uint(b, loadUint[T](p), t) }
}

func floatEncoding(p *plan) appender {
	t := p.t
	if t.Kind() == reflect.Float32 {
		return func(w *writer, b []byte, p ref) []byte { return w.float(b, loadFloat[float32](p), 32, t) }
	}
	return func(w *writer, b []byte, p ref) []byte { return w.float(b, loadFloat[float64](p), 64, t) }
}

// unsupportedEncoding writes null, or the text of what has one: complex
// numbers, and functions and channels with a String method.
func unsupportedEncoding(p *plan, addressed bool) appender {
	t := p.t
	switch t.Kind() {
	case reflect.Complex64, reflect.Complex128:
		return func(w *writer, b []byte, p ref) []byte {
			c := reflected(p, t).Complex()
			w.note(len(b), t, Unsupported, "")
			return w.text(b, strconv.FormatComplex(c, 'g', -1, t.Bits()), t)
		}
	}
	null := func(w *writer, b []byte, p ref) []byte {
		return w.replace(b, t, Unsupported, "")
	}
	if m := newMethod(callString, t, addressed); m != nil {
		return fallbackEncoding(p, m, null)
	}
	return null
}

// int appends a signed integer of type t.
func (w *writer) int(b []byte, i int64, t reflect.Type) []byte {
	if i > token.MaxSafe || i < -token.MaxSafe {
		return w.bigInteger(b, strconv.FormatInt(i, 10), t)
	}
	return strconv.AppendInt(b, i, 10)
}

// uint appends an unsigned integer of type t.
func (w *writer) uint(b []byte, u uint64, t reflect.Type) []byte {
	if u > token.MaxSafe {
		return w.bigInteger(b, strconv.FormatUint(u, 10), t)
	}
	return strconv.AppendUint(b, u, 10)
}

func (w *writer) bigInteger(b []byte, digits string, t reflect.Type) []byte {
	if w.bigNumbers {
		return append(b, digits...)
	}
	w.note(len(b), t, BigInteger, "")
	b = append(append(b, '"'), digits...)
	return append(b, '"')
}

// float appends a float of the given size.
func (w *writer) float(b []byte, f float64, size int, t reflect.Type) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return w.replace(b, t, NonFinite, strconv.FormatFloat(f, 'g', -1, size))
	}
	return token.AppendFloat(b, f, size)
}

// text appends s as a string, on behalf of a value of type t.
func (w *writer) text(b []byte, s string, t reflect.Type) []byte {
	if len(s)+2 > w.room(b) {
		return w.cutText(b, s, t)
	}
	out, valid := token.AppendString(b, s, w.html)
	if !valid || w.over(out) {
		return w.mendText(b, out, s, t, valid)
	}
	return out
}

// mendText deals with a string that was written as out but is not valid or
// too long.
func (w *writer) mendText(b, out []byte, s string, t reflect.Type, valid bool) []byte {
	if w.over(out) {
		return w.cutText(b, s, t)
	}
	if !valid {
		w.note(len(b), t, InvalidUTF8, "")
	}
	return out
}

// cutText writes as much of a too long string as fits, or half of that if
// there may be more to write after it.
func (w *writer) cutText(b []byte, s string, t reflect.Type) []byte {
	room := w.room(b) - len(`""`)
	if w.depth > 0 {
		room /= 2
	}
	for n := min(room, len(s)); n > 0; n /= 2 {
		for n > 0 && !utf8.RuneStart(s[n-1]) {
			n-- // not after a part of a character; one that is whole is lost too
		}
		if n == 0 {
			break
		}
		n--
		out, _ := token.AppendString(b, s[:n], w.html)
		if len(out)-len(b) <= room+len(`""`) {
			w.note(len(b), t, TooLarge, strconv.Itoa(n)+" of "+strconv.Itoa(len(s))+" bytes kept")
			return out
		}
	}
	return append(b, "null"...) // which the container takes back if need be
}

// bytes appends b64 in base64, as much of it as fits.
func (w *writer) bytes(b, data []byte, t reflect.Type) []byte {
	if n := base64.StdEncoding.EncodedLen(len(data)) + 2; n > w.room(b) {
		room := w.room(b) - len(`""`)
		if w.depth > 0 {
			room /= 2
		}
		if room < 4 {
			return append(b, "null"...)
		}
		kept := room / 4 * 3
		w.note(len(b), t, TooLarge, strconv.Itoa(kept)+" of "+strconv.Itoa(len(data))+" bytes kept")
		data = data[:kept]
	}
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, data)
	return append(b, '"')
}

// number appends a json.Number.
func (w *writer) number(b []byte, s string) []byte {
	if s == "" {
		s = "0" // as encoding/json does
	}
	n, integer := token.NumberLen(s)
	switch {
	case n == 0 || n < len(s):
		w.note(len(b), numberType, InvalidNumber, "")
		return w.text(b, s, numberType)
	case integer && !token.Safe(s):
		return w.bigInteger(b, s, numberType)
	}
	return append(b, s...)
}

// scanReasons are the reasons of repairs within JSON made by others.
var scanReasons = [...]Reason{scan.BigInteger: BigInteger, scan.InvalidUTF8: InvalidUTF8, scan.TooDeep: TooDeep}

// foreign appends JSON made by others on behalf of a value of type t.
func (w *writer) foreign(b, raw []byte, t reflect.Type) ([]byte, error) {
	var few [4]scan.Mark
	limits := scan.Limits{Depth: w.maxDepth - w.depth, BigIntegers: w.bigNumbers, HTML: w.html}
	b, marks, err := scan.Append(b, raw, limits, few[:0])
	for _, m := range marks {
		w.note(m.Offset, t, scanReasons[m.Kind], "")
	}
	return b, err
}

// raw appends a json.RawMessage.
func (w *writer) raw(b []byte, raw json.RawMessage) []byte {
	if raw == nil {
		return append(b, "null"...)
	}
	out, err := w.foreign(b, raw, rawType)
	if err != nil {
		w.note(len(b), rawType, InvalidJSON, err.Error())
		return w.text(b, string(raw), rawType)
	}
	return out
}
