package main

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
)

const output = `{}
{
	"example.com/m/b": {
		"lossyvalue": [
			{"category": "SW303", "posn": "/w/m/b/b.go:4:2", "message": "second"},
			{"category": "SW303", "posn": "/w/m/b/a.go:9:2", "message": "first", "related": [{"posn": "/x.go:1:1"}]}
		]
	}
}
{}
`

func TestParse(t *testing.T) {
	analysed, findings, err := parse("/w/m", strings.NewReader(output))
	if err != nil {
		t.Fatal(err)
	}
	want := []finding{{"SW303", "b/a.go:9:2", "first"}, {"SW303", "b/b.go:4:2", "second"}}
	if analysed != 3 || !slices.Equal(findings, want) {
		t.Errorf("%d packages, %v", analysed, findings)
	}
	if _, _, err := parse("/w/m", strings.NewReader(output[:90])); err == nil {
		t.Error("half of the output is taken for all")
	}
}

// A table is not as it should be if a finding is not judged, is judged and not made,
// or is one of too many that are unwanted.
func TestTables(t *testing.T) {
	m := module{path: "example.com/big/v2", version: "v2.0.1"}
	found := []finding{{"SW201", "a.go:1:2", "x"}, {"SW304", "b.go:3:4", "y"}}
	judged := map[judgedKey]verdict{
		{"big", "SW201", "a.go:1:2"}: {bug, "wrong"},
		{"big", "SW304", "b.go:3:4"}: {unwanted, "meant"},
	}
	for _, c := range []struct {
		name             string
		lines, generated int
		findings         []finding
		more             judgedKey
		fine             bool
	}{
		{"as judged", 100_000, 0, found, judgedKey{}, true},
		{"too many unwanted", 99_999, 0, found, judgedKey{}, false},
		{"lines that are silent do not count", 150_000, 60_000, found, judgedKey{}, false},
		{"not judged", 900_000, 0, append(slices.Clone(found), finding{"SW303", "c.go:5:6", "z"}), judgedKey{}, false},
		{"not found", 900_000, 0, found[:1], judgedKey{}, false},
		{"of a module that did not run", 900_000, 0, found, judgedKey{"other", "SW201", "d.go:7:8"}, true},
	} {
		own := maps.Clone(judged)
		if c.more.module != "" {
			own[c.more] = verdict{bug, "wrong"}
		}
		var b bytes.Buffer
		r := result{module: m, packages: 1, lines: c.lines, generated: c.generated, findings: c.findings}
		if fine := tables(&b, []result{r}, own); fine != c.fine {
			t.Errorf("%s: %v\n%s", c.name, fine, &b)
		}
		if !strings.Contains(b.String(), "| big 2.0.1 | 1 |") {
			t.Errorf("%s: no row for the module in\n%s", c.name, &b)
		}
	}
}

// The files are in order: what is judged belongs to modules that run.
func TestFiles(t *testing.T) {
	modules, err := readModules("modules.txt")
	if err != nil {
		t.Fatal(err)
	}
	judged, err := readJudged("judged.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(modules) < 8 || len(judged) < 5 {
		t.Errorf("%d modules, %d judged", len(modules), len(judged))
	}
	for k := range judged {
		if !slices.ContainsFunc(modules, func(m module) bool { return m.short() == k.module }) {
			t.Errorf("%s is judged, and not in modules.txt", k.module)
		}
	}
	results := []result{}
	for _, m := range modules {
		results = append(results, result{module: m, lines: 100_000})
	}
	if tables(io.Discard, results, judged) {
		t.Error("what is not found any more is not missed")
	}
}
