// Package doc reads the documentation of an analyzer from its package comment.
package doc

import (
	"go/parser"
	"go/token"
	"strings"
)

// MustExtract returns the section "Analyzer name" of the package comment in a Go
// file: a line "name: summary", and the text after it. It panics if there is none,
// which a test of the analyzer would not miss.
func MustExtract(file, name string) string {
	f, err := parser.ParseFile(token.NewFileSet(), "", file, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil || f.Doc == nil {
		panic("no package comment for " + name)
	}
	_, section, ok := strings.Cut(f.Doc.Text(), "# Analyzer "+name+"\n")
	if !ok {
		panic("no section on " + name)
	}
	section, _, _ = strings.Cut(section, "\n# ")
	text, ok := strings.CutPrefix(strings.TrimSpace(section), name+": ")
	if !ok {
		panic("no summary of " + name)
	}
	return text
}
