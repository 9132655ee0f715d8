package plan

import (
	"reflect"
	"strconv"

	"github.com/surewire/surewire/surejson/internal/memory"
	"github.com/surewire/surewire/surejson/internal/method"
	"github.com/surewire/surewire/surejson/internal/output"
)

// marshalerEncoding writes what the method returns.
func marshalerEncoding(pl *Plan, m *method.Method) appender {
	t := pl.t
	if m.Kind == method.JSON {
		return func(w *output.Writer, b []byte, p memory.Ref) []byte {
			given, fault := m.Call(p, w.Timeout)
			return checked(w, b, given, fault, t)
		}
	}
	return func(w *output.Writer, b []byte, p memory.Ref) []byte {
		given, fault := m.Call(p, w.Timeout)
		if fault != nil {
			return w.Replace(b, t, fault.Reason, fault.Detail)
		}
		return w.ShortText(b, memory.String(given), t)
	}
}

// checked appends JSON that a method has given, or not.
func checked(w *output.Writer, b, given []byte, fault *method.Fault, t reflect.Type) []byte {
	if fault != nil {
		return w.Replace(b, t, fault.Reason, fault.Detail)
	}
	out, err := w.Foreign(b, given, t)
	if err != nil {
		return w.Replace(b, t, output.InvalidJSON, err.Error())
	}
	return out
}

// messageEncoding writes a protobuf message if there is something that can,
// and otherwise what plain writes. It gets a copy of one that is not addressed.
func messageEncoding(pl *Plan, addressed bool, plain appender) appender {
	t, guard := pl.t, new(method.Guard)
	return func(w *output.Writer, b []byte, p memory.Ref) []byte {
		if w.Messages == nil {
			return plain(w, b, p)
		}
		if !addressed {
			p = memory.Copy(p, t)
		}
		given, fault := guard.Message(w.Messages, memory.Reflect(p, t).Addr().Interface(), w.Timeout)
		return checked(w, b, given, fault, t)
	}
}

// textEncoding writes what Error gives, or String for a value that has nothing
// else to show; if that fails, what plain writes.
func textEncoding(pl *Plan, m *method.Method, plain appender) appender {
	t, fallback := pl.t, m.Kind == method.String
	return func(w *output.Writer, b []byte, p memory.Ref) []byte {
		if w.ErrorData && !fallback {
			return plain(w, b, p)
		}
		given, fault := m.Call(p, w.Timeout)
		if fault != nil {
			w.Note(len(b), t, fault.Reason, fault.Detail)
			return plain(w, b, p)
		}
		if fallback {
			w.Note(len(b), t, output.StringFallback, "")
		}
		return w.Text(b, memory.String(given), t)
	}
}

// enumMethod returns the String method of t if that makes it an enum.
func enumMethod(t reflect.Type, addressed bool) *method.Method {
	if t == durationType {
		return nil
	}
	return method.Of(method.String, t, addressed)
}

// enumEncoding writes an integer's name; number writes the integer.
func enumEncoding(pl *Plan, m *method.Method, number appender) appender {
	t := pl.t
	return func(w *output.Writer, b []byte, p memory.Ref) []byte {
		if w.EnumNumbers {
			return number(w, b, p)
		}
		name, reason, detail := enumName(w, m, p, t)
		if reason != 0 {
			w.Note(len(b), t, reason, detail)
		}
		if name == "" {
			return number(w, b, p)
		}
		return w.Text(b, name, t)
	}
}

// enumName returns the name of the enum value at p, empty if it has none,
// and why it is not a proper one. A String method that only formats the
// number gives no name, but does no wrong.
func enumName(w *output.Writer, m *method.Method, p memory.Ref, t reflect.Type) (name string, reason output.Reason, detail string) {
	given, fault := m.Call(p, w.Timeout)
	if fault != nil {
		return "", fault.Reason, fault.Detail
	}
	if name = memory.String(given); name == "" {
		return "", output.UnknownEnum, "empty name"
	}
	last := name[len(name)-1]
	if last != ')' && (last < '0' || last > '9') {
		return name, 0, ""
	}
	number := integerText(memory.Reflect(p, t))
	if name == number {
		return "", 0, ""
	}
	if n := len(name) - len(number) - 2; n > 0 && name[n:] == "("+number+")" {
		return name, output.UnknownEnum, ""
	}
	return name, 0, ""
}

// integerText formats a value of an integer kind.
func integerText(v reflect.Value) string {
	if v.CanInt() {
		return strconv.FormatInt(v.Int(), 10)
	}
	return strconv.FormatUint(v.Uint(), 10)
}
