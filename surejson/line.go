package surejson

import (
	"log/slog"
	"reflect"
	"strconv"
	"strings"

	"github.com/surewire/surewire/surejson/internal/method"
	"github.com/surewire/surewire/surejson/internal/output"
	"github.com/surewire/surewire/surejson/internal/plan"
	"github.com/surewire/surewire/surejson/internal/token"
)

// A line is one line of a log while it is written. An object is open from its
// brace on, and in is the offset of the innermost one's brace.
type line struct {
	h      *Handler
	w      *output.Writer
	opened int      // groups begun by WithGroup and opened by this line
	groups []string // open groups, for ReplaceAttr; nil in the head of a line
	inHead bool
	left   int // attributes that may follow; below zero once that was reported
}

// newLine begins a line, with its object open.
func newLine(h *Handler, c *output.Config) line {
	l := line{h: h, w: output.New(c, 0, nil), inHead: true}
	// Each attribute takes at least these bytes, unless it is left out:
	// groups that hold themselves and only empty attributes end by this.
	l.left = c.MaxSize / len(`"":0,`)
	l.w.Descend(nil)
	return l
}

// release ends the use of the line and of b. A goroutine that a method ends
// never gets here: its Writer is not fit for use.
func (l *line) release(b []byte) {
	l.w.Spare = b[:0]
	l.w.Release()
}

// head appends the members that each record has.
func (l *line) head(b []byte, r *slog.Record) []byte {
	add, level := l.member, slog.StringValue(r.Level.String())
	if l.h.options.ReplaceAttr != nil {
		add, level = l.attr, slog.AnyValue(r.Level)
	}
	if !r.Time.IsZero() {
		b = add(b, slog.Time(slog.TimeKey, r.Time), 0)
	}
	b = add(b, slog.Attr{Key: slog.LevelKey, Value: level}, 0)
	if l.h.options.AddSource {
		source := r.Source()
		if source == nil {
			source = new(slog.Source)
		}
		b = l.attr(b, slog.Any(slog.SourceKey, source), 0)
	}
	return add(b, slog.String(slog.MessageKey, r.Message), 0)
}

// begin appends what WithAttrs made ready.
func (l *line) begin(b []byte) []byte {
	l.inHead = false
	if l.h.options.ReplaceAttr != nil {
		l.groups = append(l.groups, l.h.groups...)
	}
	if len(l.h.ready) > 0 {
		b = append(comma(b), l.h.ready...)
	}
	for range l.h.open {
		l.w.Descend(b)
	}
	return b
}

// openGroups opens the groups that are not open in what was ready, and returns
// where the last one begins.
func (l *line) openGroups(b []byte) (out []byte, in int) {
	for _, name := range l.h.groups[l.h.open:] {
		it := l.w.Begin(b)
		b = l.name(b, name)
		it.Value(b)
		if !l.w.Descend(b) {
			b = l.w.Refuse(b, valueType)
			l.left = -1 // what would come is in there
			return l.fit(b, it, valueType, in), in
		}
		l.opened++
		in = len(b)
		b = append(b, '{')
	}
	return b, in
}

// dropEmpty takes the groups that were opened at start back if the last one,
// at in, has no member.
func (l *line) dropEmpty(b []byte, start, in int) []byte {
	if l.opened == 0 || len(b) > in+1 || l.w.Over(b) {
		return b
	}
	for range l.opened {
		l.w.Ascend()
	}
	l.opened = 0
	return b[:start]
}

// attr appends an attribute, or nothing if it is empty.
func (l *line) attr(b []byte, a slog.Attr, in int) []byte {
	if l.w.Over(b) || l.exhausted(in) {
		return b
	}
	kind := a.Value.Kind()
	if l.h.options.ReplaceAttr == nil && slog.KindBool <= kind && kind <= slog.KindUint64 {
		return l.member(b, a, in)
	}
	a, t, fault := l.settle(a)
	if source, ok := sourceOf(a.Value); ok {
		a.Value = source
	}
	kind = a.Value.Kind()
	switch {
	case fault != nil:
		it := l.w.Begin(b)
		b = l.name(b, a.Key)
		it.Value(b)
		return l.fit(l.w.Replace(b, t, fault.Reason, fault.Detail), it, t, in)
	case kind != slog.KindGroup && a.Key == "" && isNil(a.Value):
		return b
	case kind != slog.KindGroup:
		return l.member(b, a, in)
	case len(a.Value.Group()) == 0:
		return b
	case a.Key == "" && l.w.Descend(b):
		b = l.attrs(b, a.Value.Group(), in)
		l.w.Ascend()
		return b
	}
	return l.group(b, a, in)
}

// member appends an attribute with a value that is resolved and no group.
func (l *line) member(b []byte, a slog.Attr, in int) []byte {
	it := l.w.Begin(b)
	b = l.name(b, a.Key)
	it.Value(b)
	b = l.value(b, a.Value)
	if l.w.Over(b) {
		return l.fit(b, it, reflect.TypeOf(a.Value.Any()), in)
	}
	return b
}

// fit makes an item of type t fit into the object at in.
func (l *line) fit(b []byte, it output.Item, t reflect.Type, in int) []byte {
	if l.w.Over(b) {
		b, _ = l.w.Spill(b, it, t, valueType, in)
	}
	return b
}

// attrs appends the attributes of a group.
func (l *line) attrs(b []byte, list []slog.Attr, in int) []byte {
	for _, a := range list {
		b = l.attr(b, a, in)
	}
	return b
}

// group appends a group as an object, or nothing if all in it is empty.
func (l *line) group(b []byte, a slog.Attr, in int) []byte {
	start, it := len(b), l.w.Begin(b)
	b = l.name(b, a.Key)
	it.Value(b)
	if !l.w.Descend(b) {
		return l.fit(l.w.Refuse(b, valueType), it, valueType, in)
	}
	brace := len(b)
	b = append(b, '{')
	if l.h.options.ReplaceAttr != nil && !l.inHead {
		l.groups = append(l.groups, a.Key)
	}
	b = l.attrs(b, a.Value.Group(), brace)
	l.groups = l.groups[:max(len(l.groups)-1, 0)]
	l.w.Ascend()
	if len(b) == brace+1 && !l.w.Over(b) {
		return b[:start]
	}
	return append(b, '}')
}

// exhausted counts an attribute, and reports whether it is one too many.
func (l *line) exhausted(in int) bool {
	if l.left == 0 {
		l.w.Note(in, valueType, output.TooLarge, "too many attributes")
	}
	l.left--
	return l.left < 0
}

// settle returns the attribute that is written for a. If a method or
// ReplaceAttr failed, the value is nil and t is the type of the culprit.
func (l *line) settle(a slog.Attr) (settled slog.Attr, t reflect.Type, fault *method.Fault) {
	a.Value, t, fault = method.Resolve(a.Value, l.w.Timeout)
	if l.h.options.ReplaceAttr == nil || a.Value.Kind() == slog.KindGroup {
		return a, t, fault
	}
	replaced, panicked := l.replace(a)
	if panicked != nil {
		return slog.Attr{Key: a.Key}, reflect.TypeOf(l.h.options.ReplaceAttr), panicked
	}
	if fault != nil && replaced.Key != "" && isNil(replaced.Value) {
		return replaced, t, fault
	}
	replaced.Value, t, fault = method.Resolve(replaced.Value, l.w.Timeout)
	return replaced, t, fault
}

// replace calls ReplaceAttr.
func (l *line) replace(a slog.Attr) (replaced slog.Attr, fault *method.Fault) {
	defer func() {
		if r := recover(); r != nil {
			fault = &method.Fault{Reason: output.MethodPanic, Detail: method.Describe(r)}
		}
	}()
	return l.h.options.ReplaceAttr(l.groups, a), nil
}

// sourceOf returns a place in source code as a group of what is known of it.
func sourceOf(v slog.Value) (group slog.Value, ok bool) {
	if v.Kind() != slog.KindAny {
		return v, false
	}
	s, ok := v.Any().(*slog.Source)
	if !ok || s == nil {
		return slog.GroupValue(), ok
	}
	list := make([]slog.Attr, 0, 3)
	if s.Function != "" {
		list = append(list, slog.String("function", s.Function))
	}
	if s.File != "" {
		list = append(list, slog.String("file", s.File))
	}
	if s.Line != 0 {
		list = append(list, slog.Int("line", s.Line))
	}
	return slog.GroupValue(list...), true
}

func isNil(v slog.Value) bool { return v.Kind() == slog.KindAny && v.Any() == nil }

var (
	valueType  = reflect.TypeFor[slog.Value]()
	stringType = reflect.TypeFor[string]()
)

// value appends a value that is resolved and no group.
func (l *line) value(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return l.w.Text(b, v.String(), stringType)
	case slog.KindInt64:
		return l.w.Int(b, v.Int64(), reflect.TypeFor[int64]())
	case slog.KindUint64:
		return l.w.Uint(b, v.Uint64(), reflect.TypeFor[uint64]())
	case slog.KindFloat64:
		return l.w.Float(b, v.Float64(), 64, reflect.TypeFor[float64]())
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindDuration:
		if l.w.Duration == nil {
			return l.w.Int(b, int64(v.Duration()), durationType)
		}
		return l.w.Duration(l.w, b, v.Duration())
	case slog.KindTime:
		return l.w.Time(b, v.Time())
	}
	l.w.Root = v.Any()
	b = plan.Part(l.w, b)
	l.w.Root = nil
	return b
}

// name appends a member's name, with a comma if it is not the first.
func (l *line) name(b []byte, name string) []byte {
	b = comma(b)
	at := len(b)
	b, valid := token.AppendString(b, name, l.w.HTML)
	if !valid {
		l.w.Note(at, stringType, output.InvalidUTF8, "")
	}
	return append(b, ':')
}

// comma appends a comma unless b ends with the start of a container.
func comma(b []byte) []byte {
	if c := b[len(b)-1]; c == '{' || c == '[' {
		return b
	}
	return append(b, ',')
}

// closed appends the ends of all objects.
func (l *line) closed(b []byte) []byte {
	for range l.h.open + l.opened {
		b = append(b, '}')
	}
	return append(b, '}')
}

// end appends the ends of all objects, and before the last one the repairs.
func (l *line) end(b []byte) []byte {
	b = l.closed(b)
	total := l.h.repaired + l.w.Tally().Total()
	if total == 0 || l.h.options.HideRepairs {
		return b
	}
	texts := append(l.h.repairs[:len(l.h.repairs):len(l.h.repairs)], l.describe(b)...)
	const rest = `,"and 12345678901234567890 more"]`
	limit := len(b) + l.h.room - len(rest)
	b = append(comma(b[:len(b)-1]), `"`+RepairsKey+`":[`...)
	for _, text := range texts {
		n := len(b)
		if b, _ = token.AppendString(comma(b), text, l.w.HTML); len(b) > limit {
			b = b[:n]
			break
		}
		total--
	}
	if total > 0 {
		b = append(comma(b), `"and `...)
		b = append(strconv.AppendInt(b, int64(total), 10), ` more"`...)
	}
	return append(b, "]}"...)
}

// describe returns the repairs of b, a whole object. A pointer that is empty,
// for the whole, is left out.
func (l *line) describe(b []byte) []string {
	list := l.w.Repairs(b)
	texts := make([]string, len(list))
	for i, r := range list {
		repair := newRepair(r)
		texts[i] = strings.TrimPrefix(short(repair.Pointer)+" ", " ") + repair.Reason.String() + " " + short(repair.GoType)
		if repair.Detail != "" {
			texts[i] += ": " + short(repair.Detail)
		}
	}
	return texts
}

// short cuts what would take too much of a line's room for repairs.
func short(s string) string {
	const limit = 128
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
