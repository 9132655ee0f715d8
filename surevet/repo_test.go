package surevet_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/surewire/surewire/surevet/internal/sinks"
)

// encoders are the rooms of surewire that may encode JSON: surejson makes the
// values, wire the frames around them.
var encoders = []string{"surejson", "wire"}

// elsewhere are the other uses of an encoder, and what they are for.
var elsewhere = map[string]string{
	"auth/signer.go: encoding/json.Marshal":  "the claims of a token, as the library that signs it encodes them; no socket carries it",
	"demo/hostile.go: encoding/json.Marshal": "shows on the page what encoding/json says of a value, and publishes nothing of it",

	"natsembed/folder.go: encoding/json.Marshal":                      "a file that says how the last process ended; strings and times of our own",
	"natsengine/internal/record/members.go: encoding/json.Marshal":    "who reads a channel, from process to process: bytes in Base64, and names",
	"natsengine/internal/record/record.go: encoding/json.Marshal":     "the header of a stored message: what it holds is of fixed types, read back by the same room",
	"natsengine/internal/store/read.go: encoding/json.Marshal":        "a request to JetStream, of numbers and names",
	"server/internal/openapi/openapi.go: encoding/json.MarshalIndent": "a document of the API's types, for people and generators; it is made once",
}

// What goes to a socket is encoded in two rooms: no other names a function of an
// encoder at all.
func TestOnlySurejsonAndWireEncode(t *testing.T) {
	if _, err := os.Stat("../surejson"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("surevet was fetched without the module around it, which this test reads")
	}
	found, files := encodes(t, os.DirFS(".."))
	if files < 40 {
		t.Errorf("only %d files were read", files)
	}
	for _, f := range found {
		if elsewhere[f] == "" {
			t.Errorf("%s: encode with surejson, or publish the value", f)
		}
	}
	for f := range elsewhere {
		if !slices.Contains(found, f) {
			t.Errorf("%s is gone: take it off the list", f)
		}
	}
}

// The test sees what it is for.
func TestEncodesIsSeen(t *testing.T) {
	tree := fstest.MapFS{
		"hub/a.go":        {Data: []byte("package hub\nimport \"encoding/json\"\nvar x, _ = json.Marshal(1)")},
		"hub/b.go":        {Data: []byte("package hub\nimport j \"encoding/json\"\nfunc f() { _ = j.NewEncoder(nil) }")},
		"hub/c.go":        {Data: []byte("package hub\nimport \"encoding/json\"\nvar x json.RawMessage")},
		"socket/a.go":     {Data: []byte("package socket\nimport \"github.com/goccy/go-json\"\nvar f = json.Marshal")},
		"surejson/a/a.go": {Data: []byte("package a\nimport \"encoding/json\"\nvar x, _ = json.Marshal(1)")},
		"hub/a_test.go":   {Data: []byte("package hub\nimport \"encoding/json\"\nvar y, _ = json.Marshal(1)")},
		"other/go.mod":    {},
		"other/a.go":      {Data: []byte("package other\nimport \"encoding/json\"\nvar x, _ = json.Marshal(1)")},
	}
	found, _ := encodes(t, tree)
	want := []string{"hub/a.go: encoding/json.Marshal", "hub/b.go: encoding/json.NewEncoder", "socket/a.go: github.com/goccy/go-json.Marshal"}
	if !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
}

// encodes returns the uses of an encoder outside of the rooms that may, in a
// module's files other than tests, and how many files were read.
func encodes(t *testing.T, tree fs.FS) (found []string, files int) {
	t.Helper()
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := fs.Stat(tree, path.Join(name, "go.mod"))
			base := path.Base(name)
			if name != "." && (nested == nil || base == "testdata" || base == "node_modules" || base[0] == '.' || base[0] == '_') {
				return fs.SkipDir
			}
			return nil
		}
		room, _, _ := strings.Cut(name, "/")
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || slices.Contains(encoders, room) {
			return nil
		}
		files++
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		uses, err := encoderUses(source)
		for _, u := range uses {
			found = append(found, name+": "+u)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, files
}

// encoderUses returns the functions of encoders that a file names. A dot import
// of an encoder is one too.
func encoderUses(source []byte) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, 0)
	if err != nil {
		return nil, err
	}
	named := map[string]string{}
	var uses []string
	for _, i := range file.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return nil, err
		}
		short := strings.TrimPrefix(path.Base(p), "go-")
		if i.Name != nil {
			short = i.Name.Name
		}
		if short == "." && sinks.HasPackage(p) {
			uses = append(uses, p+", imported into the file")
		}
		named[short] = p
	}
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if id, ok := sel.X.(*ast.Ident); ok && sinks.Encodes(named[id.Name], sel.Sel.Name) {
			if use := fmt.Sprintf("%s.%s", named[id.Name], sel.Sel.Name); !slices.Contains(uses, use) {
				uses = append(uses, use)
			}
		}
		return true
	})
	return uses, nil
}
