package engine

import (
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Who serves from a file system that is read-only is told at the start, with what
// to do; so is who checks.
func TestReadOnlyData(t *testing.T) {
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("it takes Linux, and a process that may mount")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a file system cannot be mounted: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	for _, data := range []string{dir, filepath.Join(dir, "data")} {
		f := Flags{Engine: "jetstream", Data: data}
		_, err := f.Open(t.Context(), Limits{}, nil, slog.New(slog.DiscardHandler))
		for what, err := range map[string]error{"serve": err, "check": f.Try(t.Context(), io.Discard)} {
			if err == nil || !strings.Contains(err.Error(), "--data "+data+": ") || !strings.HasSuffix(err.Error(), "read-only file system: mount it for writing, or name another folder") {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}
