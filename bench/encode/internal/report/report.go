// Package report writes measurements as Markdown.
package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/surewire/surewire/bench/encode/internal/measure"
	"github.com/surewire/surewire/bench/encode/internal/peer"
)

// The lines around the part that other documents quote.
const (
	ExcerptBegin = "<!-- excerpt -->"
	ExcerptEnd   = "<!-- /excerpt -->"
)

// excerpt has the encoders that the excerpt shows, where they were measured.
var excerpt = []string{"surejson", "goccy", "segmentio", "sonic-nohtml", "gojsonexp-sorted", "std-v2-sorted", "std-v1"}

// Results is what a report is written from.
type Results struct {
	Command  string   // what to type to get such a report
	Machine  []string // facts about the machine and the toolchain
	Notes    []string // what the reader must know besides, such as what is missing
	Rounds   int
	Budget   time.Duration
	Values   []Value
	Encoders []Encoder
	Samples  map[measure.Key][]measure.Sample
}

// Value is a column of the tables.
type Value struct {
	Name, About string
	Size        int // of the JSON that surejson writes, in bytes
}

// Encoder is a row of the tables.
type Encoder struct {
	peer.Info
	Version     string
	Differences map[string]string // by value: where the output says something else
}

// Markdown returns the whole report.
func (r Results) Markdown() string {
	var b strings.Builder
	b.WriteString("# Speed of JSON encoders\n\nWritten by `" + r.Command + "`; see [README.md](README.md).\n\n")
	b.WriteString(ExcerptBegin + "\n" + r.Excerpt() + ExcerptEnd + "\n\n")
	r.writeMethod(&b)
	for _, m := range []struct{ mode, title string }{
		{"reuse", "Into a reused buffer, as a server encodes"},
		{"fresh", "Into a fresh slice, as `Marshal` returns"},
	} {
		fmt.Fprintf(&b, "## %s\n\n", m.title)
		for c := peer.Same; c <= peer.Limits; c++ {
			if text := r.times(c, m.mode); text != "" {
				fmt.Fprintf(&b, "%s.\nNanoseconds, and how many times those of `%s`:\n\n%s\n", c.Title(), c.Base(), text)
			}
		}
		fmt.Fprintf(&b, "Nanoseconds of the fastest and of the slowest round:\n\n%s\n", r.all(m.mode, func(s measure.Summary) string {
			return number(s.Min) + "–" + number(s.Max)
		}))
		fmt.Fprintf(&b, "Bytes allocated, and how many times:\n\n%s\n", r.all(m.mode, func(s measure.Summary) string {
			return number(s.Bytes) + " B, " + number(s.Allocs)
		}))
	}
	r.writeEncoders(&b)
	return b.String()
}

// Excerpt returns the table for other documents, with its caption.
func (r Results) Excerpt() string {
	var rows []Encoder
	for _, name := range excerpt {
		if i := slices.IndexFunc(r.Encoders, func(e Encoder) bool { return e.Name == name }); i >= 0 {
			rows = append(rows, r.Encoders[i])
		}
	}
	t := r.table(rows, func(e Encoder, v Value) string {
		return r.timeCell(e.Name, "surejson", v.Name, "reuse")
	})
	return fmt.Sprintf("Nanoseconds to encode into a reused buffer, and how many times those of surejson; all sort keys, check UTF-8 and leave HTML alone. Medians of %d rounds; %s.\n\n%s",
		r.Rounds, strings.Join(r.Machine, ", "), t)
}

func (r Results) writeMethod(b *strings.Builder) {
	fmt.Fprintf(b, "Each round measures each encoder once on each value, for about %v. A time is the median of %d rounds. Before that the output of each encoder is compared with that of `encoding/json`; where it says something else, a footnote tells.\n\n", r.Budget, r.Rounds)
	for _, n := range append(r.busy(), r.Notes...) {
		fmt.Fprintf(b, "Note: %s\n\n", n)
	}
	for _, v := range r.Values {
		fmt.Fprintf(b, "- `%s`, %s bytes: %s\n", v.Name, number(float64(v.Size)), v.About)
	}
	b.WriteString("\n")
}

// busy returns a note where medians are far from the fastest rounds: then it
// is the machine's other work that was measured.
func (r Results) busy() []string {
	const far, few = 1.2, 0.1
	all, off := 0, 0
	for _, samples := range r.Samples {
		all++
		if s := measure.Summarize(samples); s.NS > far*s.Min {
			off++
		}
	}
	if float64(off) <= few*float64(all) {
		return nil
	}
	return []string{fmt.Sprintf("the machine had other work: of %d medians, %d are more than %.0f %% above their fastest round. Take the ratios as rough.", all, off, 100*(far-1))}
}

func (r Results) writeEncoders(b *strings.Builder) {
	b.WriteString("## The encoders\n\n")
	for _, e := range r.Encoders {
		fmt.Fprintf(b, "- `%s`: ", e.Name)
		if e.Module != "" {
			fmt.Fprintf(b, "%s %s, ", e.Module, e.Version)
		}
		b.WriteString(e.About + "\n")
	}
	if notes := r.footnotes(); len(notes) > 0 {
		b.WriteString("\nWhere the output says something else than that of `encoding/json`:\n\n")
		for i, n := range notes {
			fmt.Fprintf(b, "%d. %s\n", i+1, n)
		}
	}
}

// footnotes has each difference once, in the order of the encoders.
func (r Results) footnotes() (notes []string) {
	for _, e := range r.Encoders {
		for _, v := range r.Values {
			if n := footnote(e, v.Name); n != "" && !slices.Contains(notes, n) {
				notes = append(notes, n)
			}
		}
	}
	return notes
}

func footnote(e Encoder, value string) string {
	if d := e.Differences[value]; d != "" {
		return fmt.Sprintf("`%s` on %s: %s", e.Name, value, d)
	}
	return ""
}

// mark returns the number of a cell's footnote.
func (r Results) mark(e Encoder, value string) string {
	n := footnote(e, value)
	if n == "" {
		return ""
	}
	return fmt.Sprintf(" [%d]", slices.Index(r.footnotes(), n)+1)
}

// times returns the table of one class, or nothing where it has no encoder.
func (r Results) times(c peer.Class, mode string) string {
	var rows []Encoder
	for _, e := range r.Encoders {
		if e.Class == c {
			rows = append(rows, e)
		}
	}
	if len(rows) == 0 {
		return ""
	}
	return r.table(rows, func(e Encoder, v Value) string {
		return r.timeCell(e.Name, c.Base(), v.Name, mode) + r.mark(e, v.Name)
	}).String()
}

// all returns a table of all encoders.
func (r Results) all(mode string, cell func(measure.Summary) string) string {
	return r.table(r.Encoders, func(e Encoder, v Value) string {
		s := r.summary(e.Name, v.Name, mode)
		if s.Rounds == 0 {
			return "–"
		}
		return cell(s)
	}).String()
}

func (r Results) table(rows []Encoder, cell func(e Encoder, v Value) string) *table {
	head := []string{"Encoder"}
	for _, v := range r.Values {
		head = append(head, v.Name)
	}
	t := &table{rows: [][]string{head}}
	for _, e := range rows {
		row := []string{e.Name}
		for _, v := range r.Values {
			row = append(row, cell(e, v))
		}
		t.add(row...)
	}
	return t
}

func (r Results) timeCell(encoder, base, value, mode string) string {
	s := r.summary(encoder, value, mode)
	if s.Rounds == 0 {
		return "–"
	}
	return number(s.NS) + " " + ratio(s.NS, r.summary(base, value, mode).NS)
}

func (r Results) summary(encoder, value, mode string) measure.Summary {
	return measure.Summarize(r.Samples[measure.Key{Encoder: encoder, Value: value, Mode: mode}])
}
