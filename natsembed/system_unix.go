//go:build linux || darwin || freebsd

package natsembed

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockFile takes f for this process, until it is closed or the process ends.
func lockFile(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// freeBytes returns how much a process without privileges may still write.
func freeBytes(dir string) (n int64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}

// writable returns why a folder cannot be written to, nil if it can. It finds a
// mount that is read-only, also for a process that may do anything; and a file
// system that an error has made so, if a file is there that is opened.
func writable(dir, file string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return err
	}
	fd, err := unix.Open(filepath.Join(dir, file), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return err
	}
	return unix.Close(fd)
}
