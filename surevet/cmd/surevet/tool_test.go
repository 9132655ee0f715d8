package main_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Another module gets surevet as its tool, as the README says: it runs as go tool surevet, and what
// go tool -n prints is a tool for go vet.
func TestGoTool(t *testing.T) {
	dir := t.TempDir()
	home, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go.mod"), "module example.com/user\n\ngo 1.26.0\n\n"+
		"require github.com/surewire/surewire/surevet v0.0.0\n\n"+
		"replace github.com/surewire/surewire/surevet => "+home+"\n")
	sum, err := os.ReadFile(filepath.Join(home, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go.sum"), string(sum))
	write(t, filepath.Join(dir, "a.go"), `package user

import "encoding/json"

type State int

const (
	Idle State = iota
	Busy
)

func encode(s State) ([]byte, error) { return json.Marshal(s) }
`)
	write(t, filepath.Join(dir, "fine", "fine.go"), "package fine\n")
	if out, code := goCommand(t, dir, "get", "-tool", "github.com/surewire/surewire/surevet/cmd/surevet@v0.0.0"); code != 0 {
		t.Fatalf("go get -tool: %d\n%s", code, out)
	}
	path, code := goCommand(t, dir, "tool", "-n", "surevet")
	if code != 0 {
		t.Fatalf("go tool -n: %d\n%s", code, path)
	}
	for _, args := range [][]string{
		{"tool", "surevet"},
		{"vet", "-vettool=" + strings.TrimSpace(path)},
	} {
		if out, code := goCommand(t, dir, append(args, "./...")...); code != 1 || !strings.Contains(out, "(SW201)") {
			t.Errorf("go %s: %d\n%s", args, code, out)
		}
		if out, code := goCommand(t, dir, append(args, "./fine")...); code != 0 {
			t.Errorf("go %s of what is fine: %d\n%s", args, code, out)
		}
	}
}

// goCommand returns what the go command writes in dir, and its exit code.
func goCommand(t *testing.T, dir string, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off")
	b, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(b), cmd.ProcessState.ExitCode()
}
