package method

import (
	"log/slog"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/surewire/surewire/surejson/internal/output"
)

// maxLogValues is how often a LogValue method may lead to the next: log/slog
// has the same bound.
const maxLogValues = 100

// logValuers holds a Guard for each type with a LogValue method.
var logValuers sync.Map

// Resolve returns what v stands for, as its own Resolve does, but tells a
// failure of a LogValue method from a value: then t is the method's type.
func Resolve(v slog.Value, timeout time.Duration) (resolved slog.Value, t reflect.Type, fault *Fault) {
	for range maxLogValues {
		if v.Kind() != slog.KindLogValuer {
			return v, nil, nil
		}
		valuer := v.LogValuer()
		t = reflect.TypeOf(valuer)
		guard, ok := logValuers.Load(t)
		if !ok {
			guard, _ = logValuers.LoadOrStore(t, new(Guard))
		}
		var next slog.Value
		if fault = guard.(*Guard).Run(timeout, func() error { next = valuer.LogValue(); return nil }); fault != nil {
			return slog.Value{}, t, fault
		}
		v = next
	}
	return slog.Value{}, t, &Fault{output.Cycle, "LogValue called " + strconv.Itoa(maxLogValues) + " times"}
}
