package main_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var corpus = flag.String("corpus", "../../testdata/corpus", "`folder` of the corpus, such as one that has the real libraries")

// tool is the command, built for all tests.
var tool string

func TestMain(m *testing.M) { os.Exit(withTool(m)) }

func withTool(m *testing.M) int {
	dir, err := os.MkdirTemp("", "surevet")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	tool = filepath.Join(dir, "surevet")
	if out, err := exec.Command("go", "build", "-o", tool, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// A diagnostic is one finding, as -json has it.
type diagnostic struct {
	Posn     string
	Category string
	Message  string
	Related  []struct{ Posn, Message string }
}

// diagnostics runs surevet in dir.
func diagnostics(t *testing.T, dir string, args ...string) []diagnostic {
	t.Helper()
	cmd := exec.Command(tool, append([]string{"-json"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	var all []diagnostic
	for d := json.NewDecoder(strings.NewReader(withoutComments(stdout.String() + stderr.String()))); d.More(); {
		var packages map[string]map[string]json.RawMessage
		if err := d.Decode(&packages); err != nil {
			t.Fatalf("%v in\n%s", err, stdout.Bytes())
		}
		for _, analyzers := range packages {
			for analyzer, raw := range analyzers {
				var list []diagnostic
				if err := json.Unmarshal(raw, &list); err != nil {
					t.Fatalf("%s: %v", analyzer, err)
				}
				all = append(all, list...)
			}
		}
	}
	return all
}

// withoutComments drops the lines that the go command puts before each package,
// and those on what it fetches.
func withoutComments(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "go: ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

var (
	expectation = regexp.MustCompile(`// (want|strict)((?: "[^"]*")+)`)
	quoted      = regexp.MustCompile(`"([^"]*)"`)
)

// A want is what a line of the corpus says should be found there.
type want struct {
	place  string // file:line
	code   string
	words  []string
	strict bool
}

// wants reads the corpus. What it expects of vet and staticcheck is theirs.
func wants(t *testing.T, dir string) (all []want, cases map[string]bool) {
	t.Helper()
	cases = map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		cases[strings.Split(filepath.ToSlash(rel), "/")[0]] = true
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(source), "\n") {
			m := expectation.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			for _, q := range quoted.FindAllStringSubmatch(m[2], -1) {
				words := strings.Fields(strings.NewReplacer(",", "", "directive needs", "SW001 needs").Replace(q[1]))
				if strings.HasPrefix(words[0], "SW") {
					all = append(all, want{fmt.Sprintf("%s:%d", filepath.ToSlash(rel), i+1), words[0], words[1:], m[1] == "strict"})
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, cases
}

// places returns the file and line of a finding, and of what it relates to.
func (d *diagnostic) places(root string) []string {
	places := []string{place(root, d.Posn)}
	for _, r := range d.Related {
		places = append(places, place(root, r.Posn))
	}
	return places
}

func place(root, posn string) string {
	parts := strings.Split(posn, ":")
	name := parts[0]
	if filepath.IsAbs(name) {
		if rel, err := filepath.Rel(root, name); err == nil {
			name = rel
		}
	}
	return filepath.ToSlash(name) + ":" + parts[1]
}

func (w *want) met(root string, d *diagnostic) bool {
	if d.Category != w.code {
		return false
	}
	text := d.Message
	for _, r := range d.Related {
		text += " " + r.Message
	}
	for _, word := range w.words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	for _, p := range d.places(root) {
		if p == w.place {
			return true
		}
	}
	return false
}

// The corpus has a surewire of its own. All tests that are strict use the same flags,
// since go vet looks at all dependencies again for others.
var (
	corpusFlags = []string{"-send=on", "-sink=lintcorpus/surewire.Hub.Publish:1:surewire,lintcorpus/surewire.Encode:0:surewire", "./..."}
	strictFlags = append([]string{"-strict"}, corpusFlags...)
)

// The corpus is 65 small cases, each a package or a few. By default everything it
// wants is found, and nothing is found elsewhere; with -strict also what it wants
// then.
func TestCorpus(t *testing.T) {
	dir, err := filepath.Abs(*corpus)
	if err != nil {
		t.Fatal(err)
	}
	expected, cases := wants(t, dir)
	delete(cases, "stubs")
	if n := len(cases) - 1; n < 65 { // without its surewire
		t.Errorf("the corpus has %d cases", n)
	}
	byDefault := diagnostics(t, dir, corpusFlags...)
	strictly := diagnostics(t, dir, strictFlags...)
	for _, w := range expected {
		found := byDefault
		if w.strict {
			found = strictly
		}
		met := false
		for i := range found {
			met = met || w.met(dir, &found[i])
		}
		if !met {
			t.Errorf("%s: %s %v (strict: %v) is not found", w.place, w.code, w.words, w.strict)
		}
	}
	for i := range byDefault {
		d := &byDefault[i]
		wanted := false
		for j := range expected {
			wanted = wanted || !expected[j].strict && expected[j].met(dir, d)
		}
		// A WriteJSON of any value is a direct send, and may send an empty frame:
		// the corpus is older than the rule that says the second.
		if d.Category == "SW105" && strings.HasPrefix(place(dir, d.Posn), "a14_wrapper/wire/wire.go:") {
			continue
		}
		if !wanted {
			t.Errorf("%s: %s %s: nothing is wanted here", place(dir, d.Posn), d.Category, d.Message)
		}
	}
	t.Logf("%d expectations; %d findings by default, %d with -strict", len(expected), len(byDefault), len(strictly))
}
