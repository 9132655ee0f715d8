package report

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A table has a head and rows of as many cells. The first column is text, the
// others are numbers.
type table struct{ rows [][]string }

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// String returns Markdown that also reads well as it is: columns are aligned.
func (t *table) String() string {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, row := range t.rows {
		writeRow(&b, row, widths)
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

func writeRow(b *strings.Builder, row []string, widths []int) {
	for i, cell := range row {
		space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if i == 0 {
			b.WriteString("| " + cell + space + " ")
		} else {
			b.WriteString("| " + space + cell + " ")
		}
	}
	b.WriteString("|\n")
}

// number writes n as a whole number with commas.
func number(n float64) string {
	s := strconv.FormatFloat(math.Abs(math.Round(n)), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if math.Round(n) < 0 {
		s = "-" + s
	}
	return s
}

// ratio writes how many times base n is, or a dash where there is no base.
func ratio(n, base float64) string {
	if base <= 0 || n <= 0 {
		return "–"
	}
	return strconv.FormatFloat(n/base, 'f', 2, 64) + "×"
}
