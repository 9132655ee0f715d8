//go:build linux

// Package control is how the command and the processes that it measures talk:
// one JSON object a line, over a socket that the child inherits.
package control

import "time"

// A Request asks a server's process for one thing. All but Burst are answered
// with a [Reply], in order.
type Request struct {
	Do       string        `json:"do"`
	Channels int           `json:"channels,omitempty"` // Burst, Pace, Alone: the first so many
	Messages int           `json:"messages,omitempty"` // Burst: on each channel
	Rate     float64       `json:"rate,omitempty"`     // Pace: messages a second, of all channels together
	For      time.Duration `json:"for,omitempty"`      // Pace, Alone
	File     string        `json:"file,omitempty"`     // Profile, Heap
}

// What a Request can ask for.
const (
	Burst   = "burst"   // publish at once; a failure ends the process
	Pace    = "pace"    // publish at a rate
	Alone   = "alone"   // publish as fast as one goroutine can
	Measure = "measure" // nothing: a Reply is wanted
	Settle  = "settle"  // collect garbage and give memory back, so that Memory means something
	Profile = "profile" // write a CPU profile to File, until the next Profile, which may be without one
	Heap    = "heap"    // write a heap profile to File
)

// A Reply tells of the server's process, as of when what was asked for is done.
type Reply struct {
	Address   string `json:"address,omitempty"` // the first Reply, which nobody asked for
	Published uint64 `json:"published"`         // messages so far
	Usage     Usage  `json:"usage"`
	Memory    Memory `json:"memory"`
	Error     string `json:"error,omitempty"`
}

// Usage is what the process has used since it began.
type Usage struct {
	User   time.Duration `json:"user"`
	System time.Duration `json:"system"`
	Allocs uint64        `json:"allocs"` // times that the heap was asked
}

// CPU is user and system time.
func (u Usage) CPU() time.Duration { return u.User + u.System }

// Sub returns what was used since before.
func (u Usage) Sub(before Usage) Usage {
	return Usage{u.User - before.User, u.System - before.System, u.Allocs - before.Allocs}
}

// Memory is what the process has now, in bytes.
type Memory struct {
	Resident   uint64 `json:"resident"` // anonymous: what the kernel keeps for sockets is not in it
	Heap       uint64 `json:"heap"`     // objects
	Stacks     uint64 `json:"stacks"`
	Goroutines uint64 `json:"goroutines"`
}

// Sub returns what was added since before. A process that shrank has added
// nothing.
func (m Memory) Sub(before Memory) Memory {
	less := func(a, b uint64) uint64 { return a - min(a, b) }
	return Memory{less(m.Resident, before.Resident), less(m.Heap, before.Heap), less(m.Stacks, before.Stacks), less(m.Goroutines, before.Goroutines)}
}
