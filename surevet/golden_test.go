package surevet_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What a suggested fix leaves compiles: each package that has golden files is built
// with them in the place of what they were made from.
func TestGoldenFixesCompile(t *testing.T) {
	roots, err := filepath.Glob("*/testdata")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, root := range roots {
		fixed := golden(t, root)
		for dir, overlay := range fixed {
			files += len(overlay)
			t.Run(filepath.ToSlash(dir), func(t *testing.T) {
				if out, err := buildFixed(t, root, dir, overlay); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
	if files < 3 {
		t.Errorf("there are only %d golden files", files)
	}
}

// The test sees a fix that does not compile.
func TestGoldenFaultIsSeen(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "src", "a")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"a.go": "package a\n", "a.go.golden": "package a\n\nvar x int = \"\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := buildFixed(t, root, dir, golden(t, root)[dir])
	if err == nil || !strings.Contains(string(out), "cannot use") {
		t.Errorf("%v\n%s", err, out)
	}
}

// golden returns, for each folder below root that has golden files, which file
// stands in the place of which.
func golden(t *testing.T, root string) map[string]map[string]string {
	t.Helper()
	fixed := map[string]map[string]string{}
	err := filepath.WalkDir(root, func(name string, _ fs.DirEntry, err error) error {
		source, ok := strings.CutSuffix(name, ".golden")
		if err != nil || !ok {
			return err
		}
		dir := filepath.Dir(name)
		if fixed[dir] == nil {
			fixed[dir] = map[string]string{}
		}
		fixed[dir][absolute(t, source)] = absolute(t, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fixed
}

// buildFixed compiles the package in dir, below a root that is laid out as a GOPATH,
// as analysistest has it.
func buildFixed(t *testing.T, root, dir string, replace map[string]string) ([]byte, error) {
	t.Helper()
	overlay := filepath.Join(t.TempDir(), "overlay.json")
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, data, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-overlay="+overlay, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GO111MODULE=off", "GOWORK=off", "GOFLAGS=", "GOPATH="+absolute(t, root))
	return cmd.CombinedOutput()
}

func absolute(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
