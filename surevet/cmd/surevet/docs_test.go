package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/surewire/surewire/surevet/internal/rule"
)

var (
	section = regexp.MustCompile(`(?m)^## (SW\d+)$`)
	block   = regexp.MustCompile("(?s)```go\n(.*?)```")
)

// imports are what examples may use, by the name in front of the dot.
var imports = map[string]string{
	"atomic": "sync/atomic", "context": "context", "json": "encoding/json", "math": "math", "slog": "log/slog",
	"sql": "database/sql", "time": "time",
	"surejson": "github.com/surewire/surewire/surejson", "surewire": "github.com/surewire/surewire",
	"websocket": "github.com/gorilla/websocket",
}

// The page has each rule with an example that is reported under it and one that is
// not. The two are compiled and checked here.
func TestRulesPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	starts := section.FindAllSubmatchIndex(page, -1)
	var codes []string
	for i, m := range starts {
		code, end := string(page[m[2]:m[3]]), len(page)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		codes = append(codes, code)
		examples := block.FindAllStringSubmatch(string(page[m[1]:end]), -1)
		if len(examples) != 2 {
			t.Fatalf("%s has %d examples", code, len(examples))
		}
		example(t, dir, code+"/bad", examples[0][1])
		example(t, dir, code+"/good", examples[1][1])
	}
	for _, r := range rule.All {
		if !slices.Contains(codes, r.Code) {
			t.Errorf("%s has no section", r.Code)
		}
	}
	module(t, dir)
	found := map[string]bool{}
	for _, d := range diagnostics(t, dir, strictFlags...) {
		where := strings.TrimSuffix(strings.Split(place(dir, d.Posn), ":")[0], "/a.go")
		found[where+" "+d.Category] = true
	}
	for _, code := range codes {
		if !found[code+"/bad "+code] {
			t.Errorf("the first example of %s is not reported", code)
		}
		if found[code+"/good "+code] {
			t.Errorf("the second example of %s is reported", code)
		}
	}
}

func example(t *testing.T, dir, name, text string) {
	t.Helper()
	var head strings.Builder
	head.WriteString("package example\n\n")
	for short, path := range imports {
		if regexp.MustCompile(`\b` + short + `\.[A-Z]`).MatchString(text) {
			fmt.Fprintf(&head, "import %q\n", path)
		}
	}
	write(t, filepath.Join(dir, name, "a.go"), head.String()+"\n"+text)
}

// module makes dir a module whose imports are stand-ins.
func module(t *testing.T, dir string) {
	t.Helper()
	stubs := map[string]string{
		"github.com/gorilla/websocket": "../../directsend/testdata/src/github.com/gorilla/websocket",
		"github.com/surewire/surewire": "../../directsend/testdata/src/github.com/surewire/surewire",
	}
	mod := "module example\n\ngo 1.26.0\n"
	for path, from := range stubs {
		to := filepath.Join(dir, "stubs", filepath.Base(path))
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(to, "go.mod"), "module "+path+"\n\ngo 1.26.0\n")
		mod += fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %[1]s => ./stubs/%s\n", path, filepath.Base(path))
	}
	write(t, filepath.Join(dir, "go.mod"), mod)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
