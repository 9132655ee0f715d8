package natsembed

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// A folder is a data folder that this process has to itself.
type folder struct {
	dir  string
	lock *os.File // nil while it does not have it
	life life
}

// A life is what the folder says of the process that has it, or had it last.
type life struct {
	Generation string `json:"generation"` // see Server.Generation
	Boot       string `json:"boot"`       // of the kernel that ran the process; empty if it does not say
	Clean      bool   `json:"clean"`      // the process closed the store
}

// lockName is the file that a process holds.
const lockName = "lock"

// openFolder makes dir if need be, and takes it for this process.
func openFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the data folder cannot be made: %w", err)
	}
	f := &folder{dir: dir}
	return f, f.take()
}

// take locks the folder.
func (f *folder) take() error {
	lock, err := os.OpenFile(filepath.Join(f.dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("the data folder cannot be written to: %w", err)
	}
	if err := lockFile(lock); err != nil {
		lock.Close()
		return fmt.Errorf("the data folder %s is in use by another process: %w", f.dir, err)
	}
	f.lock = lock
	return nil
}

// retake takes the folder again after release. What is there must be what was
// left: of a disk that was unmounted, the empty folder beneath can be seen.
func (f *folder) retake() error {
	var found life
	text, err := os.ReadFile(f.path())
	if err != nil || json.Unmarshal(text, &found) != nil || found != f.life {
		return fmt.Errorf("the data folder %s is not as this process left it", f.dir)
	}
	return f.take()
}

func (f *folder) path() string { return filepath.Join(f.dir, "life.json") }

// begin notes that a process has opened the store, and returns its generation.
// What the kernel had in its cache is lost when the machine goes down, not when
// a process does.
func (f *folder) begin(synced bool) (generation string, err error) {
	last := life{Clean: true}
	text, err := os.ReadFile(f.path())
	switch {
	case err == nil:
		if json.Unmarshal(text, &last) != nil {
			last = life{} // half of it was written, or less: the machine went down
		}
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("the data folder cannot be read: %w", err)
	}
	f.life = life{Generation: last.Generation, Boot: bootID()}
	lost := !last.Clean && (last.Boot == "" || last.Boot != f.life.Boot)
	if lost && !synced {
		f.life.Generation = strconv.FormatInt(time.Now().Unix(), 36)
	}
	return f.life.Generation, f.write()
}

// end notes that the store was closed.
func (f *folder) end() error {
	f.life.Clean = true
	return f.write()
}

// write replaces the note, so that a reader finds the old one or the new.
func (f *folder) write() error {
	text, err := json.Marshal(f.life)
	if err != nil {
		return err
	}
	if err := f.replace(text); err != nil {
		return fmt.Errorf("the data folder cannot be written to: %w", err)
	}
	return nil
}

func (f *folder) replace(text []byte) error {
	next := f.path() + ".new"
	file, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(next, f.path())
}

// release gives the folder up. The lock file stays: another process may wait for it.
func (f *folder) release() error {
	lock := f.lock
	f.lock = nil
	return lock.Close()
}

// finish notes that the store was closed, and gives the folder up.
func (f *folder) finish() error {
	if f.lock == nil {
		return nil
	}
	return errors.Join(f.end(), f.release())
}
