package scan

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/surewire/surewire/surejson/internal/token"
)

// str copies a string, from quote to quote. Runs of bytes that need nothing
// are copied at once.
func (s *scanner) str() error {
	begin, start, repaired := len(s.dst), s.i, false
	s.i++
	for {
		s.i += plainRun(s.src[s.i:])
		if s.i >= len(s.src) {
			return s.fail("no end of string")
		}
		switch c := s.src[s.i]; {
		case c == '"':
			s.i++
			s.copy(start)
			if repaired && s.cut == 0 {
				s.marks = append(s.marks, Mark{begin, InvalidUTF8})
			}
			return nil
		case c == '\\':
			n := escapeLen(s.src[s.i:])
			if n == 0 {
				return s.fail("a malformed escape")
			}
			s.i += n
		case c < ' ':
			return s.fail("a control character")
		case c < utf8.RuneSelf:
			if s.i++; s.limits.HTML && token.IsHTML(c) {
				s.replace(start, 1, [6]byte{'\\', 'u', '0', '0', c>>4 + '0', "0123456789abcdef"[c&0xF]})
				start = s.i
			}
		default:
			start = s.rune(start, &repaired)
		}
	}
}

// rune passes over one character beyond ASCII and returns where the bytes
// not yet copied start.
func (s *scanner) rune(start int, repaired *bool) int {
	r, n := utf8.DecodeRune(s.src[s.i:])
	s.i += n
	if r == utf8.RuneError && n == 1 {
		*repaired = true
		s.replace(start, 1, [6]byte{'\\', 'u', 'f', 'f', 'f', 'd'})
		return s.i
	}
	if s.limits.HTML && r&^1 == 0x2028 {
		s.replace(start, n, [6]byte{'\\', 'u', '2', '0', '2', byte('8' + r&1)})
		return s.i
	}
	return start
}

// copy copies from start up to the next byte.
func (s *scanner) copy(start int) {
	if s.cut == 0 {
		s.dst = append(s.dst, s.src[start:s.i]...)
	}
}

// replace copies from start up to the next byte, the last n bytes of it as
// an escape.
func (s *scanner) replace(start, n int, escape [6]byte) {
	if s.cut == 0 {
		s.dst = append(s.dst, s.src[start:s.i-n]...)
		s.dst = append(s.dst, escape[:]...)
	}
}

// plainRun returns how many bytes of b are ASCII that stands in any string
// as it is.
func plainRun(b []byte) int {
	const each, top = 0x0101010101010101, 0x8080808080808080
	n := 0
	for n+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[n:])
		hit := (w - each*0x20) | ((w ^ each*'"') - each) | ((w ^ each*'\\') - each) | w
		html := ((w ^ each*'<') - each) | ((w ^ each*'>') - each) | ((w ^ each*'&') - each)
		if (hit|html)&top != 0 {
			break
		}
		n += 8
	}
	for n < len(b) && isPlain(b[n]) {
		n++
	}
	return n
}

// isPlain reports whether c stands in any string as it is.
func isPlain(c byte) bool {
	return c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' && !token.IsHTML(c)
}

// escapeLen returns the length of the escape that starts b, 0 if none does.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) >= 6 && isHex(b[2]) && isHex(b[3]) && isHex(b[4]) && isHex(b[5]) {
			return 6
		}
	}
	return 0
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
