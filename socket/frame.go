package socket

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

const (
	maxControl = ws.MaxControlFramePayloadSize
	noStatus   = uint16(ws.StatusNoStatusRcvd)
)

// AppendText appends payload to dst as one complete text frame of a server:
// final and not masked (RFC 6455 §5.2). Frames may be concatenated. The payload
// must be UTF-8; it is copied.
func AppendText(dst, payload []byte) []byte { return appendFrame(dst, ws.OpText, payload) }

// AppendBinary is [AppendText] for a binary frame.
func AppendBinary(dst, payload []byte) []byte { return appendFrame(dst, ws.OpBinary, payload) }

func appendFrame(dst []byte, op ws.OpCode, payload []byte) []byte {
	dst = append(dst, 0x80|byte(op))
	switch n := len(payload); {
	case n <= 125:
		dst = append(dst, byte(n))
	case n <= 0xffff:
		dst = append(dst, 126, byte(n>>8), byte(n))
	default:
		dst = append(dst, 127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	return append(dst, payload...)
}

// parseHeader decodes the frame header at the start of b and returns its
// length, 0 if b does not hold all of it. It checks what concerns the encoding
// alone; [ws.CheckHeader] checks the rest.
func parseHeader(b []byte) (h ws.Header, n int, err error) {
	if len(b) < 2 {
		return h, 0, nil
	}
	h.Fin = b[0]&0x80 != 0
	h.Rsv = b[0] >> 4 & 7
	h.OpCode = ws.OpCode(b[0] & 0x0f)
	h.Masked = b[1]&0x80 != 0
	h.Length = int64(b[1] & 0x7f)
	n = 2
	switch h.Length {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	mask := n
	if h.Masked {
		n += 4
	}
	if len(b) < n {
		return h, 0, nil
	}
	switch h.Length {
	case 126:
		h.Length = int64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		h.Length = int64(binary.BigEndian.Uint64(b[2:]))
		if h.Length < 0 {
			return h, n, ws.ErrHeaderLengthMSB
		}
	}
	if h.Masked {
		copy(h.Mask[:], b[mask:])
	}
	return h, n, nil
}

// closeFrame returns a close frame (RFC 6455 §5.5.1) with code and as much of
// reason as fits, cut between runes. A code that must not be sent is left out.
func closeFrame(code uint16, reason string) []byte {
	if !validCode(code) {
		return appendFrame(nil, ws.OpClose, nil)
	}
	if len(reason) > maxControl-2 {
		n := maxControl - 2
		for n > 0 && !utf8.RuneStart(reason[n]) {
			n--
		}
		reason = reason[:n]
	}
	body := binary.BigEndian.AppendUint16(make([]byte, 0, maxControl), code)
	return appendFrame(nil, ws.OpClose, append(body, reason...))
}

// validCode reports whether a close frame may carry code: those that RFC 6455
// §7.4.1 defines for the wire, 1012 to 1014 from the IANA registry, and those
// of libraries and applications (§7.4.2).
func validCode(code uint16) bool {
	switch ws.StatusCode(code) {
	case ws.StatusNoMeaningYet, ws.StatusNoStatusRcvd, ws.StatusAbnormalClosure:
		return false
	}
	return 1000 <= code && code <= 1014 || 3000 <= code && code <= 4999
}
