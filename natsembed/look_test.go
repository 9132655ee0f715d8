package natsembed_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/surewire/surewire/natsembed"
)

// Look sees what Start would, and leaves no trace.
func TestLook(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "a", "b")
	if p, err := natsembed.Look(dir); err != nil || p.There {
		t.Errorf("a folder that is not there: %+v, %v", p, err)
	}
	if left, err := os.ReadDir(top); err != nil || len(left) > 0 {
		t.Errorf("afterwards there are %v, %v", left, err)
	}
	s := start(t, config(t, dir))
	if c, err := s.Contents(); err != nil || c != (natsembed.Contents{}) {
		t.Errorf("an empty store has %+v, %v", c, err)
	}
	if _, err := natsembed.Look(dir); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("in use: %v", err)
	}
	if err := s.Healthy(); err != nil {
		t.Errorf("the server that has it: %v", err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Contents(); err == nil {
		t.Error("a server that is closed has contents")
	}
	before, err := os.ReadFile(filepath.Join(dir, "life.json"))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := natsembed.Look(dir); err != nil || !p.There {
		t.Errorf("once it is free: %+v, %v", p, err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, "life.json")); err != nil || string(after) != string(before) {
		t.Errorf("its note was %s, and is %s, %v", before, after, err)
	}
	start(t, config(t, dir))
	file := filepath.Join(top, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "x")} {
		if p, err := natsembed.Look(dir); err == nil {
			t.Errorf("%s: %+v", dir, p)
		}
	}
}
