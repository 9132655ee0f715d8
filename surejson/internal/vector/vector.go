// Package vector copies text that stands in a JSON string as it is, with the
// vector instructions of the processor: AVX2 on amd64 and NEON on arm64. With
// the build tag purego, and on other processors, it has nothing to offer.
//
// UTF-8 is checked by the algorithm of Keiser and Lemire, "Validating UTF-8 In
// Less Than One Instruction Per Byte" (2020): nearly every fault shows in two
// consecutive bytes, of which three tables, each read by four bits, name the
// faults they may be a part of; where all three name the same, it is there.
// What must be the third or fourth byte of a character is found by the lead
// two or three bytes before.
package vector

import "unicode/utf8"

// Escapes are the escapes of the ASCII characters: the first byte lowest, and
// the length, at most seven, in the highest byte.
type Escapes [utf8.RuneSelf]uint64

// whole returns n, or less if a character of s begins before n and ends
// after; s[:n] is UTF-8 but for that.
func whole(s string, n int) int {
	for i := n - 1; i >= 0 && i >= n-utf8.UTFMax; i-- {
		switch c := s[i]; {
		case c < utf8.RuneSelf:
			return n
		case c < 0xC0:
			continue
		case c < 0xE0 && i+2 > n, 0xE0 <= c && c < 0xF0 && i+3 > n, 0xF0 <= c && i+4 > n:
			return i
		}
		return n
	}
	return n
}
