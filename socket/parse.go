package socket

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
)

// A ProtocolError says which rule the peer broke; it is how Read fails then.
// The peer was told the same in a close frame.
type ProtocolError struct {
	Code   uint16 // close code: 1002, 1003, 1007, 1008 or 1009 (RFC 6455 §7.4.1)
	Reason string
}

// Error implements error.
func (e *ProtocolError) Error() string {
	return fmt.Sprintf("protocol error %d: %s", e.Code, e.Reason)
}

func violation(code ws.StatusCode, format string, args ...any) *ProtocolError {
	return &ProtocolError{uint16(code), fmt.Sprintf(format, args...)}
}

// An event is what a parser found.
type event uint8

const (
	needBytes event = iota // all of in was parsed
	message                // a data message, complete and unmasked
	ping
	closing // the payload was checked
)

// A parser takes a client's frames apart, however the bytes are cut (RFC 6455
// §5). It does no I/O. After an error it must not be used.
//
// Memory follows the bytes that came, never a length that a header declares.
type parser struct {
	// Static after construction.
	max     int       // longest message
	kind    ws.OpCode // of the messages that are accepted: text or binary
	deflate bool      // messages may be compressed

	in []byte // bytes to parse; owned by the caller, unmasked in place

	// began says that a message, or a control frame between messages, began
	// since the owner last cleared it.
	began bool

	// The frame that began.
	head    [ws.MaxHeaderSize]byte // its header as far as it came
	nhead   int
	header  ws.Header
	body    bool // header is complete, and left bytes of payload are to come
	left    int64
	control []byte // payload of a control frame that came in pieces

	// The message that began.
	open   bool                 // a fragment came that was not the last
	packed wsflate.MessageState // whether it is compressed
	msg    []byte               // payload that came in pieces, as far as it came
	valid  int                  // so many bytes of msg are whole runes
}

// next parses in up to the next event and removes it from in. The payload is
// valid until in's owner or the next call changes it.
func (p *parser) next() (event, []byte, error) {
	for {
		if !p.body {
			if ok, err := p.begin(); err != nil || !ok {
				return needBytes, nil, err
			}
		}
		if p.left > 0 && len(p.in) == 0 {
			return needBytes, nil, nil
		}
		e, payload, err := p.payload()
		if e != needBytes || err != nil {
			return e, payload, err
		}
	}
}

// midway reports whether part of a message came, or of a control frame.
func (p *parser) midway() bool { return p.open || p.body || p.nhead > 0 }

// begin parses the header of a frame; ok is false if in ended before it did.
func (p *parser) begin() (ok bool, err error) {
	p.began = p.began || !p.midway() && len(p.in) > 0
	b := p.in
	if p.nhead > 0 {
		b = p.head[:p.nhead+copy(p.head[p.nhead:], p.in)]
	}
	h, n, err := parseHeader(b)
	if err != nil {
		return false, violation(ws.StatusProtocolError, "%v", err)
	}
	if n == 0 {
		p.nhead = copy(p.head[:], b)
		p.in = nil
		return false, nil
	}
	p.in = p.in[n-p.nhead:]
	p.nhead = 0
	p.header, p.left, p.body = h, h.Length, true
	return true, p.check(h)
}

// check returns how h breaks the rules where it stands.
func (p *parser) check(h ws.Header) error {
	state := ws.StateServerSide
	if p.open {
		state = state.Set(ws.StateFragmented)
	}
	var err error
	if p.deflate {
		h, err = p.packed.UnsetBits(h)
	}
	if err == nil {
		err = ws.CheckHeader(h, state)
	}
	if err != nil {
		return violation(ws.StatusProtocolError, "%v", err)
	}
	if h.OpCode.IsControl() {
		return nil
	}
	if h.OpCode != ws.OpContinuation && h.OpCode != p.kind {
		if p.kind == ws.OpText {
			return violation(ws.StatusUnsupportedData, "messages must be text, not binary")
		}
		return violation(ws.StatusUnsupportedData, "messages must be binary, not text")
	}
	if h.Length > int64(p.room()-len(p.msg)) {
		return violation(ws.StatusMessageTooBig, "message is longer than %d bytes", p.max)
	}
	return nil
}

// room returns how many bytes the payload of the message that began may have.
// What cannot be compressed grows: by no more than zlib's bound, which is here.
func (p *parser) room() int {
	if p.packed.IsCompressed() {
		return p.max + (p.max+7)/8 + (p.max+63)/64 + 11
	}
	return p.max
}

// payload takes what in has of the payload of the frame that began.
func (p *parser) payload() (event, []byte, error) {
	b := p.in[:min(int64(len(p.in)), p.left)]
	p.in = p.in[len(b):]
	ws.Cipher(b, p.header.Mask, int((p.header.Length-p.left)&3))
	p.left -= int64(len(b))
	p.body = p.left > 0
	if p.header.OpCode.IsControl() {
		return p.controlFrame(b)
	}
	return p.dataFrame(b)
}

func (p *parser) controlFrame(b []byte) (event, []byte, error) {
	if p.body || p.control != nil {
		p.control = append(p.control, b...)
		b = p.control
	}
	if p.body {
		return needBytes, nil, nil
	}
	p.control = nil
	switch p.header.OpCode {
	case ws.OpPing:
		return ping, b, nil
	case ws.OpClose:
		return closing, b, checkClose(b)
	default: // A pong asks for nothing (RFC 6455 §5.5.3).
		return needBytes, nil, nil
	}
}

func (p *parser) dataFrame(b []byte) (event, []byte, error) {
	last := p.header.Fin && !p.body
	if !last || len(p.msg) > 0 {
		p.msg = append(p.msg, b...)
		b = p.msg
	}
	if !p.body {
		p.open = !p.header.Fin
	}
	if p.packed.IsCompressed() {
		if !last {
			return needBytes, nil, nil
		}
		var err *ProtocolError
		if b, err = inflateApart(b, p.max); err != nil {
			return needBytes, nil, err
		}
	}
	if p.kind == ws.OpText {
		// Checked as it comes, so that a long message fails at its first
		// bad byte and not after its last.
		n, ok := validPrefix(b[p.valid:])
		p.valid += n
		if !ok || last && p.valid < len(b) {
			return needBytes, nil, violation(ws.StatusInvalidFramePayloadData, "text is not UTF-8 at byte %d", p.valid)
		}
	}
	if !last {
		return needBytes, nil, nil
	}
	p.msg, p.valid = nil, 0
	return message, b, nil
}

// validPrefix returns how many bytes of b are whole runes. It is not ok if
// those that follow cannot become one, whatever comes.
func validPrefix(b []byte) (n int, ok bool) {
	n = len(b)
	for i := n - 1; i >= 0 && i > n-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				n = i
			}
			break
		}
	}
	if utf8.Valid(b[:n]) {
		return n, true
	}
	for n = 0; ; {
		r, size := utf8.DecodeRune(b[n:])
		if r == utf8.RuneError && size == 1 {
			return n, false
		}
		n += size
	}
}

// checkClose checks the payload of a close frame (RFC 6455 §5.5.1 and §7.4).
func checkClose(b []byte) error {
	switch {
	case len(b) == 0:
		return nil
	case len(b) == 1:
		return violation(ws.StatusProtocolError, "close frame has half a code")
	case !validCode(binary.BigEndian.Uint16(b)):
		return violation(ws.StatusProtocolError, "close code %d is not allowed", binary.BigEndian.Uint16(b))
	case !utf8.Valid(b[2:]):
		return violation(ws.StatusInvalidFramePayloadData, "close reason is not UTF-8")
	}
	return nil
}
