//go:build !purego && (amd64 || arm64)

package vector

// Copy copies the first bytes of s to dst: all whole characters before the
// first that cannot stand in a JSON string as it is. Those are quotes,
// backslashes, controls, U+2028, U+2029, what is not UTF-8, and with html also
// <, > and &. It returns how many bytes they are. s has at least [Least]
// bytes, and dst as many as s, all of which may be overwritten.
func Copy(dst []byte, s string, html bool) int {
	_ = dst[len(s)-1]
	return whole(s, copyBlocks(dst, s, html))
}

// copyBlocks is Copy, but for a character at the end of which only the first
// bytes are good: these count.
//
//go:noescape
func copyBlocks(dst []byte, s string, html bool) int
