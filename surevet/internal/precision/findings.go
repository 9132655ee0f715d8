package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A finding is one diagnostic. Its place is file:line:column below the module's
// folder.
type finding struct{ code, place, message string }

// A verdict is how a finding was judged, by reading the code around it.
type verdict struct{ word, why string }

// What a verdict may be. Unwanted is what nobody would change code for.
const (
	bug      = "bug"
	change   = "worth a change"
	unwanted = "unwanted"
)

// parse reads the output of surevet -json: one object for each package analysed,
// empty if nothing was found there.
func parse(dir string, out io.Reader) (analysed int, findings []finding, err error) {
	for d := json.NewDecoder(out); ; analysed++ {
		var tree map[string]map[string][]struct{ Posn, Category, Message string }
		if err := d.Decode(&tree); err == io.EOF {
			break
		} else if err != nil {
			return 0, nil, err
		}
		for _, analyzers := range tree {
			for _, diagnostics := range analyzers {
				for _, x := range diagnostics {
					place, err := filepath.Rel(dir, x.Posn)
					if err != nil {
						return 0, nil, err
					}
					findings = append(findings, finding{x.Category, filepath.ToSlash(place), x.Message})
				}
			}
		}
	}
	slices.SortFunc(findings, func(x, y finding) int {
		return strings.Compare(x.place+x.code+x.message, y.place+y.code+y.message)
	})
	return analysed, slices.Compact(findings), nil
}

// judgedKey names a finding in judged.txt: module, code and place.
type judgedKey struct{ module, code, place string }

// readJudged reads lines of module, code, place, verdict and why, with a tab
// between each.
func readJudged(name string) (map[judgedKey]verdict, error) {
	judged := map[judgedKey]verdict{}
	err := eachLine(name, func(line string) error {
		f := strings.Split(line, "\t")
		if len(f) != 5 || !slices.Contains([]string{bug, change, unwanted}, f[3]) || f[4] == "" {
			return fmt.Errorf("cannot read %q", line)
		}
		judged[judgedKey{f[0], f[1], f[2]}] = verdict{f[3], f[4]}
		return nil
	})
	return judged, err
}

// readModules reads lines of path, version and, if not all, packages.
func readModules(name string) ([]module, error) {
	var all []module
	err := eachLine(name, func(line string) error {
		f := strings.Fields(line)
		if len(f) < 2 {
			return fmt.Errorf("cannot read %q", line)
		}
		m := module{path: f[0], version: f[1], patterns: f[2:]}
		if len(m.patterns) == 0 {
			m.patterns = []string{"./..."}
		}
		all = append(all, m)
		return nil
	})
	return all, err
}

// eachLine gives f the lines of a file that are neither empty nor comments.
func eachLine(name string, f func(string) error) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if line := lines.Text(); line != "" && line[0] != '#' {
			if err := f(line); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return lines.Err()
}
