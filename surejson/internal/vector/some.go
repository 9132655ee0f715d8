//go:build !purego && (amd64 || arm64)

package vector

// Copy copies the first bytes of s to dst: all whole characters before the
// first that cannot stand in a JSON string as it is. Those are quotes,
// backslashes, controls, U+2028, U+2029, what is not UTF-8, and with html also
// <, > and &. Where dst has more room than s needs it may go on behind such a
// character of ASCII, with its escape, as far as it finds blocks of ASCII. It
// returns how many bytes of s and of dst that are. s has at least [Least]
// bytes, and dst as many as s, all of which may be overwritten.
func Copy(dst []byte, s string, html bool, escapes *Escapes) (read, written int) {
	_ = dst[len(s)-1]
	read, written = copyBlocks(dst, s, html, escapes)
	cut := read - whole(s, read)
	return read - cut, written - cut
}
