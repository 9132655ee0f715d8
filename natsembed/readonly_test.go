//go:build linux

package natsembed_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsembed"
	"github.com/surewire/surewire/natsengine"
)

// mount mounts a file system on dir, until the test ends, or skips the test.
func mount(t *testing.T, dir string, args ...string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("it takes a process that may mount")
	}
	if out, err := exec.Command("mount", append(args, dir)...).CombinedOutput(); err != nil {
		t.Skipf("mount %s: %v: %s", strings.Join(args, " "), err, out)
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() }) // fails where the test has done it
}

// must runs a command of the system.
func must(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

// A log is what one publisher has been told to be stored.
type log struct {
	t      *testing.T
	engine *natsengine.Engine
	server *natsembed.Server
	n      int
	kept   []string
}

func openLog(t *testing.T, dir string) *log {
	t.Helper()
	s := start(t, config(t, dir))
	e, err := natsengine.Open(t.Context(), natsengine.Config{
		InProcess: s, Guard: s.Healthy, Logger: config(t, dir).Logger, PublishTimeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(context.Background()) })
	return &log{t: t, engine: e, server: s}
}

func (l *log) publish() error {
	l.n++
	data := fmt.Sprint(l.n)
	_, err := l.engine.Publish(l.t.Context(), "c", surewire.Publication{Data: []byte(data)})
	if err == nil {
		l.kept = append(l.kept, data)
	}
	return err
}

// until publishes until the error is as wanted.
func (l *log) until(what string, done func(error) bool) {
	l.t.Helper()
	began := time.Now()
	for {
		err := l.publish()
		if done(err) {
			l.t.Logf("%s after %v: %v", what, time.Since(began).Round(time.Millisecond), err)
			return
		}
		if time.Since(began) > 30*time.Second {
			l.t.Fatalf("%s: not within 30 s; last: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// refuses demands that publishers are told at once, each time.
func (l *log) refuses() {
	l.t.Helper()
	for range 20 {
		began := time.Now()
		if err := l.publish(); !errors.Is(err, surewire.ErrUnavailable) || errors.Is(err, surewire.ErrUnknown) || time.Since(began) > time.Second {
			l.t.Errorf("a publication: %v after %v", err, time.Since(began))
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// check demands that what was acknowledged is there, in order.
func (l *log) check() {
	l.t.Helper()
	h, err := l.engine.History(l.t.Context(), "c", surewire.Position{}, 1000)
	if err != nil {
		l.t.Fatal(err)
	}
	var found []string
	for _, m := range h.Messages {
		found = append(found, string(m.Data))
	}
	at := 0
	for _, data := range found {
		if at < len(l.kept) && l.kept[at] == data {
			at++
		}
	}
	if at != len(l.kept) {
		l.t.Errorf("acknowledged were %v, there are %v", l.kept, found)
	}
}

func taken(err error) bool { return err == nil }
func refused(err error) bool {
	return errors.Is(err, surewire.ErrUnavailable) && !errors.Is(err, surewire.ErrUnknown)
}

func TestReadOnlyAtStart(t *testing.T) {
	top := t.TempDir()
	mount(t, top, "-t", "tmpfs", "-o", "size=8m", "tmpfs")
	there, missing := filepath.Join(top, "there"), filepath.Join(top, "missing", "data")
	if err := start(t, config(t, there)).Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	must(t, "mount", "-o", "remount,ro", top)
	for _, dir := range []string{there, missing} {
		_, err := natsembed.Start(config(t, dir))
		if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), top) {
			t.Errorf("Start in %s: %v", dir, err)
		}
		if _, err := natsembed.Look(dir); !errors.Is(err, syscall.EROFS) {
			t.Errorf("Look at %s: %v", dir, err)
		}
	}
}

// The kernel does not let a file system become read-only while files of it are
// open for writing. What lies over it can.
func TestReadOnlyForAWhile(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, dir)
	for range 10 {
		if err := l.publish(); err != nil {
			t.Fatal(err)
		}
	}
	mount(t, dir, "--bind", dir)
	must(t, "mount", "-o", "remount,bind,ro", dir)
	l.until("refused", refused)
	l.refuses()
	l.check() // can be read all the time
	must(t, "umount", dir)
	l.until("taken", taken)
	l.check()
	if n := l.server.Stats().Restarts; n != 0 {
		t.Errorf("no write failed, and the server was restarted %d times", n)
	}
}

// fragileDisk returns a folder on a file system of its own, which an error makes
// read-only, and the image that it is in.
func fragileDisk(t *testing.T) (dir, image string) {
	t.Helper()
	image, dir = filepath.Join(t.TempDir(), "image"), t.TempDir()
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 64<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", image).CombinedOutput(); err != nil {
		t.Skipf("mkfs.ext4: %v: %s", err, out)
	}
	mount(t, dir, "-o", "loop,errors=remount-ro", image)
	return dir, image
}

// abort makes the disk fail as an error of it does.
func abort(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Mount("", dir, "ext4", syscall.MS_REMOUNT, "abort"); err != nil {
		t.Fatalf("remount: %v", err)
	}
}

// A file system that the kernel makes read-only because of an error stays so until
// it is mounted anew, without what was not synced. That can be done while the
// server runs.
func TestFileSystemWithAnError(t *testing.T) {
	dir, image := fragileDisk(t)
	l := openLog(t, filepath.Join(dir, "data"))
	for range 10 {
		if err := l.publish(); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(2500 * time.Millisecond) // more than SyncInterval: it is on the disk
	abort(t, dir)
	l.until("refused", refused)
	if _, err := l.server.Contents(); err == nil {
		t.Skip("it was seen before a write had failed: its files remain open")
	}
	l.refuses()
	must(t, "umount", dir) // nothing of it is open
	l.refuses()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("in the folder beneath there are %v, %v", left, err)
	}
	must(t, "mount", "-o", "loop", image, dir)
	l.until("taken", taken)
	l.check()
	if n := l.server.Stats().Restarts; n != 1 {
		t.Errorf("the server was restarted %d times", n)
	}
	if err := l.engine.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := l.server.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A server that waits for its disk does not keep who closes it waiting.
func TestCloseWhileTheDiskIsAway(t *testing.T) {
	dir, _ := fragileDisk(t)
	l := openLog(t, filepath.Join(dir, "data"))
	if err := l.publish(); err != nil {
		t.Fatal(err)
	}
	abort(t, dir)
	l.until("refused", refused)
	l.refuses()
	began := time.Now()
	if err := l.engine.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := l.server.Close(t.Context()); err != nil && !errors.Is(err, syscall.EROFS) { // the end could not be noted
		t.Error(err)
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("Close took %v", d)
	}
	if _, err := natsembed.Start(config(t, filepath.Join(dir, "data"))); !errors.Is(err, syscall.EROFS) {
		t.Errorf("Start: %v", err)
	}
}
