package token

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// MaxSafe is 2^53: integers up to it are exact in every JSON reader, also
// in those that read numbers as IEEE 754 doubles (RFC 8259, section 6).
const MaxSafe = 1 << 53

// NumberLen returns the length of the JSON number that starts s and whether
// it is an integer; n is 0 if there is none.
func NumberLen[T string | []byte](s T) (n int, integer bool) {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	switch {
	case i == len(s):
		return 0, false
	case s[i] == '0':
		i++
	case '1' <= s[i] && s[i] <= '9':
		i = digitsEnd(s, i)
	default:
		return 0, false
	}
	integer = true
	if i < len(s) && s[i] == '.' {
		end := digitsEnd(s, i+1)
		if end == i+1 {
			return 0, false
		}
		i, integer = end, false
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		end := digitsEnd(s, i)
		if end == i {
			return 0, false
		}
		i, integer = end, false
	}
	return i, integer
}

// digitsEnd returns the index of the first byte of s from i that is no digit.
func digitsEnd[T string | []byte](s T, i int) int {
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return i
}

// Safe reports whether the JSON integer s is within ±2^53.
func Safe[T string | []byte](s T) bool {
	if s[0] == '-' {
		s = s[1:]
	}
	const limit = "9007199254740992"
	return len(s) < len(limit) || len(s) == len(limit) && string(s) <= limit
}

// AppendInt appends i.
func AppendInt(dst []byte, i int64) []byte {
	u := uint64(i)
	if i < 0 {
		dst, u = append(dst, '-'), -u
	}
	return AppendUint(dst, u)
}

// AppendUint appends u.
func AppendUint(dst []byte, u uint64) []byte {
	n := len(dst)
	dst = slices.Grow(dst, 8)
	buf := dst[:n+8]
	switch {
	case u < 10:
		buf[n] = '0' + byte(u)
		return buf[:n+1]
	case u < 1e4:
		w := fourDigits(uint32(u))
		skip := leadingZeros(uint64(w))
		put32(buf, n, w>>(8*skip))
		return buf[:n+4-skip]
	case u < 1e8:
		w := eightDigits(uint32(u))
		skip := leadingZeros(w)
		put64(buf, n, w>>(8*skip))
		return buf[:n+8-skip]
	}
	high := u / 1e8
	dst = AppendUint(dst, high)
	return binary.LittleEndian.AppendUint64(dst, eightDigits(uint32(u-high*1e8)))
}

// fourDigits returns the four decimal digits of d, the highest in the lowest
// byte. It divides by 100, then the halves by 10, each with a multiplication.
func fourDigits(d uint32) uint32 {
	hundreds := d * 5243 >> 19
	w := hundreds | (d-hundreds*100)<<16
	tens := w * 103 >> 10 & 0x000F000F
	return tens | (w-tens*10)<<8 | eachByte*'0'&(1<<32-1)
}

// eightDigits returns the eight decimal digits of d, the highest in the
// lowest byte. It divides by 10000, then the halves by 100, then the quarters
// by 10, each with a multiplication.
func eightDigits(d uint32) uint64 {
	q := d / 10000
	w := uint64(q) | uint64(d-q*10000)<<32
	hundreds := w * 5243 >> 19 & 0x0000007F0000007F
	w = hundreds | (w-hundreds*100)<<16
	tens := w * 103 >> 10 & 0x000F000F000F000F
	return tens | (w-tens*10)<<8 | eachByte*'0'
}

// trailingZeros returns how many of the eight decimal digits in w are zeros at
// the end.
func trailingZeros(w uint64) int { return bits.LeadingZeros64(w^eachByte*'0') / 8 }

// leadingZeros returns how many of the four or eight decimal digits in w are
// zeros at the start; the last of eight does not count.
func leadingZeros(w uint64) int { return bits.TrailingZeros64(w^eachByte*'0'|1<<56) / 8 }
