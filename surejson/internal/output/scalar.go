package output

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/surewire/surewire/surejson/internal/contain"
	"github.com/surewire/surewire/surejson/internal/scan"
	"github.com/surewire/surewire/surejson/internal/token"
)

// The types that a Writer knows.
var (
	NumberType = reflect.TypeFor[json.Number]()
	RawType    = reflect.TypeFor[json.RawMessage]()
	TimeType   = reflect.TypeFor[time.Time]()
)

// Int appends a signed integer of type t.
func (w *Writer) Int(b []byte, i int64, t reflect.Type) []byte {
	if i > token.MaxSafe || i < -token.MaxSafe {
		return w.bigInteger(b, strconv.FormatInt(i, 10), t)
	}
	return token.AppendInt(b, i)
}

// Uint appends an unsigned integer of type t.
func (w *Writer) Uint(b []byte, u uint64, t reflect.Type) []byte {
	if u > token.MaxSafe {
		return w.bigInteger(b, strconv.FormatUint(u, 10), t)
	}
	return token.AppendUint(b, u)
}

func (w *Writer) bigInteger(b []byte, digits string, t reflect.Type) []byte {
	if w.BigNumbers {
		return append(b, digits...)
	}
	w.Note(len(b), t, BigInteger, "")
	b = append(append(b, '"'), digits...)
	return append(b, '"')
}

// Float appends a float of the given size.
func (w *Writer) Float(b []byte, f float64, size int, t reflect.Type) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return w.Replace(b, t, NonFinite, strconv.FormatFloat(f, 'g', -1, size))
	}
	return token.AppendFloat(b, f, size)
}

// Time appends a time.
func (w *Writer) Time(b []byte, t time.Time) []byte {
	out, valid := w.clock.Append(b, t)
	if !valid {
		w.Note(len(b), TimeType, TimeRange, "")
	}
	return out
}

// Text appends s as a string, on behalf of a value of type t.
func (w *Writer) Text(b []byte, s string, t reflect.Type) []byte {
	// Escapes take at most six times the bytes, so that this fits.
	if !contain.On || len(b)+8*len(s) <= w.brim {
		if out, valid := token.AppendString(b, s, w.HTML); valid {
			return out
		}
	}
	return w.mendText(b, s, t)
}

// ShortText is Text for strings that are mostly short and plain.
func (w *Writer) ShortText(b []byte, s string, t reflect.Type) []byte {
	if w.Ample(b) {
		if out, ok := token.None.AppendPlain(b, s, w.HTML); ok {
			return out
		}
	}
	return w.Text(b, s, t)
}

// mendText is Text for a string that may be too long, or not valid.
func (w *Writer) mendText(b []byte, s string, t reflect.Type) []byte {
	if len(s)+2 > w.Room(b) {
		return w.cutText(b, s, t)
	}
	out, valid := token.AppendString(b, s, w.HTML)
	if w.Over(out) {
		return w.cutText(b, s, t)
	}
	if !valid {
		w.Note(len(b), t, InvalidUTF8, "")
	}
	return out
}

// cutText writes as much of a too long string as fits, or half of that if
// there may be more to write after it.
func (w *Writer) cutText(b []byte, s string, t reflect.Type) []byte {
	room := w.Room(b) - len(`""`)
	if w.depth > 0 {
		room /= 2
	}
	for n := min(room, len(s)); n > 0; n /= 2 {
		for n > 0 && n < len(s) && !utf8.RuneStart(s[n]) {
			n--
		}
		out, _ := token.AppendString(b, s[:n], w.HTML)
		if len(out)-len(b) <= room+len(`""`) {
			w.Note(len(b), t, TooLarge, strconv.Itoa(n)+" of "+strconv.Itoa(len(s))+" bytes kept")
			return out
		}
	}
	return append(b, "null"...) // which the container takes back if need be
}

// Bytes appends data in base64, as much of it as fits.
func (w *Writer) Bytes(b, data []byte, t reflect.Type) []byte {
	if n := base64.StdEncoding.EncodedLen(len(data)) + 2; n > w.Room(b) {
		room := w.Room(b) - len(`""`)
		if w.depth > 0 {
			room /= 2
		}
		if room < 4 {
			return append(b, "null"...)
		}
		kept := room / 4 * 3
		w.Note(len(b), t, TooLarge, strconv.Itoa(kept)+" of "+strconv.Itoa(len(data))+" bytes kept")
		data = data[:kept]
	}
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, data)
	return append(b, '"')
}

// Number appends a json.Number.
func (w *Writer) Number(b []byte, s string) []byte {
	if s == "" {
		s = "0" // as encoding/json does
	}
	n, integer := token.NumberLen(s)
	switch {
	case n == 0 || n < len(s):
		w.Note(len(b), NumberType, InvalidNumber, "")
		return w.Text(b, s, NumberType)
	case integer && !token.Safe(s):
		return w.bigInteger(b, s, NumberType)
	}
	return append(b, s...)
}

// Foreign appends JSON made by others on behalf of a value of type t.
func (w *Writer) Foreign(b, raw []byte, t reflect.Type) ([]byte, error) {
	var few [4]scan.Mark
	limits := scan.Limits{Depth: w.MaxDepth - w.depth, BigIntegers: w.BigNumbers, HTML: w.HTML}
	b, marks, err := scan.Append(b, raw, limits, few[:0])
	for _, m := range marks {
		w.Note(m.Offset, t, scanReasons[m.Kind], "")
	}
	return b, err
}

// Raw appends a json.RawMessage.
func (w *Writer) Raw(b []byte, raw json.RawMessage) []byte {
	if raw == nil {
		return append(b, "null"...)
	}
	out, err := w.Foreign(b, raw, RawType)
	if err != nil {
		w.Note(len(b), RawType, InvalidJSON, err.Error())
		return w.Text(b, string(raw), RawType)
	}
	return out
}

// Name appends a comma, a member's name and a colon. What is not UTF-8 in the
// name is for the caller to report.
func (w *Writer) Name(b []byte, s string) []byte {
	if w.Ample(b) {
		if out, ok := token.Comma.AppendPlain(b, s, w.HTML); ok {
			return append(out, ':')
		}
	}
	b, _ = token.AppendString(append(b, ','), s, w.HTML)
	return append(b, ':')
}
