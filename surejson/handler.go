package surejson

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"

	"github.com/surewire/surewire/surejson/internal/output"
)

const (
	// DefaultMaxLine is the longest line of a [Handler] unless told
	// otherwise, in bytes: what common collectors of logs take whole.
	DefaultMaxLine = 256 << 10

	// RepairsKey names the member in which a line says what was repaired.
	RepairsKey = "!repairs"
)

const (
	minLine    = 1 << 10 // shorter lines hold nothing of use
	maxRepairs = 2 << 10 // bytes of a line that its repairs may take
)

// HandlerOptions are options of a [Handler]. The zero value has the defaults.
// The first three are those of [slog.HandlerOptions].
type HandlerOptions struct {
	// AddSource adds the place of the log statement.
	AddSource bool

	// Level is the lowest that is logged; nil means [slog.LevelInfo].
	Level slog.Leveler

	// ReplaceAttr rewrites attributes, and leaves them out by returning the
	// zero Attr. groups must not be kept or changed. If it panics, the
	// attribute's value is null: what it would have hidden stays hidden.
	ReplaceAttr func(groups []string, a slog.Attr) slog.Attr

	// Encoder has the policies and limits for values; it is copied, and nil
	// means the zero Encoder. Its MaxSize bounds the whole line, at least
	// 1 KiB; 0 means [DefaultMaxLine].
	Encoder *Encoder

	// HideRepairs leaves out the member [RepairsKey].
	HideRepairs bool
}

// A Handler is a [slog.Handler] that writes each record as one line of JSON,
// with a single Write, whatever its attributes hold. A value is written as
// [Marshal] writes it, so an enum has its name, and one that fails costs the
// line nothing but itself. What was repaired is told in the line's last member,
// named [RepairsKey], as strings of pointer, reason and type:
//
//	{"time":…,"level":"INFO","msg":"state","load":null,"!repairs":["/load non-finite float64"]}
//
// A record that needs no repair is written byte for byte as by
// [slog.JSONHandler], except where that writes a value otherwise than Marshal
// does, and that \b and \f have these short escapes in every string. A LogValue
// method that fails gives null, and a group that turns out to be empty is left
// out also if WithGroup began it.
//
// A line is never longer than its limit; what WithAttrs adds has at most half
// of it. Where a line is too long, strings are cut, values are null, and then
// the rest is left out.
//
// A Handler may be used concurrently; it calls Write for one line at a time.
type Handler struct {
	options HandlerOptions // static
	config  output.Config  // static; MaxSize is without the room
	room    int            // static; bytes of a line kept for its repairs
	sink    *sink          // shared with the handlers made from this one

	ready    []byte   // what WithAttrs added, encoded: members, with open groups
	open     int      // groups that are open at the end of ready
	groups   []string // all groups begun by WithGroup, also the open ones
	repairs  []string // those within ready
	repaired int      // how many there were, also those not in repairs
}

// A sink is where lines go.
type sink struct {
	mu sync.Mutex // held during Write, since a writer need not be safe for concurrent use
	w  io.Writer
}

// NewHandler returns a Handler that writes to w. Nil options mean the defaults.
func NewHandler(w io.Writer, o *HandlerOptions) *Handler {
	h := &Handler{sink: &sink{w: w}}
	if o != nil {
		h.options = *o
	}
	var e Encoder
	if h.options.Encoder != nil {
		e = *h.options.Encoder
	}
	e.MaxSize = max(orDefault(max(e.MaxSize, 0), DefaultMaxLine), minLine)
	h.config = e.resolve()
	h.config.MaxSize -= len("\n")
	if !h.options.HideRepairs {
		h.room = min(maxRepairs, e.MaxSize/8)
		h.config.MaxSize -= h.room
	}
	return h
}

// Enabled reports whether records of the level are logged.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool {
	lowest := slog.LevelInfo
	if h.options.Level != nil {
		lowest = h.options.Level.Level()
	}
	return level >= lowest
}

// Handle writes the record. It returns the error of the writer, and never fails
// because of what the record holds.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	l := newLine(h, &h.config)
	// What is ready must fit, with the groups it opens, and one more.
	needed := len(h.ready) + h.open + len("{}")
	l.w.Reserve(needed)
	b := l.head(append(l.w.Spare[:0], '{'), &r)
	l.w.Reserve(-needed)
	b = l.begin(b)
	if r.NumAttrs() > 0 {
		start, in := len(b), 0
		b, in = l.openGroups(b)
		r.Attrs(func(a slog.Attr) bool {
			b = l.attr(b, a, in)
			return true
		})
		b = l.dropEmpty(b, start, in)
	}
	b = append(l.end(b), '\n')
	err := h.sink.write(b)
	l.release(b)
	return err
}

func (s *sink) write(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.w.Write(b)
	return err
}

// WithAttrs returns a Handler that adds the attributes to each record. They are
// encoded now, once.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	config := h.config
	config.MaxSize /= 2 // the rest is for what differs from line to line
	l := newLine(h, &config)
	b := l.begin(append(l.w.Spare[:0], '{'))
	start, in := len(b), 0
	b, in = l.openGroups(b)
	for _, a := range attrs {
		b = l.attr(b, a, in)
	}
	b = l.dropEmpty(b, start, in)
	h2 := *h
	h2.ready = bytes.Clone(b[len("{"):])
	h2.open += l.opened
	if !l.w.Clean() {
		h2.repairs = append(slices.Clip(h.repairs), l.describe(l.closed(b))...)
		h2.repaired += l.w.Tally().Total()
	}
	l.release(b)
	return &h2
}

// WithGroup returns a Handler that puts all later attributes into a group. An
// empty name changes nothing.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	h2 := *h
	h2.groups = append(slices.Clip(h.groups), name)
	return &h2
}

var _ slog.Handler = (*Handler)(nil)
