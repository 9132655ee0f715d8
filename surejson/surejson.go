package surejson

import (
	"reflect"
	"time"

	"github.com/surewire/surewire/surejson/internal/output"
	"github.com/surewire/surewire/surejson/internal/plan"
)

// The limits of the zero [Encoder], and the highest depth there is.
const (
	DefaultMaxDepth   = 512
	DefaultMaxSize    = 64 << 20
	DefaultMaxRepairs = 64

	// DepthCeiling is the nesting that common JSON readers accept, among
	// them encoding/json.
	DepthCeiling = 10000
)

// minSize is the length of null, the shortest repair.
const minSize = 4

// Marshal returns v as one JSON value, valid by RFC 8259 and in UTF-8. It
// cannot fail: what JSON cannot hold is repaired, and each repair is in the
// Report. The caller owns the bytes.
func Marshal(v any) ([]byte, Report) {
	return std.marshal(v)
}

// std is the encoder of [Marshal].
var std Encoder

// An Encoder encodes by policy and within limits. Its zero value is ready to
// use. Its methods may be called concurrently as long as no field changes.
type Encoder struct {
	MaxDepth   int // deepest nesting kept, at most DepthCeiling; 0 means DefaultMaxDepth
	MaxSize    int // longest output, in bytes, at least 4; 0 means DefaultMaxSize
	MaxRepairs int // repairs listed in a Report; 0 means DefaultMaxRepairs, below 0 none

	Integers  IntegerPolicy
	Enums     EnumPolicy
	Errors    ErrorPolicy
	Durations DurationPolicy

	EscapeHTML bool // write <, > and & as escapes, as json.Marshal does
	NilAsEmpty bool // write nil slices as [] and nil maps as {}, not as null

	// Protobuf writes protobuf messages; nil means that they are written as
	// the structs they are in Go.
	Protobuf MessageMarshaler

	// MethodTimeout bounds each call of a method of the value (MarshalJSON,
	// String and so on). With it each call has a goroutine of its own, which
	// costs about half a microsecond, and one that does not return in time is
	// left behind, still running and still reading the value; what it would
	// have written is null. 0 means no bound.
	MethodTimeout time.Duration
}

// A MessageMarshaler writes protobuf messages, which the standard library does
// not know; package surejson/protojson has one. It is asked for values whose
// type has a method ProtoReflect, not by embedding, and no method that
// marshals. Its methods may be called concurrently.
type MessageMarshaler interface {
	// MarshalMessage returns m, which is a pointer to the message and never
	// nil, as JSON. m is only read, and neither m nor the result is kept.
	// What it does wrong is contained as with MarshalJSON.
	MarshalMessage(m any) ([]byte, error)
}

// An IntegerPolicy decides over integers beyond ±2^53, which readers that
// hold numbers as IEEE 754 doubles, JavaScript among them, would change
// without a word (RFC 8259, section 6).
type IntegerPolicy uint8

const (
	// IntegersExact writes integers beyond ±2^53 as strings and reports
	// them, also in JSON made by methods and in json.RawMessage.
	IntegersExact IntegerPolicy = iota
	// IntegersAsNumbers writes every integer as a number, as encoding/json.
	IntegersAsNumbers
)

// An EnumPolicy decides over integers whose type has a String method and
// none that marshals, other than [time.Duration].
type EnumPolicy uint8

const (
	// EnumsByName writes what String returns, as a value, as a map key and
	// in a slice of bytes.
	EnumsByName EnumPolicy = iota
	// EnumsAsNumbers writes the number, as encoding/json.
	EnumsAsNumbers
)

// An ErrorPolicy decides over values with an Error method and none that
// marshals.
type ErrorPolicy uint8

const (
	// ErrorsAsText writes what Error returns.
	ErrorsAsText ErrorPolicy = iota
	// ErrorsAsData writes the exported fields, as encoding/json: for most
	// errors {}.
	ErrorsAsData
)

// A DurationPolicy decides over [time.Duration].
type DurationPolicy uint8

const (
	// DurationNanoseconds writes an integer, as encoding/json.
	DurationNanoseconds DurationPolicy = iota
	// DurationMilliseconds writes a number, with a fraction if need be.
	DurationMilliseconds
	// DurationText writes a string such as "1.5s".
	DurationText
)

// Append appends v to dst as one JSON value, as [Marshal] would, and returns
// the extended buffer. Neither dst nor the value is kept. What the capacity of
// dst holds beyond the output is overwritten.
func (e *Encoder) Append(dst []byte, v any) (out []byte, r Report) {
	var room output.Config
	w := output.New(e.config(&room), len(dst), v)
	out = plan.Append(w, dst)
	if !w.Clean() {
		r = newReport(w, out[len(dst):])
	}
	w.Release()
	return out, r
}

// marshal is Append to a new buffer.
func (e *Encoder) marshal(v any) (own []byte, r Report) {
	var room output.Config
	w := output.New(e.config(&room), 0, v)
	out := plan.Append(w, w.Spare[:0])
	if !w.Clean() {
		r = newReport(w, out)
	}
	w.Spare = out[:0]
	own = append(make([]byte, 0, len(out)), out...)
	w.Release()
	return own, r
}

// standard is the configuration of the zero Encoder.
var standard = std.resolve()

// config returns what e stands for, in room if need be. A nil e is the zero
// Encoder.
func (e *Encoder) config(room *output.Config) *output.Config {
	if e == nil || *e == (Encoder{}) {
		return &standard
	}
	*room = e.resolve()
	return room
}

// resolve fills in what e leaves open.
func (e *Encoder) resolve() output.Config {
	return output.Config{
		MaxDepth:    min(orDefault(max(e.MaxDepth, 0), DefaultMaxDepth), DepthCeiling),
		MaxSize:     max(orDefault(max(e.MaxSize, 0), DefaultMaxSize), minSize),
		MaxMarks:    max(orDefault(e.MaxRepairs, DefaultMaxRepairs), 0),
		HTML:        e.EscapeHTML,
		NilAsEmpty:  e.NilAsEmpty,
		BigNumbers:  e.Integers == IntegersAsNumbers,
		EnumNumbers: e.Enums == EnumsAsNumbers,
		ErrorData:   e.Errors == ErrorsAsData,
		Duration:    e.Durations.append(),
		Timeout:     e.MethodTimeout,
		Messages:    e.Protobuf,
	}
}

func orDefault(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// append returns what writes a duration, nil for nanoseconds.
func (p DurationPolicy) append() func(w *output.Writer, b []byte, d time.Duration) []byte {
	switch p {
	case DurationMilliseconds:
		return func(w *output.Writer, b []byte, d time.Duration) []byte {
			return w.Float(b, float64(d)/float64(time.Millisecond), 64, durationType)
		}
	case DurationText:
		return func(w *output.Writer, b []byte, d time.Duration) []byte {
			return w.Text(b, d.String(), durationType)
		}
	}
	return nil
}

var durationType = reflect.TypeFor[time.Duration]()
