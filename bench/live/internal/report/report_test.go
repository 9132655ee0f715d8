package report

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	r := Results{
		Command: "go run it", Machine: []string{"a machine"}, Rounds: 3, Checked: 12345, Notes: []string{"a note."},
		Subjects: []Subject{{Name: "ours"}, {Name: "peer", Module: "example.com/peer", Version: "v1.2.3"}, {Name: "limit", Limit: true}},
		Steps:    []Step{{"fan", "many readers", Deliveries}, {"idle", "an idle connection", Idle}, {"storm", "they return", Storm}},
		Samples: map[Key][]Sample{
			// The second round was disturbed: the ratio is that of the rounds.
			{"ours", "fan"}:  {{Round: 0, CPU: 2, User: 0.5}, {Round: 1, CPU: 30, User: 1}, {Round: 2, CPU: 3, User: 0.7}},
			{"limit", "fan"}: {{Round: 0, CPU: 2}, {Round: 1, CPU: 20}, {Round: 2, CPU: 2}},
			{"peer", "fan"}:  {{Round: 1, CPU: 80}}, // failed in the others
			{"ours", "idle"}: {{Memory: 5000}, {Memory: 5002}},
		},
	}
	text := r.Markdown()
	for _, want := range []string{
		"| many readers", " 3.00 1.50× |", " 2.00 1.00× |", " 80.0 4.00× |", "0.70", "example.com/peer v1.2.3", "a note.", "12,345",
		"2.00–30.0", "an idle connection: bytes", "5,001", ExcerptBegin + "\n" + r.Excerpt() + ExcerptEnd,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	for _, no := range []string{"they return", "All clients return", "NaN", "Inf"} {
		if strings.Contains(text, no) {
			t.Errorf("has %q, of which nothing was measured:\n%s", no, text)
		}
	}
	if row := rowOf(text, "an idle connection: bytes"); strings.Count(row, none) != 2 {
		t.Errorf("what was not measured is not told: %s", row)
	}
}

func rowOf(text, label string) string {
	_, rest, _ := strings.Cut(text, "| "+label)
	row, _, _ := strings.Cut(rest, "\n")
	return row
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{whole(0), "0"}, {whole(999.4), "999"}, {whole(1234567), "1,234,567"},
		{small(0.123), "0.12"}, {small(9.994), "9.99"}, {small(9.996), "10.0"}, {small(99.96), "100"}, {fine(0.0004), "0.000"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}
