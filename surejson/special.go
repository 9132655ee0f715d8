package surejson

import (
	"encoding/json"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire/surejson/internal/token"
)

// specialEncoding returns the encoding of a type of the standard library
// that is written by what it is, or nil.
func specialEncoding(p *plan) appender {
	switch p.t {
	case timeType:
		return (*writer).time
	case durationType:
		return (*writer).duration
	case numberType:
		return func(w *writer, b []byte, p ref) []byte { return w.number(b, load[string](p)) }
	case rawType:
		return func(w *writer, b []byte, p ref) []byte { return w.raw(b, load[json.RawMessage](p)) }
	case slogType:
		return func(w *writer, b []byte, p ref) []byte { return w.slog(b, load[slog.Value](p)) }
	case valueType:
		return func(w *writer, b []byte, p ref) []byte { return w.reflectValue(b, load[reflect.Value](p)) }
	case syncMapType:
		return func(w *writer, b []byte, p ref) []byte { return w.syncMap(b, address[sync.Map](p)) }
	}
	return atomicEncoding(p.t)
}

// atomicEncoding writes what an atomic holds. The type of p is t.
func atomicEncoding(t reflect.Type) appender {
	switch t {
	case atomicType:
		return func(w *writer, b []byte, p ref) []byte { return w.loose(b, address[atomic.Value](p).Load()) }
	case reflect.TypeFor[atomic.Bool]():
		return func(w *writer, b []byte, p ref) []byte {
			return strconv.AppendBool(b, address[atomic.Bool](p).Load())
		}
	case reflect.TypeFor[atomic.Int32]():
		return func(w *writer, b []byte, p ref) []byte {
			return w.int(b, int64(address[atomic.Int32](p).Load()), t)
		}
	case reflect.TypeFor[atomic.Int64]():
		return func(w *writer, b []byte, p ref) []byte { return w.int(b, address[atomic.Int64](p).Load(), t) }
	case reflect.TypeFor[atomic.Uint32]():
		return func(w *writer, b []byte, p ref) []byte {
			return w.uint(b, uint64(address[atomic.Uint32](p).Load()), t)
		}
	case reflect.TypeFor[atomic.Uint64]():
		return func(w *writer, b []byte, p ref) []byte { return w.uint(b, address[atomic.Uint64](p).Load(), t) }
	case reflect.TypeFor[atomic.Uintptr]():
		return func(w *writer, b []byte, p ref) []byte {
			return w.uint(b, uint64(address[atomic.Uintptr](p).Load()), t)
		}
	}
	if isAtomicPointer(t) {
		return func(w *writer, b []byte, p ref) []byte {
			load := reflected(p, t).Addr().MethodByName("Load")
			return w.loose(b, load.Call(nil)[0].Interface())
		}
	}
	return nil
}

// isAtomicPointer reports whether t is an atomic.Pointer of any type.
func isAtomicPointer(t reflect.Type) bool {
	return t.PkgPath() == "sync/atomic" && strings.HasPrefix(t.Name(), "Pointer[")
}

// loose appends a value that is held by no variable of the caller. It counts
// as nesting, since a chain of such values may be of any length.
func (w *writer) loose(b []byte, v any) []byte {
	if !w.descend(b) {
		return w.refuse(b, reflect.TypeOf(v))
	}
	slot := &v
	b = w.any(b, refTo(slot))
	w.depth--
	return b
}

// time appends the time.Time at p.
func (w *writer) time(b []byte, p ref) []byte {
	out, valid := token.AppendTime(b, load[time.Time](p))
	if !valid {
		w.note(len(b), timeType, TimeRange, "")
	}
	return out
}

// duration appends the time.Duration at p.
func (w *writer) duration(b []byte, p ref) []byte {
	d := load[time.Duration](p)
	switch w.durations {
	case DurationText:
		return w.text(b, d.String(), durationType)
	case DurationMilliseconds:
		return w.float(b, float64(d)/float64(time.Millisecond), 64, durationType)
	}
	return w.int(b, int64(d), durationType)
}

// slog appends what a slog.Value holds; a group becomes an object.
func (w *writer) slog(b []byte, v slog.Value) []byte {
	v = v.Resolve()
	if v.Kind() != slog.KindGroup {
		return w.loose(b, v.Any())
	}
	group := make(map[string]any)
	for _, a := range v.Group() {
		group[a.Key] = a.Value
	}
	return w.loose(b, group)
}

// reflectValue appends what a reflect.Value holds. One that was read from an
// unexported field gives nothing away.
func (w *writer) reflectValue(b []byte, v reflect.Value) []byte {
	switch {
	case !v.IsValid():
		return append(b, "null"...)
	case !v.CanInterface():
		return w.replace(b, v.Type(), Unsupported, "unexported field")
	}
	return w.loose(b, v.Interface())
}

// syncMap appends the contents of m as an object.
func (w *writer) syncMap(b []byte, m *sync.Map) []byte {
	contents := make(map[any]any)
	m.Range(func(k, v any) bool {
		contents[k] = v
		return true
	})
	return w.loose(b, contents)
}
