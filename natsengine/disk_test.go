package natsengine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsembed"
	"github.com/surewire/surewire/natsengine"
)

// A block of the store with a byte that has changed loses messages. Who asks for
// them is told: what is said to be complete is.
func TestFlippedByte(t *testing.T) {
	dir := t.TempDir()
	e := start(t, dir, natsengine.Config{})
	const channels, each = 40, 60
	heads := map[string]surewire.Position{}
	for i := range channels * each {
		c := fmt.Sprint("c:", i%channels)
		done, err := e.Publish(t.Context(), c, surewire.Publication{Data: fmt.Appendf(nil, `"%0200d"`, i)})
		if err != nil {
			t.Fatal(err)
		}
		heads[c] = done.Position
	}
	e.Close(t.Context())
	for _, index := range []string{"kept", "gone"} {
		t.Run("index "+index, func(t *testing.T) {
			copied := t.TempDir()
			if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			flip(t, copied, index == "gone")
			e := start(t, copied, natsengine.Config{})
			told := 0
			for c, head := range heads {
				h, err := e.History(t.Context(), c, surewire.Position{Epoch: head.Epoch}, 1000)
				if err != nil {
					t.Fatal(err)
				}
				if !h.Complete || h.Head != head {
					told++ // who stands at the head is told below
				} else if whole := checkWhole(h); whole != nil {
					t.Errorf("%s is said to be complete, but %v", c, whole)
				}
				if back, err := e.History(t.Context(), c, head, 10); err != nil || back.Complete != (back.Head == head) {
					t.Errorf("%s: who stood at %v is told complete: %v, %v, and the head is %v", c, head, back.Complete, err, back.Head)
				}
			}
			if told == 0 {
				t.Error("nobody was told: did the byte hit anything?")
			}
			t.Logf("%d of %d channels are not what they were", told, channels)
		})
	}
}

func checkWhole(h surewire.History) error {
	for i, m := range h.Messages {
		if m.Position.Offset != uint64(i+1) {
			return fmt.Errorf("the %dth message has offset %d", i+1, m.Position.Offset)
		}
	}
	if uint64(len(h.Messages)) != h.Head.Offset {
		return fmt.Errorf("there are %d messages up to offset %d", len(h.Messages), h.Head.Offset)
	}
	return nil
}

// flip changes a byte in the middle of each block of dir.
func flip(t *testing.T, dir string, dropIndex bool) {
	t.Helper()
	flipped := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case dropIndex && d.Name() == "index.db":
			return os.Remove(path)
		case filepath.Ext(path) != ".blk":
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil || len(data) == 0 {
			return err
		}
		data[len(data)/2] ^= 0x10
		flipped++
		return os.WriteFile(path, data, 0o600)
	})
	if err != nil || flipped == 0 {
		t.Fatalf("%d blocks were changed: %v", flipped, err)
	}
}

// smallDisk returns a folder on a file system of a few megabytes.
func smallDisk(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("it takes Linux, and a process that may mount")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a file system cannot be mounted: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

// fill takes what is left of the disk, up to leave bytes, and returns what gives
// it back.
func fill(t *testing.T, dir string, leave int) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 64<<10)
	n := 0
	for err == nil {
		var some int
		some, err = f.Write(chunk)
		n += some
	}
	if err := errors.Join(f.Truncate(int64(max(n-leave, 0))), f.Close()); err != nil {
		t.Fatal(err)
	}
	return func() { os.Remove(name) }
}

// A file system that has become read-only is named at the start; what it has is
// there again once it can be written to.
func TestReadOnlyMount(t *testing.T) {
	dir := smallDisk(t)
	data := filepath.Join(dir, "data")
	remount := func(how string) {
		t.Helper()
		if out, err := exec.Command("mount", "-o", "remount,"+how, dir).CombinedOutput(); err != nil {
			t.Fatalf("remount: %v: %s", err, out)
		}
	}
	e := start(t, data, natsengine.Config{})
	done, err := e.Publish(t.Context(), "c", surewire.Publication{Data: []byte(`1`)})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	remount("ro")
	s, err := natsembed.Start(natsembed.Config{Dir: data})
	if err == nil {
		s.Close(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "data folder cannot be written to") || !strings.Contains(err.Error(), data) {
		t.Errorf("start: %v", err)
	}
	remount("rw")
	h, err := start(t, data, natsengine.Config{}).History(t.Context(), "c", surewire.Position{Epoch: done.Position.Epoch}, 10)
	if err != nil || !h.Complete || len(h.Messages) != 1 || h.Head != done.Position {
		t.Errorf("afterwards: %+v, %v", h, err)
	}
}

func TestDiskFull(t *testing.T) {
	for _, c := range []struct {
		name    string
		minFree int64
	}{{"guarded", 8 << 20}, {"not guarded", -1}} {
		t.Run(c.name, func(t *testing.T) {
			dir := smallDisk(t)
			logger := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
			server, err := natsembed.Start(natsembed.Config{Dir: filepath.Join(dir, "data"), MinFree: c.minFree, Logger: logger})
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close(context.Background())
			e, err := natsengine.Open(t.Context(), natsengine.Config{InProcess: server, Guard: server.Healthy, Logger: logger, PublishTimeout: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close(context.Background())
			var kept []string
			n := 0
			publish := func() error {
				n++
				data := fmt.Sprintf("\"%d %s\"", n, strings.Repeat("x", 60_000))
				_, err := e.Publish(t.Context(), "c", surewire.Publication{Data: []byte(data)})
				if err == nil {
					kept = append(kept, data)
				}
				return err
			}
			for range 20 {
				if err := publish(); err != nil {
					t.Fatal(err)
				}
			}
			free := fill(t, dir, 200<<10)
			err = nil
			for deadline := time.Now().Add(20 * time.Second); err == nil && time.Now().Before(deadline); {
				err = publish()
				time.Sleep(20 * time.Millisecond)
			}
			if !errors.Is(err, surewire.ErrUnavailable) && !errors.Is(err, surewire.ErrUnknown) || c.minFree > 0 && !errors.Is(err, surewire.ErrUnavailable) {
				t.Errorf("with a full disk: %v", err)
			}
			t.Logf("with a full disk: %v", err)
			free()
			began := time.Now()
			for err = publish(); err != nil; err = publish() {
				if time.Since(began) > 60*time.Second {
					t.Fatalf("a minute after there is room again: %v", err)
				}
				time.Sleep(20 * time.Millisecond)
			}
			t.Logf("it takes messages %v after there is room again; restarts: %d", time.Since(began).Round(time.Millisecond), server.Stats().Restarts)
			h, err := e.History(t.Context(), "c", surewire.Position{}, 1000)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, m := range h.Messages {
				found = append(found, string(m.Data))
			}
			for _, data := range kept {
				if !slices.Contains(found, data) {
					t.Errorf("%.10s was acknowledged, and is not there", data)
				}
			}
		})
	}
}
