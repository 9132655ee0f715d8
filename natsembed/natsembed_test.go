package natsembed_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsembed"
)

func config(t testing.TB, dir string) natsembed.Config {
	return natsembed.Config{Dir: dir, MinFree: -1, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

func start(t testing.TB, c natsembed.Config) *natsembed.Server {
	t.Helper()
	s, err := natsembed.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func TestStartAndClose(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := filepath.Join(t.TempDir(), "a", "b")
	for range 2 {
		s := start(t, config(t, dir))
		conn, err := s.InProcessConn()
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if err := s.Healthy(); err != nil {
			t.Errorf("Healthy: %v", err)
		}
		if g := s.Generation(); g != "" {
			t.Errorf("the generation is %q, though nothing went down", g)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := s.Close(t.Context()); !errors.Is(err, surewire.ErrClosed) {
			t.Errorf("a second Close returned %v", err)
		}
		if err := s.Healthy(); !errors.Is(err, surewire.ErrClosed) {
			t.Errorf("Healthy after Close returned %v", err)
		}
		if _, err := s.InProcessConn(); !errors.Is(err, surewire.ErrUnavailable) {
			t.Errorf("InProcessConn after Close returned %v", err)
		}
	}
}

// dirVariable tells a child of this test which folder to open.
const dirVariable = "NATSEMBED_DIR"

// TestOpenAndSay is the child of the tests of the lock: it is no test of its own.
func TestOpenAndSay(t *testing.T) {
	dir := os.Getenv(dirVariable)
	if dir == "" {
		t.Skip("for a child only")
	}
	start(t, config(t, dir))
}

func TestFolderBelongsToOneProcess(t *testing.T) {
	dir := t.TempDir()
	open := func() (string, error) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestOpenAndSay$", "-test.v")
		cmd.Env = append(os.Environ(), dirVariable+"="+dir)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	s := start(t, config(t, dir))
	if out, err := open(); err == nil || !strings.Contains(out, "in use by another process") {
		t.Errorf("a second process: %v, it said:\n%s", err, out)
	}
	if _, err := natsembed.Start(config(t, dir)); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("a second server: %v", err)
	}
	if err := s.Healthy(); err != nil {
		t.Errorf("the first: %v", err)
	}
	s.Close(t.Context())
	if out, err := open(); err != nil {
		t.Errorf("once the folder is free: %v:\n%s", err, out)
	}
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	folders := map[string]string{"a file": file, "below a file": filepath.Join(file, "x")}
	if _, err := os.Stat("/proc/self"); err == nil {
		folders["read-only, whoever asks"] = "/proc/self"
	}
	if os.Getuid() != 0 {
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		folders["read-only"] = dir
	}
	for name, dir := range folders {
		_, err := natsembed.Start(config(t, dir))
		if err == nil || !strings.Contains(err.Error(), "data folder cannot be") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := natsembed.Start(natsembed.Config{}); err == nil {
		t.Error("no folder at all is taken")
	}
}

func TestGeneration(t *testing.T) {
	const another = `{"generation":"g","boot":"another","clean":false}`
	for _, c := range []struct {
		name, life string
		synced     bool
		want       string // "new" for one that was not there before
	}{
		{"a new folder", "", false, ""},
		{"closed, then another boot", `{"generation":"g","boot":"another","clean":true}`, false, "g"},
		{"killed, same boot", `{"generation":"g","boot":"BOOT","clean":false}`, false, "g"},
		{"power lost", another, false, "new"},
		{"power lost, each write synced", another, true, "g"},
		{"half written", `{"gener`, false, "new"},
		{"empty", " ", false, "new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
			if err != nil {
				t.Skip("the system does not tell when it was booted")
			}
			if c.life != "" {
				text := strings.ReplaceAll(c.life, "BOOT", strings.TrimSpace(string(boot)))
				if err := os.WriteFile(filepath.Join(dir, "life.json"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cfg := config(t, dir)
			cfg.SyncAlways = c.synced
			s := start(t, cfg)
			got := s.Generation()
			if c.want == "new" && (got == "" || got == "g") || c.want != "new" && got != c.want {
				t.Errorf("the generation is %q, want %q", got, c.want)
			}
			s.Close(t.Context())
			if again := start(t, cfg); again.Generation() != got {
				t.Errorf("the next, after %q, is %q", got, again.Generation())
			}
		})
	}
}

func TestTooLittleRoom(t *testing.T) {
	c := config(t, t.TempDir())
	c.MinFree = 1 << 60
	s := start(t, c)
	if err := s.Healthy(); !errors.Is(err, surewire.ErrUnavailable) || !strings.Contains(err.Error(), "MiB free") {
		t.Errorf("Healthy returned %v", err)
	}
}
