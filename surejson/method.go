package surejson

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"time"
)

// methodKind is what is called of a value.
type methodKind uint8

const (
	callJSON   methodKind = iota // MarshalJSON
	callText                     // MarshalText
	callAppend                   // AppendText
	callString                   // String
	callError                    // Error
	callZero                     // IsZero
)

// zeroer is what decides for the option omitzero.
type zeroer interface{ IsZero() bool }

var methodTypes = [...]reflect.Type{
	callJSON:   reflect.TypeFor[json.Marshaler](),
	callText:   reflect.TypeFor[encoding.TextMarshaler](),
	callAppend: reflect.TypeFor[encoding.TextAppender](),
	callString: reflect.TypeFor[fmt.Stringer](),
	callError:  errorType,
	callZero:   reflect.TypeFor[zeroer](),
}

// A method is one method of a type, and what is known of its manners.
type method struct {
	kind  methodKind
	t     reflect.Type
	b     binding
	clone bool         // it has a pointer receiver and must get a copy
	trust atomic.Int32 // unproven, proven or leaves
}

// The first call of a method happens in a goroutine of its own, so that it
// may exit that goroutine without harm. If it returns, later calls are made
// directly. If a later one exits, its caller's goroutine is lost, but no
// other will be.
const (
	unproven = iota
	proven
	leaves
)

// newMethod returns the method of t, or nil if neither t nor *t has it.
func newMethod(kind methodKind, t reflect.Type, addressed bool) *method {
	if !reflect.PointerTo(t).Implements(methodTypes[kind]) {
		return nil
	}
	m := &method{kind: kind, t: t, clone: !addressed && !t.Implements(methodTypes[kind])}
	switch kind {
	case callJSON:
		m.b = bind[json.Marshaler](t)
	case callText:
		m.b = bind[encoding.TextMarshaler](t)
	case callAppend:
		m.b = bind[encoding.TextAppender](t)
	case callString:
		m.b = bind[fmt.Stringer](t)
	case callError:
		m.b = bind[error](t)
	case callZero:
		m.b = bind[zeroer](t)
	}
	return m
}

// marshalerOf returns the method by which encoding/json writes values of
// type t, or AppendText, or nil.
func marshalerOf(t reflect.Type, addressed bool) *method {
	for _, kind := range []methodKind{callJSON, callText, callAppend} {
		if m := newMethod(kind, t, addressed); m != nil {
			return m
		}
	}
	return nil
}

// An outcome is what came of a call.
type outcome struct {
	data   []byte // from MarshalJSON, MarshalText, AppendText
	text   string // from String and Error
	zero   bool   // from IsZero
	failed Reason // 0 if the call went well
	detail string
}

// call calls the method on the value at p. Whatever the method does short of
// stopping the process, call returns; see unproven for the one exception.
func (w *writer) call(m *method, p ref) outcome {
	if m.clone {
		p = copied(p, m.t)
	}
	if w.timeout == 0 && m.trust.Load() == proven {
		return m.here(p)
	}
	return m.apart(p, w.timeout)
}

// here calls the method on this goroutine.
func (m *method) here(p ref) (o outcome) {
	returned := false
	defer func() {
		if !returned {
			o = m.caught(recover())
		}
	}()
	var err error
	switch m.kind {
	case callJSON:
		o.data, err = bound[json.Marshaler](m.b, p).MarshalJSON()
	case callText:
		o.data, err = bound[encoding.TextMarshaler](m.b, p).MarshalText()
	case callAppend:
		o.data, err = bound[encoding.TextAppender](m.b, p).AppendText(nil)
	case callString:
		o.text = bound[fmt.Stringer](m.b, p).String()
	case callError:
		o.text = bound[error](m.b, p).Error()
	case callZero:
		o.zero = bound[zeroer](m.b, p).IsZero()
	}
	returned = true
	if err != nil {
		o.failed, o.detail = MethodError, describe(err)
	}
	return o
}

// caught makes the outcome of a call that did not return.
func (m *method) caught(panicked any) outcome {
	if panicked == nil {
		m.trust.Store(leaves)
		return outcome{failed: MethodExit}
	}
	return outcome{failed: MethodPanic, detail: describe(panicked)}
}

// apart calls the method on a goroutine of its own.
func (m *method) apart(p ref, timeout time.Duration) outcome {
	o, ok := apart(timeout, func() outcome { return m.here(p) })
	switch {
	case !ok:
		return outcome{failed: MethodTimeout}
	case o.failed != MethodExit:
		m.trust.CompareAndSwap(unproven, proven)
	}
	return o
}

// apart runs f on a goroutine of its own and returns its outcome, or false
// if there is none in time. An f that exits has the outcome MethodExit.
func apart(timeout time.Duration, f func() outcome) (outcome, bool) {
	done := make(chan outcome, 1)
	go func() {
		o := outcome{failed: MethodExit}
		defer func() { done <- o }()
		o = f()
	}()
	if timeout <= 0 {
		return <-done, true
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case o := <-done:
		return o, true
	case <-timer.C:
		return outcome{}, false
	}
}

// maxDetail is how much of an error's text a report keeps.
const maxDetail = 200

// describeTimeout bounds the Error method of an error that is reported.
const describeTimeout = 100 * time.Millisecond

// describe returns the text of an error or of what a method panicked with.
// The Error method called for it may misbehave as well.
func describe(v any) string {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case error:
		o, _ := apart(describeTimeout, func() (o outcome) {
			defer func() {
				if recover() != nil {
					o = outcome{}
				}
			}()
			o.text = v.Error()
			return o
		})
		s = o.text
	}
	if s == "" {
		return fmt.Sprintf("%T", v)
	}
	if len(s) > maxDetail {
		s = s[:maxDetail] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
