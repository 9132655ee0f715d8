// Package ws stands in for github.com/gobwas/ws.
package ws

type OpCode byte

const (
	OpText   OpCode = 0x1
	OpBinary OpCode = 0x2
)
