package token

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
