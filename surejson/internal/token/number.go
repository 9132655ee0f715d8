package token

import (
	"math"
	"strconv"
)

// MaxSafe is 2^53: integers up to it are exact in every JSON reader, also
// in those that read numbers as IEEE 754 doubles (RFC 8259, section 6).
const MaxSafe = 1 << 53

// AppendFloat appends a finite float of the given size (32 or 64 bits) in
// the shortest form that reads back as the same.
func AppendFloat(dst []byte, f float64, size int) []byte {
	abs := math.Abs(f)
	exact := float64(1 << 53) // below it, digits of an integer are its shortest form
	if size == 32 {
		exact = 1 << 24
	}
	if abs < exact && f == math.Trunc(f) && (f != 0 || !math.Signbit(f)) {
		return strconv.AppendInt(dst, int64(f), 10)
	}
	if size == 64 && abs < 1e9 && abs >= 1e-3 {
		if out, ok := appendShort(dst, f); ok {
			return out
		}
	}
	format := byte('f')
	if abs != 0 {
		if size == 64 && (abs < 1e-6 || abs >= 1e21) || size == 32 && (float32(abs) < 1e-6 || float32(abs) >= 1e21) {
			format = 'e'
		}
	}
	dst = strconv.AppendFloat(dst, f, format, -1, size)
	if format == 'e' {
		// e-09 is written e-9.
		if n := len(dst); n >= 4 && dst[n-4] == 'e' && (dst[n-3] == '-' || dst[n-3] == '+') && dst[n-2] == '0' {
			dst[n-2] = dst[n-1]
			dst = dst[:n-1]
		}
	}
	return dst
}

// appendShort appends a float that has at most three decimals. A decimal of
// up to 15 digits that reads as f is the only one, hence the shortest form.
func appendShort(dst []byte, f float64) (out []byte, ok bool) {
	scaled := int64(f * 1000)
	if float64(scaled)/1000 != f {
		return dst, false
	}
	if f < 0 {
		dst = append(dst, '-')
		scaled = -scaled
	}
	whole, part := scaled/1000, uint32(scaled%1000)
	dst = strconv.AppendInt(dst, whole, 10)
	digits := [4]byte{'.', byte('0' + part/100), byte('0' + part/10%10), byte('0' + part%10)}
	n := 4
	for digits[n-1] == '0' {
		n--
	}
	return append(dst, digits[:n]...), true
}

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
		i = digits(s, i)
	default:
		return 0, false
	}
	integer = true
	if i < len(s) && s[i] == '.' {
		end := digits(s, i+1)
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
		end := digits(s, i)
		if end == i {
			return 0, false
		}
		i, integer = end, false
	}
	return i, integer
}

// digits returns the index of the first byte of s from i that is no digit.
func digits[T string | []byte](s T, i int) int {
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
