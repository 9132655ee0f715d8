package surejson

import (
	"reflect"
	"strconv"
)

// marshalerEncoding writes what the method returns.
func marshalerEncoding(pl *plan, m *method) appender {
	t := pl.t
	if m.kind == callJSON {
		return func(w *writer, b []byte, p ref) []byte { return w.marshaled(b, m, p, t) }
	}
	return func(w *writer, b []byte, p ref) []byte {
		o := w.call(m, p)
		if o.failed != 0 {
			return w.replace(b, t, o.failed, o.detail)
		}
		return w.text(b, asString(o.data), t)
	}
}

// marshaled appends what a MarshalJSON method returns.
func (w *writer) marshaled(b []byte, m *method, p ref, t reflect.Type) []byte {
	o := w.call(m, p)
	if o.failed != 0 {
		return w.replace(b, t, o.failed, o.detail)
	}
	out, err := w.foreign(b, o.data, t)
	if err != nil {
		return w.replace(b, t, InvalidJSON, err.Error())
	}
	return out
}

// errorEncoding writes an error's text; if Error fails, what plain writes.
func errorEncoding(pl *plan, m *method, plain appender) appender {
	t := pl.t
	return func(w *writer, b []byte, p ref) []byte {
		if w.errorData {
			return plain(w, b, p)
		}
		o := w.call(m, p)
		if o.failed != 0 {
			w.note(len(b), t, o.failed, o.detail)
			return plain(w, b, p)
		}
		return w.text(b, o.text, t)
	}
}

// enumMethod returns the String method of t if that makes it an enum.
func enumMethod(t reflect.Type, addressed bool) *method {
	if t == durationType {
		return nil
	}
	return newMethod(callString, t, addressed)
}

// enumEncoding writes an integer's name; number writes the integer.
func enumEncoding(pl *plan, m *method, number appender) appender {
	t := pl.t
	return func(w *writer, b []byte, p ref) []byte {
		if w.enumNumber {
			return number(w, b, p)
		}
		name, reason, detail := w.enumName(m, p, t)
		if reason != 0 {
			w.note(len(b), t, reason, detail)
		}
		if name == "" {
			return number(w, b, p)
		}
		return w.text(b, name, t)
	}
}

// enumName returns the name of the enum value at p, empty if it has none,
// and why it is not a proper one. A String method that only formats the
// number gives no name, but does no wrong.
func (w *writer) enumName(m *method, p ref, t reflect.Type) (name string, reason Reason, detail string) {
	o := w.call(m, p)
	if o.failed != 0 {
		return "", o.failed, o.detail
	}
	if o.text == "" {
		return "", UnknownEnum, "empty name"
	}
	last := o.text[len(o.text)-1]
	if last != ')' && (last < '0' || last > '9') {
		return o.text, 0, ""
	}
	number := integerText(reflected(p, t))
	if o.text == number {
		return "", 0, ""
	}
	if n := len(o.text) - len(number) - 2; n > 0 && o.text[n:] == "("+number+")" {
		return o.text, UnknownEnum, ""
	}
	return o.text, 0, ""
}

// integerText formats a value of an integer kind.
func integerText(v reflect.Value) string {
	if v.CanInt() {
		return strconv.FormatInt(v.Int(), 10)
	}
	return strconv.FormatUint(v.Uint(), 10)
}

// fallbackEncoding writes the String of a value that has nothing else to
// show; if String fails, what plain writes.
func fallbackEncoding(pl *plan, m *method, plain appender) appender {
	t := pl.t
	return func(w *writer, b []byte, p ref) []byte {
		o := w.call(m, p)
		if o.failed != 0 {
			w.note(len(b), t, o.failed, o.detail)
			return plain(w, b, p)
		}
		w.note(len(b), t, StringFallback, "")
		return w.text(b, o.text, t)
	}
}
