package surewire_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/surewire/surewire"

// floors is the staircase: a room imports only rooms of lower floors. A folder
// below a room belongs to it.
var floors = map[string]int{
	"surejson":           0,
	".":                  1,
	"surejson/protojson": 1,
	"wire":               2,
	"access":             2,
	"limit":              1,
	"certs":              1,
	"namespace":          2,
	"schema":             2,
	"gate":               4,
	"auth":               2,
	"socket":             2,
	"memengine":          2,
	"natsengine":         2,
	"enginetest":         2,
	"hub":                3,
	"client":             3,
	"hook":               3,
	"natsembed":          3,
	"server":             4,
	"telemetry":          4,
	"demo":               4,
	"cmd/surewire":       5,
}

// rooms says where a dependency may be imported; one without a room may not.
var rooms = map[string][]string{
	"github.com/centrifugal/protocol":       {"wire"},
	"github.com/gobwas/ws":                  {"socket", "client"},
	"github.com/MicahParks/jwkset":          {"auth"},
	"github.com/alecthomas/kong":            {"cmd/surewire"},
	"github.com/santhosh-tekuri/jsonschema": {"schema"},
	"golang.org/x/text":                     {"schema"},
	"github.com/golang-jwt/jwt/v5":          {"auth"},
	"github.com/prometheus/client_golang":   {"server"},
	"go.yaml.in/yaml/v3":                    {"cmd/surewire"},
	"github.com/nats-io/nats-server/v2":     {"natsembed"},
	"github.com/nats-io/nats.go":            {"natsengine"},
	"golang.org/x/sys":                      {"natsembed"},
	"go.opentelemetry.io/otel":              {"telemetry"},
	"go.opentelemetry.io/proto/otlp":        {"telemetry"},
	"google.golang.org/protobuf":            {"surejson/protojson", "telemetry"},
}

// Limits of size, in lines, for code that is not a test.
const (
	maxFile     = 400
	maxFunction = 70
	maxPackage  = 1500
	maxMethods  = 4 // of an interface
)

func TestFloors(t *testing.T) {
	faults, files := inspect(t, os.DirFS("."))
	if files < 30 {
		t.Errorf("only %d files were read: is this the root of the module?", files)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// The test is worth what it can see: each kind of fault, in a tree made for it.
func TestFloorsFindsFaults(t *testing.T) {
	long := strings.Repeat("\tx()\n", maxFunction)
	for _, c := range []struct{ name, file, source, want string }{
		{"an upward import", "wire/a.go", `import "` + module + `/hub"`, "wire/a.go: imports hub, which is not on a lower floor"},
		{"a neighbour", "memengine/a.go", `import "` + module + `/wire"`, "memengine/a.go: imports wire, which is not on a lower floor"},
		{"the root from below", "surejson/internal/x/a.go", `import "` + module + `"`, "imports ., which is not on a lower floor"},
		{"a dependency in the wrong room", "hub/a.go", `import "github.com/gobwas/ws/wsutil"`, "hub/a.go: github.com/gobwas/ws/wsutil belongs in [socket client]"},
		{"a dependency without a room", "hub/a.go", `import "example.com/x"`, "hub/a.go: example.com/x has no room"},
		{"a package on no floor", "util/a.go", ``, "util/a.go: the package has no floor"},
		{"a long function", "hub/a.go", "func f() {\n" + long + "}", "f has 72 lines"},
		{"a long file", "hub/a.go", strings.Repeat("//\n", maxFile), "hub/a.go: the file has 402 lines"},
		{"a large contract", "hub/a.go", "type I interface { A(); B(); C(); D(); E() }", "I has 5 methods"},
	} {
		tree := fstest.MapFS{c.file: {Data: []byte("package x\n\n" + c.source)}}
		faults, _ := inspect(t, tree)
		if len(faults) != 1 || !strings.Contains(faults[0], c.want) {
			t.Errorf("%s: found %q, want %q", c.name, faults, c.want)
		}
	}
	tree := fstest.MapFS{}
	for i := range 5 {
		tree[fmt.Sprintf("hub/%d.go", i)] = &fstest.MapFile{Data: []byte("package x\n" + strings.Repeat("//\n", 350))}
	}
	if faults, _ := inspect(t, tree); len(faults) != 1 || !strings.Contains(faults[0], "hub: the package has 1755 lines") {
		t.Errorf("a large package: found %q", faults)
	}
	tree = fstest.MapFS{
		"bench/go.mod": {}, "bench/a.go": {Data: []byte("package x\nimport \"example.com/peer\"")},
		"hub/a_test.go":     {Data: []byte("package x\nimport \"example.com/kit\"")},
		"hub/testdata/x.go": {Data: []byte("not Go")},
	}
	if faults, _ := inspect(t, tree); len(faults) != 0 {
		t.Errorf("modules of their own, tests and test data: found %q", faults)
	}
}

// inspect reads the tree and returns what is wrong with it, and how many files
// it read. It reads by itself: the go command's cache of test results sees what
// this process reads, not what a child does.
func inspect(t *testing.T, tree fs.FS) (faults []string, files int) {
	t.Helper()
	sizes := map[string]int{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(tree, name)
		}
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		files++
		sizes[path.Dir(name)] += bytes.Count(source, []byte("\n"))
		faults = append(faults, inspectFile(name, source)...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, n := range sizes {
		if n > maxPackage {
			faults = append(faults, fmt.Sprintf("%s: the package has %d lines, at most %d are allowed", dir, n, maxPackage))
		}
	}
	return faults, files
}

// enter passes over modules of their own, and folders that the go command does.
func enter(tree fs.FS, dir string) error {
	if dir == "." {
		return nil
	}
	base := path.Base(dir)
	_, err := fs.Stat(tree, path.Join(dir, "go.mod"))
	if err == nil || base == "testdata" || base == "node_modules" || base[0] == '.' || base[0] == '_' {
		return fs.SkipDir
	}
	return nil
}

func inspectFile(name string, source []byte) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, name+": "+fmt.Sprintf(format, args...)) }
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
	if err != nil {
		fault("%v", err)
		return faults
	}
	room, floor, ok := roomOf(path.Dir(name))
	if !ok {
		fault("the package has no floor")
	}
	for _, spec := range file.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		if msg := inspectImport(room, floor, imported); ok && msg != "" {
			fault("%s", msg)
		}
	}
	if n := bytes.Count(source, []byte("\n")); n > maxFile {
		fault("the file has %d lines, at most %d are allowed", n, maxFile)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if lines := set.Position(n.End()).Line - set.Position(n.Pos()).Line + 1; lines > maxFunction {
				fault("%s has %d lines, at most %d are allowed", n.Name, lines, maxFunction)
			}
		case *ast.TypeSpec:
			if i, ok := n.Type.(*ast.InterfaceType); ok && i.Methods.NumFields() > maxMethods {
				fault("%s has %d methods, at most %d are allowed", n.Name, i.Methods.NumFields(), maxMethods)
			}
		}
		return true
	})
	return faults
}

// inspectImport returns what is wrong with an import, or nothing.
func inspectImport(room string, floor int, imported string) string {
	if imported == module || strings.HasPrefix(imported, module+"/") {
		target := path.Join(".", strings.TrimPrefix(imported, module))
		target = strings.TrimPrefix(target, "/")
		other, below, ok := roomOf(path.Clean(target))
		if !ok || other != room && below >= floor {
			return fmt.Sprintf("imports %s, which is not on a lower floor", other)
		}
		return ""
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return "" // the standard library
	}
	for dependency, allowed := range rooms {
		if imported == dependency || strings.HasPrefix(imported, dependency+"/") {
			if slices.Contains(allowed, room) {
				return ""
			}
			return fmt.Sprintf("%s belongs in %v", imported, allowed)
		}
	}
	return imported + " has no room"
}

// roomOf returns the room that a folder belongs to, and its floor.
func roomOf(dir string) (room string, floor int, ok bool) {
	for room = dir; ; room = path.Dir(room) {
		if floor, ok = floors[room]; ok && (room != "." || dir == ".") {
			return room, floor, true
		}
		if room == "." {
			return dir, 0, false
		}
	}
}
