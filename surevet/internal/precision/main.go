// Precision runs surevet with its default profile on the modules of modules.txt and
// prints, as the tables of docs/precision.md, what it finds there and how that was
// judged.
//
//	go run ./internal/precision [-work folder] [module ...]
//
// Modules come from the module proxy and are copied to the folder. One counts only if
// surevet says of as many packages as it has that they were analysed. The exit code is
// 1 if a finding has not been judged, if more are unwanted than one in 100,000 lines,
// if a finding that was judged is not made any more, or if a module could not be
// analysed.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A module is what surevet runs on.
type module struct {
	path, version string
	patterns      []string // its packages
}

// short returns the name that tables have.
func (m module) short() string {
	name := path.Base(m.path)
	if name == "go" || strings.TrimLeft(name, "v0123456789") == "" {
		name = path.Base(path.Dir(m.path))
	}
	return name
}

// A result is what came of a module.
type result struct {
	module
	packages  int
	lines     int // that are built here, without tests
	generated int // of those, in generated files, where surevet is silent
	findings  []finding
}

// here is the folder of this program, below the module's, in which it runs.
const here = "internal/precision"

func main() {
	log.SetFlags(0)
	work := flag.String("work", filepath.Join(os.TempDir(), "surevet-precision"), "`folder` for copies of modules")
	flag.Parse()
	tool, err := build(*work)
	if err != nil {
		log.Fatal(err)
	}
	judged, err := readJudged(filepath.Join(here, "judged.txt"))
	if err != nil {
		log.Fatal(err)
	}
	modules, err := readModules(filepath.Join(here, "modules.txt"))
	if err != nil {
		log.Fatal(err)
	}
	var results []result
	failed := false
	for _, m := range modules {
		if flag.NArg() > 0 && !slices.Contains(flag.Args(), m.short()) {
			continue
		}
		log.Printf("%s %s", m.path, m.version)
		r, err := run(tool, m, filepath.Join(*work, m.short()+"@"+m.version))
		if err != nil {
			log.Printf("%s does not count: %v", m.path, err)
			failed = true
			continue
		}
		results = append(results, r)
	}
	if len(results) == 0 && !failed {
		log.Fatal("no such module")
	}
	if !tables(os.Stdout, results, judged) || failed {
		os.Exit(1)
	}
}

// build compiles surevet from the module at hand into a folder.
func build(folder string) (string, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	tool, err := filepath.Abs(filepath.Join(folder, "surevet"))
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", tool, "./cmd/surevet")
	cmd.Stderr = os.Stderr
	return tool, cmd.Run()
}

// run analyses a module, in a copy of its published archive.
func run(tool string, m module, dir string) (result, error) {
	r := result{module: m}
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		if err := fetch(m, dir); err != nil {
			return r, err
		}
	}
	packages, err := list(dir, m.patterns)
	if err != nil {
		return r, err
	}
	cmd := command(dir, tool, append([]string{"-json"}, m.patterns...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return r, fmt.Errorf("%w\n%.4000s", err, stderr.Bytes())
	}
	analysed, findings, err := parse(dir, &stdout)
	if err != nil {
		return r, err
	}
	r.findings = findings
	units := 0
	for _, p := range packages {
		units += p.units()
		lines, generated, err := p.count()
		if err != nil {
			return r, err
		}
		if lines > 0 {
			r.packages++
		}
		r.lines += lines
		r.generated += generated
	}
	if analysed != units {
		return r, fmt.Errorf("%d packages and packages of tests were analysed, of %d\n%.4000s", analysed, units, stderr.Bytes())
	}
	return r, nil
}

// command returns a command that leaves a module's own files alone.
func command(dir, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	return cmd
}

// fetch copies a module to dir, in one step.
func fetch(m module, dir string) error {
	cmd := exec.Command("go", "mod", "download", "-json", m.path+"@"+m.version)
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	var where struct{ Dir string }
	if err := json.Unmarshal(out, &where); err != nil {
		return err
	}
	part := dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	if err := os.CopyFS(part, os.DirFS(where.Dir)); err != nil {
		return err
	}
	if err := os.Chmod(filepath.Join(part, "go.mod"), 0o600); err != nil {
		return err
	}
	return os.Rename(part, dir)
}
