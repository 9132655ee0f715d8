package natsembed

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// settled is how long a folder must not have changed before what was synced is
// taken to be all: clocks of file systems are coarse.
const settled = 100 * time.Millisecond

// A syncer has the disk take what the server leaves to the kernel: the notes that
// say what a stream is, and the names of its files. The server syncs messages
// each SyncInterval, but a stream whose note is gone is not opened at all.
type syncer struct {
	store string               // folder of the server
	known map[string]time.Time // when a folder that is on the disk was changed last
}

// sync does that until Close, as often as the server syncs messages.
func (s *Server) sync() {
	if s.config.SyncAlways || runtime.GOOS == "windows" { // the server does it; the system cannot
		return
	}
	work := syncer{store: filepath.Join(s.config.Dir, "store"), known: make(map[string]time.Time)}
	t := time.NewTicker(s.config.SyncInterval)
	defer t.Stop()
	told := ""
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
		}
		if s.down.Load() || s.barred.Load() != nil {
			clear(work.known) // the disk may be another afterwards
			continue
		}
		err := work.run()
		if err != nil && err.Error() != told {
			told = err.Error()
			s.config.Logger.Error("what the store is made of cannot be synced", "dir", s.config.Dir, "error", err)
		}
	}
}

// run syncs what has changed since it was called last.
func (s *syncer) run() error {
	streams, err := filepath.Glob(filepath.Join(s.store, "jetstream", "*", "streams"))
	for _, dir := range streams {
		err = errors.Join(err, s.folder(dir), s.folder(filepath.Dir(dir)), s.folder(filepath.Dir(filepath.Dir(dir))), s.folder(s.store))
		entries, failure := os.ReadDir(dir)
		err = errors.Join(err, failure)
		for _, e := range entries {
			stream := filepath.Join(dir, e.Name())
			err = errors.Join(err, s.folder(stream, "meta.inf", "meta.sum"), s.folder(filepath.Join(stream, "msgs")))
		}
	}
	return err
}

// folder syncs some files of dir and dir itself, if it has changed. What is not
// there was removed meanwhile, or is not there yet.
func (s *syncer) folder(dir string, files ...string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return ifThere(err)
	}
	changed := info.ModTime()
	if changed.Equal(s.known[dir]) {
		return nil
	}
	recent := time.Since(changed) < settled
	for _, name := range append(files, "") {
		if err := ifThere(syncFile(filepath.Join(dir, name))); err != nil {
			return err
		}
	}
	if !recent {
		s.known[dir] = changed
	}
	return nil
}

func syncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func ifThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
