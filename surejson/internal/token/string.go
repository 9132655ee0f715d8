// Package token appends single JSON tokens (strings, numbers, times) to a
// buffer, byte for byte as encoding/json writes them.
package token

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/surewire/surewire/surejson/internal/vector"
)

const hexDigits = "0123456789abcdef"

// Masks for eight bytes at once.
const (
	eachByte = 0x0101010101010101
	topBits  = 0x8080808080808080
)

// wide is the length from which ASCII is faster by vectors than by words.
const wide = 40

// slack is the room kept beyond the rest of the string: one word that is
// stored whole although only its head counts, and the longest escape.
const slack = 16

// AppendString appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD each, and then valid is false. With html, the characters <, > and &
// are escaped as well.
func AppendString(dst []byte, s string, html bool) (out []byte, valid bool) {
	n := len(dst)
	if cap(dst)-n < len(s)+slack {
		dst = slices.Grow(dst, len(s)+slack)
	}
	buf := dst[:cap(dst)]
	buf[n] = '"'
	n++
	end := n + len(s)
	switch {
	case html || len(s) >= wide && len(s) >= vector.Least:
		return appendRest(buf, n, s, 0, html)
	case len(s) >= 8:
		// The last word overlaps the one before, and ends with s.
		for i, last := 0, len(s)-8; ; i = min(i+8, last) {
			w := load64(s, i)
			put64(buf, n+i, w)
			if hit := attention(w); hit != 0 {
				k := i + firstByte(hit)
				return appendRest(buf, n+k, s, k, false)
			}
			if i == last {
				break
			}
		}
	case len(s) >= 4:
		// Two loads that may overlap.
		last := len(s) - 4
		low, high := load32(s, 0), load32(s, last)
		put32(buf, n, low)
		put32(buf, n+last, high)
		if attention(uint64(low)|uint64(high)<<32) != 0 {
			return appendRest(buf, n, s, 0, false)
		}
	default:
		for i := range len(s) {
			if buf[n+i] = s[i]; !plain[s[i]] {
				return appendRest(buf, n, s, 0, false)
			}
		}
	}
	buf[end] = '"'
	return buf[:end+1], true
}

// appendRest goes on at byte i of s, which may need an escape, and byte n of
// buf.
func appendRest(buf []byte, n int, s string, i int, html bool) (out []byte, valid bool) {
	valid = true
	for {
		if len(s)-i >= vector.Least {
			read, written := vector.Copy(buf[n:], s[i:], html, &escapes)
			i, n = i+read, n+written
		}
		if len(s)-i < vector.Least {
			i, n = copyValid(buf, n, s, i, html)
		}
		if i == len(s) {
			buf[n] = '"'
			return buf[:n+1], valid
		}
		buf = reserve(buf, n, len(s)-i)
		if s[i] < utf8.RuneSelf {
			put64(buf, n, escapes[s[i]])
			n += int(escapes[s[i]] >> 56)
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

// copyValid copies the characters from i on that stand as they are.
func copyValid(buf []byte, n int, s string, i int, html bool) (int, int) {
	for len(s)-i >= 8 {
		w := load64(s, i)
		put64(buf, n, w)
		k := 8
		if w&0x80 != 0 {
			k = longRun(w)
		} else {
			hit := attention(w)
			if html {
				hit |= htmlAttention(w)
			}
			if hit != 0 {
				k = firstByte(hit)
			}
		}
		if k == 0 {
			return i, n
		}
		i += k
		n += k
	}
	for i < len(s) {
		size := 1
		if s[i] >= utf8.RuneSelf {
			var escaped bool
			if size, escaped = multibyte(s[i:]); size == 0 || escaped {
				break
			}
		} else if !plain[s[i]] || html && IsHTML(s[i]) {
			break
		}
		for range size {
			buf[n] = s[i]
			i++
			n++
		}
	}
	return i, n
}

// longRun returns how many bytes at the start of w are characters of several
// bytes, all of one size, that are valid and need no escape.
func longRun(w uint64) int {
	switch {
	case w&0xC0C0F0 == 0x8080E0:
		if !threeStands(w) {
			return 0
		}
		if next := w >> 24; next&0xC0C0F0 == 0x8080E0 && threeStands(next) {
			return 6
		}
		return 3
	case w&0xC0E0 == 0x80C0:
		const leads, four = 0x001E001E001E001E, 0x80C080C080C080C0
		// The leads C0 and C1 would be overlong forms.
		if w&0xC0E0C0E0C0E0C0E0 == four && (w&leads+0x007E007E007E007E)&0x0080008000800080 == 0x0080008000800080 {
			return 8
		}
		if w&0x1E != 0 {
			return 2
		}
	case w&0xC0C0C0F8 == 0x808080F0:
		second := w >> 8 & 0x30 // F0 is overlong without these bits, F4 is beyond U+10FFFF with them
		if lead := w & 7; lead == 0 && second != 0 || 0 < lead && lead < 4 || lead == 4 && second == 0 {
			return 4
		}
	}
	return 0
}

// threeStands reports whether the character of three bytes at the start of w
// is valid and needs no escape: no overlong form, surrogate or line separator.
func threeStands(w uint64) bool {
	switch w & 0xF {
	case 0x0:
		return w&0x2000 != 0
	case 0xD:
		return w&0x2000 == 0
	case 0x2:
		return w&0xFEFFFF != 0xA880E2
	}
	return true
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
	// Of the bytes with one bit changed, controls and the quote are the lowest.
	const change, quote = 0x02, '"' ^ 0x02
	return (((w ^ eachByte*change) - eachByte*(quote+1)) | ((w ^ eachByte*'\\') - eachByte) | w) & topBits
}

// htmlAttention is attention for the characters escaped for the sake of HTML.
func htmlAttention(w uint64) uint64 {
	return (((w ^ eachByte*'<') - eachByte) | ((w ^ eachByte*'>') - eachByte) | ((w ^ eachByte*'&') - eachByte)) & topBits
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

// escapes are the escapes of all ASCII characters.
var escapes = func() (e vector.Escapes) {
	for c := range e {
		text := []byte(`\u00` + hexDigits[c>>4:c>>4+1] + hexDigits[c&0xF:c&0xF+1])
		if k := strings.IndexByte("\"\\\b\f\n\r\t", byte(c)); k >= 0 {
			text = []byte{'\\', `"\bfnrt`[k]}
		}
		var word [8]byte
		word[7] = byte(copy(word[:], text))
		e[c] = binary.LittleEndian.Uint64(word[:])
	}
	return e
}()

// Valid reports whether s is UTF-8; for short ASCII it is quick.
func Valid(s string) bool {
	i := 0
	for ; len(s)-i >= 8; i += 8 {
		if load64(s, i)&topBits != 0 {
			return utf8.ValidString(s[i:])
		}
	}
	for ; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return utf8.ValidString(s[i:])
		}
	}
	return true
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

// A Head is what stands before a value: a comma, or a member's name after the
// comma, with quotes and colon.
type Head struct {
	text  string
	first [headSize]byte // the start of text, at a size that is cheap to copy
}

const headSize = 24

// NewHead returns the Head of a member called name.
func NewHead(name string, html bool) Head {
	b, _ := AppendString([]byte{','}, name, html)
	return headOf(string(append(b, ':')))
}

func headOf(text string) Head {
	h := Head{text: text}
	copy(h.first[:], text)
	return h
}

// The Heads of elements, and of values whose Head was written.
var (
	Comma = headOf(",")
	None  = headOf("")
)

// Len returns the length of the Head.
func (h *Head) Len() int { return len(h.text) }

// Append appends the Head to dst.
func (h *Head) Append(dst []byte) []byte {
	n := len(dst)
	if len(h.text) > headSize || cap(dst)-n < headSize {
		return append(dst, h.text...)
	}
	*(*[headSize]byte)(dst[n : n+headSize]) = h.first
	return dst[:n+len(h.text)]
}

// Plain is more than the longest string that [Head.AppendPlain] writes, with
// its Head.
const Plain = headSize + wide + slack

// AppendPlain appends the Head and s as a JSON string. With ok false it did
// nothing, since s is long or not of ASCII that stands as it is, or dst has
// no room for more.
func (h *Head) AppendPlain(dst []byte, s string, html bool) (out []byte, ok bool) {
	n := len(dst)
	if len(s) >= wide || len(h.text) > headSize || cap(dst)-n < Plain {
		return dst, false
	}
	buf := dst[:n+Plain]
	*(*[headSize]byte)(buf[n : n+headSize : n+headSize]) = h.first
	n += len(h.text)
	buf[n] = '"'
	n++
	var w, hit uint64
	switch {
	case len(s) >= 8:
		// The last word overlaps the one before, and ends with s.
		last := len(s) - 8
		for i := 0; i < last; i += 8 {
			w = load64(s, i)
			put64(buf, n+i, w)
			hit |= attention(w)
			if html {
				hit |= htmlAttention(w)
			}
		}
		w = load64(s, last)
		put64(buf, n+last, w)
	case len(s) >= 4:
		// Two loads that may overlap.
		last := len(s) - 4
		low, high := load32(s, 0), load32(s, last)
		put32(buf, n, low)
		put32(buf, n+last, high)
		w = uint64(low) | uint64(high)<<32
	default:
		w = eachByte * ' '
		for i := range len(s) {
			buf[n+i] = s[i]
			w = w<<8 | uint64(s[i])
		}
	}
	if html {
		hit |= htmlAttention(w)
	}
	if hit|attention(w) != 0 {
		return dst, false
	}
	n += len(s)
	buf[n] = '"'
	return buf[:n+1], true
}
