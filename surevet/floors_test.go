package surevet_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// The limits of size are those of the module around this one: a file 400 lines, a
// function 70, a package 1,500, an interface 4 methods.
func TestSizes(t *testing.T) {
	packages, files := map[string]int{}, 0
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path.Base(name) == "testdata" {
			return fs.SkipDir
		}
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files++
		lines := bytes.Count(source, []byte("\n"))
		packages[path.Dir(name)] += lines
		if lines > 400 {
			t.Errorf("%s has %d lines", name, lines)
		}
		return functions(t, name, source)
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 25 {
		t.Errorf("only %d files were read", files)
	}
	for dir, lines := range packages {
		if lines > 1500 {
			t.Errorf("package %s has %d lines", dir, lines)
		}
	}
}

func functions(t *testing.T, name string, source []byte) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if lines := set.Position(n.End()).Line - set.Position(n.Pos()).Line + 1; lines > 70 {
				t.Errorf("%s: %s has %d lines", name, n.Name, lines)
			}
		case *ast.InterfaceType:
			if n.Methods.NumFields() > 4 {
				t.Errorf("%s: an interface has %d methods", name, n.Methods.NumFields())
			}
		}
		return true
	})
	return nil
}
