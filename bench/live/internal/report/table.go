package report

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// table returns a table of the steps that rows ask for, or nothing where none
// was measured.
func (r Results) table(rows []row, cell func(s Subject, step string, w row) string) string {
	head := []string{""}
	for _, s := range r.Subjects {
		head = append(head, s.Name)
	}
	lines := [][]string{head}
	for _, w := range rows {
		for _, step := range r.Steps {
			if !slices.Contains(w.kinds, step.Kind) {
				continue
			}
			line := []string{step.About + w.label}
			for _, s := range r.Subjects {
				line = append(line, cell(s, step.Name, w))
			}
			if slices.ContainsFunc(line[1:], func(c string) bool { return c != none }) {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) == 1 {
		return ""
	}
	return markdown(lines)
}

// none stands where nothing was measured.
const none = "–"

func (r Results) medianCell(s Subject, step string, w row) string {
	samples := r.Samples[Key{s.Name, step}]
	if len(samples) == 0 {
		return none
	}
	text := w.format(median(samples, w.metric))
	if !w.ratio {
		return text
	}
	i := slices.IndexFunc(r.Subjects, func(s Subject) bool { return s.Limit })
	if i < 0 {
		return text
	}
	if ratio := medianRatio(samples, r.Samples[Key{r.Subjects[i].Name, step}], w.metric); ratio > 0 {
		text += " " + strconv.FormatFloat(ratio, 'f', 2, 64) + "×"
	}
	return text
}

func (r Results) spreadCell(s Subject, step string, w row) string {
	samples := r.Samples[Key{s.Name, step}]
	if len(samples) == 0 {
		return none
	}
	list := values(samples, w.metric)
	return w.format(slices.Min(list)) + "–" + w.format(slices.Max(list))
}

// markdown also reads well as it is: columns are aligned. The first is text,
// the others are numbers.
func markdown(lines [][]string) string {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, line := range lines {
		for i, cell := range line {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString("| " + cell + space + " ")
			} else {
				b.WriteString("| " + space + cell + " ")
			}
		}
		b.WriteString("|\n")
		if n > 0 {
			continue
		}
		for i, w := range widths {
			if i == 0 {
				b.WriteString("|:" + strings.Repeat("-", w+1))
			} else {
				b.WriteString("|" + strings.Repeat("-", w+1) + ":")
			}
		}
		b.WriteString("|\n")
	}
	return b.String()
}

// whole writes n as a whole number with commas.
func whole(n float64) string {
	s := strconv.FormatFloat(math.Round(n), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// small writes n with three digits.
func small(n float64) string {
	switch {
	case n >= 99.95:
		return whole(n)
	case n >= 9.995:
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	return strconv.FormatFloat(n, 'f', 2, 64)
}

// fine writes n to a thousandth.
func fine(n float64) string { return strconv.FormatFloat(n, 'f', 3, 64) }
