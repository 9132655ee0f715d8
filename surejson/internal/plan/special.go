package plan

import (
	"encoding/json"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/surewire/surewire/surejson/internal/memory"
	"github.com/surewire/surewire/surejson/internal/method"
	"github.com/surewire/surewire/surejson/internal/output"
	"github.com/surewire/surewire/surejson/internal/reach"
)

// specialEncoding returns the encoding of a type of the standard library
// that is written by what it is, or nil.
func specialEncoding(p *Plan) appender {
	switch p.t {
	case output.TimeType:
		p.brief = true
		return func(w *output.Writer, b []byte, p memory.Ref) []byte { return w.Time(b, memory.Load[time.Time](p)) }
	case durationType:
		return duration
	case output.NumberType:
		return func(w *output.Writer, b []byte, p memory.Ref) []byte { return w.Number(b, memory.Load[string](p)) }
	case output.RawType:
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			return w.Raw(b, memory.Load[json.RawMessage](p))
		}
	case slogType:
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			return slogValue(w, b, memory.Load[slog.Value](p))
		}
	case valueType:
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			return reflectValue(w, b, memory.Load[reflect.Value](p))
		}
	case syncMapType:
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			return syncMap(w, b, memory.Address[sync.Map](p))
		}
	}
	return atomicEncoding(p.t)
}

// atomicEncoding writes what an atomic holds. The type of p is t.
func atomicEncoding(t reflect.Type) appender {
	switch t {
	case atomicType:
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			return loose(w, b, memory.Address[atomic.Value](p).Load())
		}
	case reflect.TypeFor[atomic.Bool]():
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			return strconv.AppendBool(b, memory.Address[atomic.Bool](p).Load())
		}
	case reflect.TypeFor[atomic.Int32]():
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			return w.Int(b, int64(memory.Address[atomic.Int32](p).Load()), t)
		}
	case reflect.TypeFor[atomic.Int64]():
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			return w.Int(b, memory.Address[atomic.Int64](p).Load(), t)
		}
	case reflect.TypeFor[atomic.Uint32]():
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			return w.Uint(b, uint64(memory.Address[atomic.Uint32](p).Load()), t)
		}
	case reflect.TypeFor[atomic.Uint64]():
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			return w.Uint(b, memory.Address[atomic.Uint64](p).Load(), t)
		}
	case reflect.TypeFor[atomic.Uintptr]():
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			return w.Uint(b, uint64(memory.Address[atomic.Uintptr](p).Load()), t)
		}
	}
	if reach.IsAtomicPointer(t) {
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			load := memory.Reflect(p, t).Addr().MethodByName("Load")
			return loose(w, b, load.Call(nil)[0].Interface())
		}
	}
	return nil
}

// loose appends a value that is held by no variable of the caller. It counts
// as nesting, since a chain of such values may be of any length.
func loose(w *output.Writer, b []byte, v any) []byte {
	if !w.Descend(b) {
		return w.Refuse(b, reflect.TypeOf(v))
	}
	slot := &v
	b = anything(w, b, memory.At(slot))
	w.Ascend()
	return b
}

// duration appends the time.Duration at p.
func duration(w *output.Writer, b []byte, p memory.Ref) []byte {
	d := memory.Load[time.Duration](p)
	if w.Duration != nil {
		return w.Duration(w, b, d)
	}
	return w.Int(b, int64(d), durationType)
}

// slogValue appends what a slog.Value holds; a group becomes an object.
func slogValue(w *output.Writer, b []byte, v slog.Value) []byte {
	v, t, fault := method.Resolve(v, w.Timeout)
	if fault != nil {
		return w.Replace(b, t, fault.Reason, fault.Detail)
	}
	if v.Kind() != slog.KindGroup {
		return loose(w, b, v.Any())
	}
	return slogGroup(w, b, v.Group())
}

// slogGroup appends attributes as an object, in their order.
func slogGroup(w *output.Writer, b []byte, attrs []slog.Attr) []byte {
	if !w.Descend(b) {
		return w.Refuse(b, slogType)
	}
	at := len(b)
	for i := range attrs {
		it := w.Begin(b)
		b = w.Name(b, strings.ToValidUTF8(attrs[i].Key, "\uFFFD"))
		it.Value(b)
		value := any(attrs[i].Value)
		b = anything(w, b, memory.At(&value))
		if w.Over(b) {
			var stop bool
			if b, stop = spill(w, b, it, memory.At(&value), anyType, slogType, at); stop {
				break
			}
		}
	}
	w.Ascend()
	return closeObject(b, at)
}

// reflectValue appends what a reflect.Value holds. One that was read from an
// unexported field gives nothing away.
func reflectValue(w *output.Writer, b []byte, v reflect.Value) []byte {
	switch {
	case !v.IsValid():
		return append(b, "null"...)
	case !v.CanInterface():
		return w.Replace(b, v.Type(), output.Unsupported, "unexported field")
	}
	return loose(w, b, v.Interface())
}

// syncMap appends the contents of m as an object.
func syncMap(w *output.Writer, b []byte, m *sync.Map) []byte {
	contents := make(map[any]any)
	m.Range(func(k, v any) bool {
		contents[k] = v
		return true
	})
	return loose(w, b, contents)
}
