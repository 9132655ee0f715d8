//go:build !linux

// Live compares a whole Surewire server with other servers for WebSockets.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "live: this needs Linux: its clients use epoll, and what a process uses is read from /proc")
	os.Exit(1)
}
