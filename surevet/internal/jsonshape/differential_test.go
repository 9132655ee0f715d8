package jsonshape_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/surewire/surewire/surevet/internal/jsonshape"
)

var (
	cases = flag.Int("cases", 1500, "types to generate, each encoded by value and by pointer")
	seed  = flag.Uint64("seed", 1, "seed of the first program")
)

// Programs of generated types are compiled and run; what an encoder wrote for each
// is compared with the prediction from the same source. Encoders that run under the
// same experiments share a program.
func TestDifferential(t *testing.T) {
	encoders := []encoder{{jsonshape.V1, "encoding/json", "json.Marshal(v)"}}
	dir := ""
	if root, ok := around(t); ok {
		encoders = append(encoders, encoder{jsonshape.Surewire, "github.com/surewire/surewire/surejson", "surejson.Marshal(v)"})
		dir = root
	}
	differ(t, program{dir: dir, experiment: "nojsonv2", encoders: encoders})
}

func TestDifferentialV2(t *testing.T) {
	differ(t, program{experiment: "jsonv2", encoders: []encoder{{jsonshape.V2, "encoding/json/v2", "jsonv2.Marshal(v)"}}})
}

// around returns the folder of the module that has surejson, which is the one above
// this module: a program may import it only if it runs there.
func around(t *testing.T) (root string, ok bool) {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "surejson")); errors.Is(err, os.ErrNotExist) {
		t.Log("surevet was fetched without the module around it, whose encoder is not asked")
		return "", false
	}
	return root, true
}

// An encoder says how a program calls it.
type encoder struct {
	dialect *jsonshape.Dialect
	path    string
	call    string
}

// A program is generated, compiled and run.
type program struct {
	dir        string
	experiment string
	encoders   []encoder
}

// source completes generated types to a program.
func (p program) source(types string) string {
	imports, encoders := `"encoding/json"`, "var encoders = []encoder{\n"
	for _, e := range p.encoders {
		if e.path != "encoding/json" {
			imports += fmt.Sprintf("; %s %q", strings.TrimSuffix(e.call, ".Marshal(v)"), e.path)
		}
		encoders += fmt.Sprintf("\t{%q, func(v any) ([]byte, any) { b, report := %s; return b, report }},\n", e.dialect.Name, e.call)
	}
	return strings.NewReplacer("/*imports*/", imports, "/*encoders*/", encoders+"}").Replace(types)
}

// run compiles and runs a program and returns the lines that it writes.
func (p program) run(t *testing.T, source string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	// Compiling takes most of the time of this test, and optimising half of that.
	cmd := exec.Command("go", "run", "-gcflags=-N -l", "-ldflags=-s -w", file)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOEXPERIMENT="+p.experiment)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the program of seed %d does not run: %v\n%.2000s", *seed, err, stderr.String())
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func differ(t *testing.T, p program) {
	generated, count := generate(*seed, *cases, p.encoders[0].dialect.StrictStructs)
	lines := p.run(t, p.source(generated))
	scope := check(t, generated).Scope()
	for _, e := range p.encoders {
		t.Run(e.dialect.Name, func(t *testing.T) {
			var own []string
			for _, line := range lines {
				if rest, ok := strings.CutPrefix(line, e.dialect.Name+"\t"); ok {
					own = append(own, rest)
				}
			}
			compareAll(t, e.dialect, scope, own, count)
		})
	}
}

// compareAll compares the lines of an encoder with what is predicted for count types.
func compareAll(t *testing.T, d *jsonshape.Dialect, scope *types.Scope, lines []string, count int) {
	if len(lines) != 2*count {
		t.Fatalf("%d lines came from %d types", len(lines), count)
	}
	builder := jsonshape.NewBuilder(d)
	tally := map[string]int{}
	for _, line := range lines {
		name, got, _ := strings.Cut(line, "\t")
		typ := scope.Lookup(strings.TrimPrefix(name, "&")).Type()
		if name[0] == '&' {
			typ = types.NewPointer(typ)
		}
		kind, fault := compare(builder.Root(typ), d, got)
		tally[kind]++
		if fault == "" {
			continue
		}
		t.Errorf("%s: %s\nwrote %.300s\ntype %s", name, fault, got, typ.Underlying())
		if tally["fault"]++; tally["fault"] > 12 {
			t.Fatal("and so on")
		}
	}
	t.Logf("%s: %d cases: %v", d.Name, len(lines), tally)
	if tally["written"] < count || tally["panic"] > count/10 || !d.Total && tally["error"] < count/20 {
		t.Errorf("the cases do not cover what they should: %v", tally)
	}
}

// check type-checks the types of a program, whose encoders are of no matter here.
func check(t *testing.T, generated string) *types.Package {
	t.Helper()
	source := program{}.source(generated)
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "main.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	conf := types.Config{Importer: importer.ForCompiler(set, "gc", nil)}
	pkg, err := conf.Check("main", set, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// compare returns what became of the case and how it differs from the prediction.
func compare(n *jsonshape.Node, d *jsonshape.Dialect, got string) (kind, fault string) {
	may, must := fails(n, d, map[*jsonshape.Node]bool{})
	switch {
	case strings.HasPrefix(got, "PANIC"):
		return "panic", ""
	case strings.HasPrefix(got, "ERROR"):
		if !may {
			return "error", "an error was not predicted"
		}
		return "error", ""
	case must:
		return "written", "an error was predicted"
	}
	decoder := json.NewDecoder(strings.NewReader(got))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return "written", err.Error()
	}
	return "written", differs(n, value, "$")
}

// fails tells whether a value of which all that can be filled is filled may, and
// must, give an error.
func fails(n *jsonshape.Node, d *jsonshape.Dialect, seen map[*jsonshape.Node]bool) (may, must bool) {
	if n == nil || seen[n] || d.Total {
		return false, false
	}
	seen[n] = true
	defer delete(seen, n)
	switch n.Kind {
	case jsonshape.Unsupported:
		return true, true
	case jsonshape.Interface: // an error is filled, with a struct that has nothing exported
		holds := d.StrictStructs && jsonshape.IsErrorInterface(n.Type)
		return holds, holds
	case jsonshape.Map:
		if may, must := fails(n.Key, d, seen); may {
			return may, must
		}
		return fails(n.Elem, d, seen)
	case jsonshape.Pointer, jsonshape.Array:
		return fails(n.Elem, d, seen)
	case jsonshape.Struct:
		for _, m := range n.Members {
			mMay, mMust := fails(m.Node, d, seen)
			may = may || mMay
			must = must || mMust && !strings.Contains(m.Options, "omitzero")
		}
	}
	return may, must
}

// differs returns where value is not what n predicts.
func differs(n *jsonshape.Node, value any, at string) string {
	wrong := func(want string) string {
		return fmt.Sprintf("%s: predicted %s for %s, found %v", at, want, jsonshape.Name(n.Type), value)
	}
	text, isText := value.(string)
	switch n.Kind {
	case jsonshape.Opaque, jsonshape.Interface:
		return ""
	case jsonshape.Bool:
		if _, ok := value.(bool); ok == n.Quoted || n.Quoted != isText {
			return wrong("a boolean")
		}
	case jsonshape.Number:
		if _, ok := value.(json.Number); ok == n.Quoted || n.Quoted != isText {
			return wrong("a number")
		}
	case jsonshape.Text:
		if !isText || n.Func == nil && strings.Contains(text, ":") || n.Func != nil && !by(n, text) {
			return wrong("text")
		}
	case jsonshape.Method:
		if isText && !by(n, text) {
			return wrong(n.Func.FullName())
		}
	case jsonshape.Base64:
		if _, err := base64.StdEncoding.DecodeString(text); value != nil && (!isText || err != nil) {
			return wrong("base64")
		}
	case jsonshape.Unsupported:
		if value != nil && !isText {
			return wrong("null or a text")
		}
	case jsonshape.Pointer:
		if value != nil {
			return differs(n.Elem, value, at)
		}
	case jsonshape.Array:
		list, ok := value.([]any)
		if !ok && value != nil {
			return wrong("a list")
		}
		for _, v := range list {
			if d := differs(n.Elem, v, at+"[]"); d != "" {
				return d
			}
		}
	case jsonshape.Map, jsonshape.Struct:
		object, ok := value.(map[string]any)
		if !ok && value != nil {
			return wrong("an object")
		}
		return objectDiffers(n, object, at)
	}
	return ""
}

// by reports whether a text was written by the method predicted. The methods of
// generated types sign with a letter and their type.
func by(n *jsonshape.Node, text string) bool {
	if n.Func.Pkg() == nil || n.Func.Pkg().Path() != "main" {
		return true
	}
	recv := n.Func.Signature().Recv().Type()
	if p, ok := recv.(*types.Pointer); ok {
		recv = p.Elem()
	}
	if types.IsInterface(recv) {
		return true
	}
	letter := map[string]string{"MarshalJSON": "J:", "MarshalText": "T:", "AppendText": "A:", "Error": "E:", "String": "S:"}[n.Func.Name()]
	return strings.HasPrefix(text, letter+recv.(*types.Named).Obj().Name())
}

func objectDiffers(n *jsonshape.Node, object map[string]any, at string) string {
	if n.Kind == jsonshape.Map {
		for k, v := range object {
			if n.Key.Kind == jsonshape.Method && !by(n.Key, k) {
				return fmt.Sprintf("%s: the key %q is not by %s", at, k, n.Key.Func.FullName())
			}
			if d := differs(n.Elem, v, at+"{}"); d != "" {
				return d
			}
		}
		return ""
	}
	left := len(object)
	for _, m := range n.Members {
		v, ok := object[m.Name]
		if ok {
			left--
			if d := differs(m.Node, v, at+"."+m.Name); d != "" {
				return d
			}
		} else if !m.Optional && object != nil {
			return fmt.Sprintf("%s: the member %s is missing", at, m.Name)
		}
	}
	if left > 0 && !n.Open {
		return fmt.Sprintf("%s: members that were not predicted in %v", at, object)
	}
	return ""
}
