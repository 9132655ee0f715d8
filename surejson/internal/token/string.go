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
	buf := slices.Grow(dst, len(s)+slack)
	buf = buf[:cap(buf)]
	buf[n] = '"'
	n++
	valid = true
	i := 0
	for i < len(s) {
		for i+8 <= len(s) {
			w := load64(s, i)
			binary.LittleEndian.PutUint64(buf[n:], w)
			hit := attention(w)
			if hit != 0 {
				k := firstByte(hit)
				i += k
				n += k
				break
			}
			i += 8
			n += 8
		}
		for i < len(s) {
			c := s[i]
			if c >= utf8.RuneSelf {
				size, escaped := multibyte(s[i:])
				if size == 0 || escaped {
					buf = reserve(buf, n, len(s)-i)
					var k int
					if n, k = escapeRune(buf, n, s[i:]); k == 0 {
						valid, k = false, 1
					}
					i += k
					continue
				}
				// A word at once where the string goes on: what is beyond
				// the character is overwritten next.
				if i+4 <= len(s) {
					binary.LittleEndian.PutUint32(buf[n:], load32(s, i))
				} else {
					copy(buf[n:], s[i:i+size])
				}
				i += size
				n += size
				continue
			}
			if !plain[c] {
				buf = reserve(buf, n, len(s)-i)
				n = escapeByte(buf, n, c)
				i++
				continue
			}
			buf[n] = c
			n++
			i++
			if len(s)-i >= 8 {
				break
			}
		}
	}
	buf[n] = '"'
	return buf[:n+1], valid
}

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
