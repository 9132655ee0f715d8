package report

import (
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire/bench/encode/internal/measure"
	"github.com/surewire/surewire/bench/encode/internal/peer"
)

func TestNumber(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 4.5: "5", 999.4: "999", 1000: "1,000", 105878.2: "105,878", 1234567: "1,234,567", -1500: "-1,500", -0.2: "0"} {
		if got := number(n); got != want {
			t.Errorf("%v: %s, want %s", n, got, want)
		}
	}
}

func TestRatio(t *testing.T) {
	for _, c := range []struct {
		n, base float64
		want    string
	}{{10, 10, "1.00×"}, {879, 147, "5.98×"}, {5, 147, "0.03×"}, {5, 0, "–"}, {0, 5, "–"}} {
		if got := ratio(c.n, c.base); got != c.want {
			t.Errorf("%v of %v: %s, want %s", c.n, c.base, got, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	tab := table{}
	tab.add("Encoder", "a")
	tab.add("x", "1,000 1.00×")
	want := "" +
		"| Encoder |           a |\n" +
		"|:--------|------------:|\n" +
		"| x       | 1,000 1.00× |\n"
	if got := tab.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func results() Results {
	sample := func(ns ...float64) (list []measure.Sample) {
		for _, n := range ns {
			list = append(list, measure.Sample{NS: n, Bytes: 8, Allocs: 1})
		}
		return list
	}
	key := func(encoder, mode string) measure.Key { return measure.Key{Encoder: encoder, Value: "a", Mode: mode} }
	return Results{
		Command: "the command", Machine: []string{"a machine", "2 cores"}, Notes: []string{"one thing is missing"},
		Rounds: 3, Budget: 60 * time.Millisecond,
		Values: []Value{{"a", "an event", 1900}, {"b", "never measured", 1}},
		Encoders: []Encoder{
			{Info: peer.Info{Name: "surejson", Class: peer.Same, About: "ours"}},
			{Info: peer.Info{Name: "goccy", Class: peer.Same, Module: "example.org/goccy", About: "theirs"}, Version: "v1.2.3", Differences: map[string]string{"a": "/x is missing"}},
			{Info: peer.Info{Name: "surejson-html", Class: peer.HTML, About: "ours"}},
			{Info: peer.Info{Name: "goccy-html", Class: peer.HTML, About: "theirs"}},
		},
		Samples: map[measure.Key][]measure.Sample{
			key("surejson", "reuse"): sample(100, 90, 5000), key("goccy", "reuse"): sample(150, 160, 140),
			key("surejson-html", "reuse"): sample(200), key("goccy-html", "reuse"): sample(100),
			key("surejson", "fresh"): sample(1000),
		},
	}
}

func TestMarkdown(t *testing.T) {
	text := results().Markdown()
	for _, want := range []string{
		"`the command`", "Note: one thing is missing\n", "median of 3 rounds", "for about 60ms",
		"- `a`, 1,900 bytes: an event\n",
		"| surejson |      100 1.00× | – |\n",
		"| goccy    |  150 1.50× [1] | – |\n",
		"| goccy-html    | 100 0.50× | – |\n",
		"| surejson      |      90–5,000 | – |\n",
		"| surejson      | 8 B, 1 | – |\n",
		"| surejson | 1,000 1.00× | – |\n",
		"- `goccy`: example.org/goccy v1.2.3, theirs\n",
		"1. `goccy` on a: /x is missing\n",
	} {
		if !strings.Contains(squeeze(text), squeeze(want)) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, peer.Limits.Title()) {
		t.Error("a class without encoders has a table")
	}
}

// squeeze makes the widths of columns no matter of a test.
func squeeze(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.Join(strings.Fields(l), " ")
	}
	return strings.Join(lines, "\n")
}

func TestBusy(t *testing.T) {
	r := results()
	if strings.Contains(r.Markdown(), "other work") {
		t.Error("one slow round is not a busy machine")
	}
	for k, samples := range r.Samples {
		r.Samples[k] = append(samples, measure.Sample{NS: 1})
	}
	if text := r.Markdown(); !strings.Contains(text, "Note: the machine had other work: of 5 medians, 5 are more than 20 % above") {
		t.Errorf("a busy machine is not told:\n%s", text)
	}
}

func TestExcerpt(t *testing.T) {
	r := results()
	_, after, _ := strings.Cut(r.Markdown(), ExcerptBegin+"\n")
	quoted, _, ok := strings.Cut(after, ExcerptEnd)
	if !ok || quoted != r.Excerpt() {
		t.Errorf("between the lines stands %q", quoted)
	}
	if !strings.Contains(quoted, "a machine, 2 cores") || !strings.Contains(quoted, "goccy ") || strings.Contains(quoted, "html") || strings.Contains(quoted, "[1]") {
		t.Errorf("the excerpt: %s", quoted)
	}
}
