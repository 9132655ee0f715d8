//go:build linux || darwin || freebsd

package natsembed

import (
	"os"

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
// file system that is read-only, also for a process that may do anything.
func writable(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }
