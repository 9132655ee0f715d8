package main

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
)

// A goPackage is a package as go list has it.
type goPackage struct {
	Dir                                          string
	GoFiles, CgoFiles, TestGoFiles, XTestGoFiles []string
}

// list returns the packages of the module in dir.
func list(dir string, patterns []string) ([]goPackage, error) {
	args := append([]string{"list", "-json=Dir,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles"}, patterns...)
	cmd := command(dir, "go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var all []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
}

// units returns how often go vet analyses p: with its tests, and for tests that
// are a package of their own.
func (p goPackage) units() int {
	n := 0
	if len(p.GoFiles)+len(p.CgoFiles)+len(p.TestGoFiles) > 0 {
		n++
	}
	if len(p.XTestGoFiles) > 0 {
		n++
	}
	return n
}

// count returns the lines of p that are built here and no tests, and how many of
// them are generated.
func (p goPackage) count() (lines, generated int, err error) {
	for _, names := range [][]string{p.GoFiles, p.CgoFiles} {
		for _, name := range names {
			source, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				return 0, 0, err
			}
			n := bytes.Count(source, []byte("\n"))
			lines += n
			file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				return 0, 0, err
			}
			if ast.IsGenerated(file) {
				generated += n
			}
		}
	}
	return lines, generated, nil
}
