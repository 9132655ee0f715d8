package token

import (
	"encoding/binary"
	"math/bits"
)

// load64 reads eight bytes of s at i, the first one lowest.
func load64(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// load32 reads four bytes of s at i, the first one lowest.
func load32(s string, i int) uint32 {
	b := s[i : i+4]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

// put64 stores w in b at i, the lowest byte first. A slice of fixed capacity is
// the cheapest.
func put64(b []byte, i int, w uint64) { binary.LittleEndian.PutUint64(b[i:i+8:i+8], w) }

// put32 stores w in b at i, the lowest byte first.
func put32(b []byte, i int, w uint32) { binary.LittleEndian.PutUint32(b[i:i+4:i+4], w) }

// firstByte is the index of the lowest byte with its top bit set in hit.
func firstByte(hit uint64) int { return bits.TrailingZeros64(hit) / 8 }
