//go:build !(linux || darwin || freebsd)

package natsembed

import "os"

// lockFile does nothing: the system has no lock that ends with the process.
func lockFile(*os.File) error { return nil }

// freeBytes reports false: the disk is not watched.
func freeBytes(string) (n int64, ok bool) { return 0, false }

// writable returns nil: it turns out when something is written.
func writable(dir, file string) error { return nil }
