package vector

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// standing is Copy, character by character.
func standing(s string, html bool) int {
	for i := 0; ; {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case n == 0, r == utf8.RuneError && n == 1, r < ' ', r == '"', r == '\\', r&^1 == 0x2028, html && strings.ContainsRune("<>&", r):
			return i
		}
		i += n
	}
}

// verify compares Copy on s, and that it writes nowhere else.
func verify(t *testing.T, s string) {
	t.Helper()
	for _, html := range []bool{false, true} {
		const edge = "edge"
		dst := make([]byte, len(s), len(s)+len(edge))
		copy(dst[len(s):cap(dst)], edge)
		want := standing(s, html)
		if got, written := Copy(dst, s, html, &escapes); got != want || written != want {
			t.Fatalf("%q (%d bytes), html %v: %d bytes stand, want %d", s, len(s), html, got, want)
		}
		if string(dst[:want]) != s[:want] || string(dst[len(s):cap(dst)]) != edge {
			t.Fatalf("%q: copied as %q", s, dst[:cap(dst)])
		}
	}
}

// escapes are such that each tells its character.
var escapes = func() (e Escapes) {
	for c := range e {
		e[c] = '\\' | uint64(c)<<8 | 2<<56
		if c < ' ' {
			e[c] = '^' | uint64(c)<<8 | '^'<<16 | uint64(c)<<24 | '^'<<32 | '^'<<40 | 6<<56
		}
	}
	return e
}()

// escaped returns s as Copy should write it, which ends before the first
// character beyond ASCII that cannot stand.
func escaped(s string, html bool) string {
	var b strings.Builder
	for s != "" {
		n := standing(s, html)
		b.WriteString(s[:n])
		if s = s[n:]; s == "" || s[0] >= utf8.RuneSelf {
			break
		}
		e := escapes[s[0]]
		for i := range e >> 56 {
			b.WriteByte(byte(e >> (8 * i)))
		}
		s = s[1:]
	}
	return b.String()
}

// verifyEscapes compares Copy on s with room for escapes.
func verifyEscapes(t *testing.T, s string, html bool) {
	t.Helper()
	const edge = "edge"
	want := standing(s, html)
	for _, room := range []int{15, 16, 20, 5*len(s) + 16} {
		dst := make([]byte, len(s)+room, len(s)+room+len(edge))
		copy(dst[len(s)+room:cap(dst)], edge)
		read, written := Copy(dst, s, html, &escapes)
		if read < want || read > len(s) || escaped(s[:read], html) != string(dst[:written]) || string(dst[len(dst):cap(dst)]) != edge {
			t.Fatalf("%q (%d bytes), html %v, room for %d: read %d, wrote %q", s, len(s), html, room, read, dst[:written])
		}
		if room < 16 && read != want {
			t.Fatalf("%q (%d bytes), html %v: escaped without room", s, len(s), html)
		}
	}
}

// Text full of escapes is read to within a block of its end.
func TestCopyEscapes(t *testing.T) {
	needVectors(t)
	if _, written := Copy(make([]byte, 500), strings.Repeat("\"", 100), false, &escapes); written == 0 {
		t.Skip("escapes are left to others")
	}
	for n := Least; n < 300; n++ {
		s := strings.Repeat("line of \"output\"\n\x01", 20)[:n]
		dst := make([]byte, 6*n+16)
		if read, _ := Copy(dst, s, false, &escapes); read <= n-32 {
			t.Errorf("%q: read only %d of %d bytes", s, read, n)
		}
		verifyEscapes(t, s, false)
	}
}

func needVectors(t testing.TB) {
	if Least > 1000 {
		t.Skip("no vector instructions")
	}
}

// pieces are characters and faults of every kind, at the edges of what is
// valid.
var pieces = []string{
	"a", "~", " ", "\x7f", "\"", "\\", "\x1f", "\x00", "\n", "<", ">", "&", "'",
	"\u0080", "é", "\u07ff", "\u0800", "日", "\u2027", "\u2028", "\u2029", "\u202a", "\u3028", "\u1029", "\u20a8", "\ud7ff", "\ue000", "\uffff",
	"\U00010000", "😀", "\U0010ffff", "\U00020029",
	"\x80", "\xbf", "\xc0", "\xc1", "\xc2", "\xdf", "\xe0", "\xed", "\xef", "\xf0", "\xf4", "\xf5", "\xf8", "\xff",
	"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
	"\xe2\x80", "\xf0\x9f", "\xf0\x9f\x98", "\xe2\x80\xa8\x80", "é\x80",
}

// Every pair of bytes, and every lead with what may follow.
func TestCopyBytes(t *testing.T) {
	needVectors(t)
	text := []byte(strings.Repeat("abcdefgh", 16))
	for _, at := range []int{0, 5, 30, 31, 60} {
		for a := range 256 {
			for b := range 256 {
				s := append([]byte(nil), text[:40+at]...)
				s[at], s[at+1] = byte(a), byte(b)
				verify(t, string(s))
				if a < 0xE0 || b&0xC0 != 0x80 {
					continue
				}
				for _, c := range []byte{'a', 0x7f, 0x80, 0x8f, 0x90, 0xa7, 0xa8, 0xa9, 0xaa, 0xbf, 0xc0, 0xe2, 0xff} {
					s[at+2] = c
					for _, d := range []byte{'a', 0x80, 0xa8, 0xbf, 0xc3} {
						s[at+3] = d
						verify(t, string(s))
					}
				}
			}
		}
	}
}

// Every piece at every place of texts of every length up to four blocks.
func TestCopyPlaces(t *testing.T) {
	needVectors(t)
	for _, base := range []string{"x", "é", "日", "😀"} {
		long := strings.Repeat(base, 140)
		for n := Least; n <= 132; n++ {
			verify(t, long[:n])
			for i, p := range pieces {
				for at := i % 3; at+len(p) <= n; at += 3 {
					s := long[:at] + p + long[at+len(p):n]
					verify(t, s)
					if n%5 == 0 {
						verifyEscapes(t, s, i%2 == 0)
					}
				}
			}
		}
	}
}

func FuzzCopy(f *testing.F) {
	needVectors(f)
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		f.Add(randomText(r), uint8(r.IntN(64)))
	}
	f.Fuzz(func(t *testing.T, s string, shift uint8) {
		for len(s) < Least {
			s += "Привет, мир! "
		}
		verify(t, s)
		// The same further on, after text that is good and that may be cut.
		verify(t, strings.Repeat("y", int(shift))+s)
		verify(t, strings.Repeat("abé日😀", 6)[:shift%64]+s)
		verifyEscapes(t, strings.Repeat("y<\"", 20)[:shift%60]+s, shift%2 == 0)
	})
}

// randomText mixes long runs that stand with one or two pieces.
func randomText(r *rand.Rand) string {
	var b strings.Builder
	for b.Len() < Least+r.IntN(100) {
		if r.IntN(12) == 0 {
			b.WriteString(pieces[r.IntN(len(pieces))])
			continue
		}
		b.WriteString([]string{"plain text", "é", "日本", "😀", "Привет", "x"}[r.IntN(6)])
	}
	return b.String()
}
