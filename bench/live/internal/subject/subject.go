//go:build linux

// Package subject is the servers that are measured, each in a process of its own.
package subject

import (
	"net"
	"strconv"
)

// A Subject is one way to serve.
type Subject struct {
	Name   string
	About  string
	Module string // where it comes from; empty for what is here

	Channels bool // a message can be for some of the clients; else each goes to all
	Recovery bool // a client that returns gets what it missed
	Asked    bool // is measured only where it is asked for by name
	Limit    bool // does the least that anybody can: what the others are compared with

	start func(net.Listener) (server, error)
}

// All returns the subjects, in the order of the report.
func All() []Subject {
	return []Subject{surewireServer, surewireAccess, centrifugeDefault, centrifugeTuned, melodyServer, limitServer}
}

// A server serves clients that connect, subscribe to a channel in their first
// frame, and get what is published there. It ends with the process.
type server interface {
	// publish sends messages in order. They belong to the server, the slice
	// does not. Messages of one call may go to a client in one write.
	publish(channel string, messages []message) error
}

// A message is one publication, the nth of its channel.
type message struct {
	n    uint64
	data []byte
}

// Channel returns the name of channel i.
func Channel(i int) string {
	s := strconv.Itoa(1_000_000 + i)
	return "run:" + s[1:]
}
