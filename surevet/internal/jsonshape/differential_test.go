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

// A program of generated types is compiled and run; what the encoder wrote for
// each is compared with the prediction from the same source.
func TestDifferentialV1(t *testing.T) {
	differ(t, jsonshape.V1, trial{imports: `"encoding/json"`, encode: "json.Marshal(v)", env: "GOEXPERIMENT=nojsonv2"})
}

func TestDifferentialV2(t *testing.T) {
	differ(t, jsonshape.V2, trial{imports: `"encoding/json"; jsonv2 "encoding/json/v2"`, encode: "jsonv2.Marshal(v)", env: "GOEXPERIMENT=jsonv2"})
}

// The module of surejson is the folder above this one: a program may import it
// only if it runs there.
func TestDifferentialSurejson(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "surejson")); errors.Is(err, os.ErrNotExist) {
		t.Skip("surevet was fetched without the module around it, whose encoder this test asks")
	}
	differ(t, jsonshape.Surewire, trial{
		dir:     root,
		imports: `"encoding/json"; "github.com/surewire/surewire/surejson"`,
		encode:  "surejson.Marshal(v)",
	})
}

// A trial says how to run an encoder.
type trial struct{ dir, imports, encode, env string }

func differ(t *testing.T, d *jsonshape.Dialect, how trial) {
	source, count := generate(*seed, *cases, d.StrictStructs)
	program := strings.NewReplacer("/*imports*/", how.imports, "/*encode*/", how.encode).Replace(source)
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", file)
	cmd.Dir = how.dir
	cmd.Env = append(os.Environ(), "GOWORK=off", how.env)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the program of seed %d does not run: %v\n%.2000s", *seed, err, stderr.String())
	}
	scope := check(t, source).Scope()
	builder := jsonshape.NewBuilder(d)
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != 2*count {
		t.Fatalf("%d lines came from %d types", len(lines), count)
	}
	tally := map[string]int{}
	for _, line := range lines {
		name, got, _ := strings.Cut(line, "\t")
		typ := scope.Lookup(strings.TrimPrefix(name, "&")).Type()
		if name[0] == '&' {
			typ = types.NewPointer(typ)
		}
		kind, fault := compare(builder.Root(typ), d, got)
		tally[kind]++
		if fault != "" {
			t.Errorf("%s: %s\nwrote %.300s\ntype %s", name, fault, got, typ.Underlying())
		}
		if tally["fault"]++; fault == "" {
			tally["fault"]--
		} else if tally["fault"] > 12 {
			t.Fatal("and so on")
		}
	}
	t.Logf("%s: %d cases: %v", d.Name, len(lines), tally)
	if tally["written"] < count || tally["panic"] > count/10 || !d.Total && tally["error"] < count/20 {
		t.Errorf("the cases do not cover what they should: %v", tally)
	}
}

// check type-checks the types of the program, whose encoder is of no matter here.
func check(t *testing.T, source string) *types.Package {
	t.Helper()
	source = strings.NewReplacer("/*imports*/", `"encoding/json"`, "/*encode*/", "json.Marshal(v)").Replace(source)
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
