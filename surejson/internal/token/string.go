// Package token appends single JSON tokens (strings, numbers, times) to a
// buffer, byte for byte as encoding/json writes them.
package token

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// Masks for eight bytes at once.
const (
	eachByte = 0x0101010101010101
	topBits  = 0x8080808080808080
)

// slack is the room kept beyond the rest of the string: one word that is
// stored whole although only its head counts, and the longest escape.
const slack = 16

// AppendString appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD each, and then valid is false. With html, the characters <, > and &
// are escaped as well.
func AppendString(dst []byte, s string, html bool) (out []byte, valid bool) {
	if html {
		return appendSlowly(dst, s)
	}
	n := len(dst)
	if cap(dst)-n < len(s)+slack {
		dst = slices.Grow(dst, len(s)+slack)
	}
	buf := dst[:cap(dst)]
	buf[n] = '"'
	n++
	valid = true
	for i := 0; ; {
		i, n = copyPlain(buf, n, s, i)
		if i == len(s) {
			buf[n] = '"'
			return buf[:n+1], valid
		}
		if i, n = copyLong(buf, n, s, i); i == len(s) || s[i] < utf8.RuneSelf && plain[s[i]] {
			continue
		}
		buf = reserve(buf, n, len(s)-i)
		if s[i] < utf8.RuneSelf {
			n = escapeByte(buf, n, s[i])
			i++
			continue
		}
		var size int
		if n, size = escapeRune(buf, n, s[i:]); size == 0 {
			valid, size = false, 1
		}
		i += size
	}
}

// copyPlain copies the ASCII characters from i on that stand as they are.
func copyPlain(buf []byte, n int, s string, i int) (int, int) {
	for len(s)-i >= 8 {
		w := load64(s, i)
		binary.LittleEndian.PutUint64(buf[n:], w)
		if hit := attention(w); hit != 0 {
			k := firstByte(hit)
			return i + k, n + k
		}
		i += 8
		n += 8
	}
	rest := len(s) - i
	if rest < 4 {
		for i < len(s) && plain[s[i]] {
			buf[n] = s[i]
			i++
			n++
		}
		return i, n
	}
	// Four to seven bytes, from two loads that may overlap, and spaces.
	w := uint64(load32(s, i)) | uint64(load32(s, len(s)-4))<<(8*(rest-4)) | eachByte*' '<<(8*rest)
	binary.LittleEndian.PutUint64(buf[n:], w)
	if hit := attention(w); hit != 0 {
		rest = firstByte(hit)
	}
	return i + rest, n + rest
}

// copyLong copies the valid characters of several bytes from i on, and single
// ASCII characters that stand as they are among them.
func copyLong(buf []byte, n int, s string, i int) (int, int) {
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			if !plain[c] || i+1 < len(s) && s[i+1] < utf8.RuneSelf {
				break
			}
			buf[n] = c
			i++
			n++
			continue
		}
		if len(s)-i >= 8 {
			w := load64(s, i)
			if k := knownLong(w); k > 0 {
				binary.LittleEndian.PutUint64(buf[n:], w)
				i += k
				n += k
				continue
			}
		}
		size, escaped := multibyte(s[i:])
		if size == 0 || escaped {
			break
		}
		n += copy(buf[n:], s[i:i+size])
		i += size
	}
	return i, n
}

// knownLong returns how many bytes at the start of w are characters of one
// size that are surely valid and need no escape: 4 of two bytes, or 2 or 1
// of three bytes; 0 if it is not sure of the first.
func knownLong(w uint64) int {
	if w&0xC0F0 == 0x80E0 {
		// Of three bytes, as long as the lead is not E0, E2 or ED, which
		// begin overlong forms, U+2028 and surrogates.
		if w&0xC0C0F0 != 0x8080E0 || hard3>>(w&0xF)&1 != 0 {
			return 0
		}
		if w&0xC0C0F0000000 != 0x8080E0000000 || hard3>>(w>>24&0xF)&1 != 0 {
			return 3
		}
		return 6
	}
	// Of two bytes, as long as the lead is not C0 or C1.
	if w&0xC0E0C0E0C0E0C0E0 == 0x80C080C080C080C0 && (w&0x001E001E001E001E+0x007E007E007E007E)&0x0080008000800080 == 0x0080008000800080 {
		return 8
	}
	if w&0xC0E0 == 0x80C0 && w&0x1E != 0 {
		return 2
	}
	return 0
}

// hard3 has the bits of the low halves of the leads E0, E2 and ED.
const hard3 = 1<<0x0 | 1<<0x2 | 1<<0xD

// reserve returns buf with room for rest more bytes and the slack after n.
func reserve(buf []byte, n, rest int) []byte {
	if len(buf)-n >= rest+2*slack {
		return buf
	}
	buf = slices.Grow(buf[:n], rest+rest/4+4*slack)
	return buf[:cap(buf)]
}

// attention has a top bit set at the first byte of w that cannot be copied
// as it is: a control, a quote, a backslash or a part of a longer character.
// Borrows can only set bits above that byte.
func attention(w uint64) uint64 {
	return ((w - eachByte*0x20) | ((w ^ eachByte*'"') - eachByte) | ((w ^ eachByte*'\\') - eachByte) | w) & topBits
}

// multibyte returns the size of the character of several bytes that starts
// s, 0 if it is not UTF-8, and whether JSON in JavaScript needs it escaped.
func multibyte(s string) (size int, escaped bool) {
	c := s[0]
	switch {
	case c < 0xC2:
		return 0, false
	case c < 0xE0:
		if len(s) < 2 || s[1]&0xC0 != 0x80 {
			return 0, false
		}
		return 2, false
	case c < 0xF0:
		if len(s) < 3 || s[1]&0xC0 != 0x80 || s[2]&0xC0 != 0x80 {
			return 0, false
		}
		r := uint32(c&0x0F)<<12 | uint32(s[1]&0x3F)<<6 | uint32(s[2]&0x3F)
		if r < 0x800 || r-0xD800 < 0x800 {
			return 0, false
		}
		return 3, r&^1 == 0x2028
	}
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError {
		return 0, false
	}
	return n, false
}

// escapeRune writes the escape of the character that starts s, or that of
// U+FFFD, consuming nothing, if there is none.
func escapeRune(buf []byte, n int, s string) (end, size int) {
	if k, _ := multibyte(s); k == 3 {
		return n + copy(buf[n:], `\u202`+hexDigits[s[2]&0xF:s[2]&0xF+1]), 3
	}
	return n + copy(buf[n:], `\ufffd`), 0
}

// escapeByte writes the escape of an ASCII character.
func escapeByte(buf []byte, n int, c byte) int {
	short := byte(0)
	switch c {
	case '"', '\\':
		short = c
	case '\b':
		short = 'b'
	case '\f':
		short = 'f'
	case '\n':
		short = 'n'
	case '\r':
		short = 'r'
	case '\t':
		short = 't'
	}
	if short != 0 {
		buf[n], buf[n+1] = '\\', short
		return n + 2
	}
	n += copy(buf[n:], `\u00`)
	buf[n], buf[n+1] = hexDigits[c>>4], hexDigits[c&0xF]
	return n + 2
}

// appendSlowly is AppendString with HTML characters escaped.
func appendSlowly(dst []byte, s string) (out []byte, valid bool) {
	dst = append(dst, '"')
	valid = true
	var esc [8]byte
	for start, i := 0, 0; ; {
		if i == len(s) {
			dst = append(dst, s[start:]...)
			return append(dst, '"'), valid
		}
		c := s[i]
		size, n := 1, 0
		switch {
		case c >= utf8.RuneSelf:
			k, escaped := multibyte(s[i:])
			if k != 0 && !escaped {
				i += k
				continue
			}
			if n, size = escapeRune(esc[:], 0, s[i:]); size == 0 {
				valid, size = false, 1
			}
		case plain[c] && !IsHTML(c):
			i++
			continue
		default:
			n = escapeByte(esc[:], 0, c)
		}
		dst = append(dst, s[start:i]...)
		dst = append(dst, esc[:n]...)
		i += size
		start = i
	}
}

// IsHTML reports whether c is escaped for the sake of HTML.
func IsHTML(c byte) bool { return c == '<' || c == '>' || c == '&' }

// plain tells the ASCII characters that stand in a JSON string as they are.
var plain = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()
