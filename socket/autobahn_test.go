package socket

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// An exchange is a case of the Autobahn test suite against an echo server:
// the client sends frames and receives these, then either closes with 1000 or
// was refused with a code.
type exchange struct {
	name   string // case number of Autobahn where there is one
	binary bool
	offer  string   // of permessage-deflate; the server accepts it
	max    int      // Options.MaxMessage
	send   []string // each in its own write
	want   []frame
	refuse int // close code, 0 if the client closes
}

func (x exchange) run(t *testing.T) {
	o := Options{MaxMessage: x.max, Subprotocols: []string{"bin"}}
	headers := ""
	if x.binary {
		o.Binary = []string{"bin"}
		headers = "Sec-WebSocket-Protocol: bin\r\n"
	}
	if x.offer != "" {
		o.Deflate = true
		headers += "Sec-WebSocket-Extensions: " + x.offer + "\r\n"
	}
	c, cl := open(t, o, false).dial(t, headers, "")
	if cl.deflated != (x.offer != "") {
		t.Fatalf("permessage-deflate: %v", cl.deflated)
	}
	done := echo(c)
	sent := make(chan struct{})
	go func() { // beside the reading: an echo may fill both directions
		defer close(sent)
		for _, b := range x.send {
			if _, err := cl.Write([]byte(b)); err != nil {
				return // a refused client may be cut off
			}
		}
	}()
	for _, f := range x.want {
		cl.want(f.op, f.payload)
	}
	wait(t, sent)
	if x.refuse != 0 {
		cl.wantClose(x.refuse)
		cl.Close()
		if e := new(ProtocolError); !errors.As(wait(t, done), &e) || int(e.Code) != x.refuse {
			t.Errorf("Read: %v, want a ProtocolError %d", e, x.refuse)
		}
		return
	}
	cl.send(masked(byes, code(1000, "done")))
	cl.wantClose(1000)
	if e := new(CloseError); !errors.As(wait(t, done), &e) || e.Code != 1000 || e.Reason != "done" {
		t.Errorf("Read: %v", e)
	}
}

// chop cuts s into pieces of n bytes.
func chop(s string, n int) (pieces []string) {
	for len(s) > n {
		pieces, s = append(pieces, s[:n]), s[n:]
	}
	return append(pieces, s)
}

func one(op ws.OpCode, payload string) []frame { return []frame{{op, payload}} }

func TestAutobahn(t *testing.T) {
	groups := map[string][]exchange{
		"messages": messageCases(), "pings": pingCases(), "reserved": reservedCases(), "opcodes": opcodeCases(),
		"fragments": fragmentCases(), "utf8": utf8Cases(), "closes": closeCases(), "limits": limitCases(), "deflate": deflateCases(), "deflate rules": deflateRules(),
	}
	for group, cases := range groups {
		t.Run(group, func(t *testing.T) {
			for _, x := range cases {
				t.Run(x.name, func(t *testing.T) {
					t.Parallel()
					x.run(t)
				})
			}
		})
	}
}

func messageCases() (cases []exchange) {
	const max = 70000
	for i, n := range []int{0, 125, 126, 127, 128, 65535, 65536} {
		p := strings.Repeat("*", n)
		cases = append(cases,
			exchange{name: fmt.Sprintf("1.1.%d text %d", i+1, n), max: max, send: []string{masked(text, p)}, want: one(ws.OpText, p)},
			exchange{name: fmt.Sprintf("1.2.%d binary %d", i+1, n), binary: true, max: max, send: []string{masked(bin, p)}, want: one(ws.OpBinary, p)})
	}
	p := strings.Repeat("*", 65536)
	return append(cases,
		exchange{name: "1.1.8 text 65536 in pieces of 997", max: max, send: chop(masked(text, p), 997), want: one(ws.OpText, p)},
		exchange{name: "1.2.8 binary 65536 in pieces of 997", binary: true, max: max, send: chop(masked(bin, p), 997), want: one(ws.OpBinary, p)},
		exchange{name: "text 130 byte by byte", send: chop(masked(text, p[:130]), 1), want: one(ws.OpText, p[:130])},
		exchange{name: "two in one write", send: []string{masked(text, "a") + masked(text, "b")}, want: []frame{{ws.OpText, "a"}, {ws.OpText, "b"}}},
		exchange{name: "binary on a text connection", send: []string{masked(bin, "a")}, refuse: 1003},
		exchange{name: "text on a binary connection", binary: true, send: []string{masked(text, "a")}, refuse: 1003},
		exchange{name: "unmasked", send: []string{string(AppendText(nil, []byte("a")))}, refuse: 1002},
		exchange{name: "length with its top bit set", send: []string{"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"}, refuse: 1002})
}

func pingCases() []exchange {
	p := strings.Repeat("\xfe", 125)
	return []exchange{
		{name: "2.1 empty", send: []string{masked(pings, "")}, want: one(ws.OpPong, "")},
		{name: "2.2 payload", send: []string{masked(pings, "Hello, world!")}, want: one(ws.OpPong, "Hello, world!")},
		{name: "2.3 binary payload", send: []string{masked(pings, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff")}, want: one(ws.OpPong, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff")},
		{name: "2.4 125 bytes", send: []string{masked(pings, p)}, want: one(ws.OpPong, p)},
		{name: "2.5 126 bytes", send: []string{masked(pings, p+"x")}, refuse: 1002},
		{name: "2.6 125 bytes one by one", send: chop(masked(pings, p), 1), want: one(ws.OpPong, p)},
		{name: "2.7 unasked pong", send: []string{masked(pongs, "")}},
		{name: "2.8 unasked pong with payload", send: []string{masked(pongs, "unsolicited")}},
		{name: "2.9 unasked pong then ping", send: []string{masked(pongs, "x") + masked(pings, "y")}, want: one(ws.OpPong, "y")},
	}
}

func reservedCases() (cases []exchange) {
	for rsv := range byte(7) {
		r := (rsv + 1) << 4
		cases = append(cases,
			exchange{name: fmt.Sprintf("3.%d text", rsv+1), send: []string{masked(text, "a") + masked(text|r, "b")}, want: one(ws.OpText, "a"), refuse: 1002},
			exchange{name: fmt.Sprintf("3.%d ping", rsv+1), send: chop(masked(pings|r, "b"), 1), refuse: 1002},
			exchange{name: fmt.Sprintf("3.%d close", rsv+1), send: []string{masked(byes|r, code(1000, ""))}, refuse: 1002})
	}
	return cases
}

func opcodeCases() (cases []exchange) {
	for i, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		name := fmt.Sprintf("4.%d.%d opcode %d", 1+i/5, 1+i%5, op)
		cases = append(cases,
			exchange{name: name, send: []string{masked(fin|op, "")}, refuse: 1002},
			exchange{name: name + " after text", send: []string{masked(text, "a") + masked(fin|op, "b") + masked(pings, "")}, want: one(ws.OpText, "a"), refuse: 1002})
	}
	return cases
}

func fragmentCases() []exchange {
	const first, more, last = byte(ws.OpText), byte(ws.OpContinuation), fin
	ab := masked(first, "frag1") + masked(last, "ment2")
	return []exchange{
		{name: "5.1 fragmented ping", send: []string{masked(byte(ws.OpPing), "a") + masked(last, "b")}, refuse: 1002},
		{name: "5.2 fragmented pong", send: []string{masked(byte(ws.OpPong), "a") + masked(last, "b")}, refuse: 1002},
		{name: "5.3 two fragments in one write", send: []string{ab}, want: one(ws.OpText, "frag1ment2")},
		{name: "5.4 two fragments in two writes", send: []string{masked(first, "frag1"), masked(last, "ment2")}, want: one(ws.OpText, "frag1ment2")},
		{name: "5.5 two fragments byte by byte", send: chop(ab, 1), want: one(ws.OpText, "frag1ment2")},
		{name: "5.6 ping in between", send: []string{masked(first, "a") + masked(pings, "p") + masked(last, "b")}, want: []frame{{ws.OpPong, "p"}, {ws.OpText, "ab"}}},
		{name: "5.8 ping in between byte by byte", send: chop(masked(first, "a")+masked(pings, "pp")+masked(last, "b"), 1), want: []frame{{ws.OpPong, "pp"}, {ws.OpText, "ab"}}},
		{name: "5.9 continuation of nothing", send: []string{masked(last, "a") + masked(text, "b")}, refuse: 1002},
		{name: "5.12 open continuation of nothing", send: []string{masked(more, "a") + masked(text, "b")}, refuse: 1002},
		{name: "5.15 continuation after the end", send: []string{ab + masked(more, "c") + masked(text, "d")}, want: one(ws.OpText, "frag1ment2"), refuse: 1002},
		{name: "5.18 text inside a message", send: []string{masked(first, "a") + masked(text, "b")}, refuse: 1002},
		{name: "5.19 five fragments and two pings", send: []string{masked(first, "1") + masked(more, "2") + masked(pings, "p"), masked(more, "3") + masked(more, "4") + masked(pings, "q") + masked(last, "5")}, want: []frame{{ws.OpPong, "p"}, {ws.OpPong, "q"}, {ws.OpText, "12345"}}},
		{name: "6.1.1 empty", send: []string{masked(text, "")}, want: one(ws.OpText, "")},
		{name: "6.1.2 three empty fragments", send: []string{masked(first, "") + masked(more, "") + masked(last, "")}, want: one(ws.OpText, "")},
		{name: "6.1.3 empty around one that is not", send: []string{masked(first, "") + masked(more, "x") + masked(last, "")}, want: one(ws.OpText, "x")},
		{name: "empty before the last", send: []string{masked(first, "") + masked(last, "x")}, want: one(ws.OpText, "x")},
	}
}

func utf8Cases() (cases []exchange) {
	const first, last = byte(ws.OpText), fin
	good := []string{"Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "\U00010000\U0010ffff", "\x00\x7f\u0080\u07ff\u0800\uffff", "\ud7ff\ue000\ufffd\ufffe"}
	for i, s := range good {
		cases = append(cases,
			exchange{name: fmt.Sprintf("6.2.%d valid", i+1), send: []string{masked(text, s)}, want: one(ws.OpText, s)},
			exchange{name: fmt.Sprintf("6.2.%d valid byte by byte", i+1), send: chop(masked(text, s), 1), want: one(ws.OpText, s)},
			exchange{name: fmt.Sprintf("6.2.%d valid, a fragment a byte", i+1), send: []string{fragments(s)}, want: one(ws.OpText, s)})
	}
	bad := []string{"κόσμε\xed\xa0\x80edited", "\xf4\x90\x80\x80", "\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xc3", "\xf0\x9f\x98", "\xff", "\xed\xbf\xbf", "\xf8\x88\x80\x80\x80", "a\xce"}
	for i, s := range bad {
		cases = append(cases,
			exchange{name: fmt.Sprintf("6.3.%d invalid", i+1), send: []string{masked(text, s)}, refuse: 1007},
			exchange{name: fmt.Sprintf("6.3.%d invalid byte by byte", i+1), send: chop(masked(text, s), 1), refuse: 1007},
			exchange{name: fmt.Sprintf("6.3.%d invalid, a fragment a byte", i+1), send: []string{fragments(s)}, refuse: 1007})
	}
	// Fail fast: the message never ends.
	return append(cases,
		exchange{name: "6.4.1 bad fragment, more would come", send: []string{masked(first, "κόσμε"), masked(0, "\xf4\x90\x80\x80")}, refuse: 1007},
		exchange{name: "6.4.2 bad second byte, more would come", send: []string{masked(first, "κόσμε\xf4"), masked(0, "\x90")}, refuse: 1007},
		exchange{name: "6.4.3 bad byte, frame would go on", send: []string{masked(text, "κόσμε\xf4\x90\x80\x80edited")[:6+14]}, refuse: 1007},
		exchange{name: "6.4.4 bad second byte, frame would go on", send: chop(masked(text, "κόσμε\xf4\x90\x80\x80edited")[:6+13], 1), refuse: 1007},
		exchange{name: "rune split by a ping", send: []string{masked(first, "\xce") + masked(pings, "") + masked(last, "\xba")}, want: []frame{{ws.OpPong, ""}, {ws.OpText, "κ"}}})
}

// fragments returns s as a text message with a frame for each byte, and an empty last one.
func fragments(s string) string {
	var b strings.Builder
	for i := range len(s) {
		op := byte(ws.OpContinuation)
		if i == 0 {
			op = byte(ws.OpText)
		}
		b.WriteString(masked(op, s[i:i+1]))
	}
	return b.String() + masked(fin, "")
}

func closeCases() (cases []exchange) {
	for i, n := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		cases = append(cases, exchange{name: fmt.Sprintf("7.9.%d code %d", i+1, n), send: []string{masked(byes, code(n, ""))}, refuse: 1002})
	}
	return append(cases,
		exchange{name: "7.1.1 message then close", send: []string{masked(text, "a")}, want: one(ws.OpText, "a")},
		exchange{name: "7.3.2 one byte", send: []string{masked(byes, "a")}, refuse: 1002},
		exchange{name: "7.3.6 reason of 124 bytes", send: []string{masked(byes, code(1000, strings.Repeat("*", 124)))}, refuse: 1002},
		exchange{name: "7.5.1 reason not UTF-8", send: []string{masked(byes, code(1000, "\xce\xba\xed\xa0\x80"))}, refuse: 1007},
		exchange{name: "5.x fragmented close", send: []string{masked(byte(ws.OpClose), code(1000, ""))}, refuse: 1002})
}

func limitCases() []exchange {
	const first, last = byte(ws.OpText), fin
	p := strings.Repeat("*", 1000)
	return []exchange{
		{name: "9 at the limit", max: 1000, send: []string{masked(text, p)}, want: one(ws.OpText, p)},
		{name: "9 one over", max: 1000, send: []string{masked(text, p+"*")}, refuse: 1009},
		{name: "9 one over in fragments", max: 1000, send: []string{masked(first, p), masked(last, "*")}, refuse: 1009},
		{name: "9 header of 2^62 bytes", send: []string{"\x81\xff\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"}, refuse: 1009},
		{name: "9 header alone is enough", max: 1000, send: []string{masked(text, p+"*")[:8]}, refuse: 1009},
		{name: "9 default limit", send: []string{masked(text, strings.Repeat("*", 64<<10))}, want: one(ws.OpText, strings.Repeat("*", 64<<10))},
		{name: "9 over the default limit", send: []string{masked(text, strings.Repeat("*", 64<<10+1))}, refuse: 1009},
	}
}

// The codes of Autobahn 7.7 come back as they were sent, and an empty close frame empty.
func TestCloseCodesEchoed(t *testing.T) {
	for _, n := range []int{0, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		t.Run(fmt.Sprintf("7.7 code %d", n), func(t *testing.T) {
			t.Parallel()
			c, cl := pair(t, Options{})
			done := echo(c)
			payload, read := code(n, "why"), n
			if n == 0 { // 7.3.1
				payload, read = "", 1005
			}
			cl.send(masked(byes, payload))
			cl.wantClose(n)
			if e := new(CloseError); !errors.As(wait(t, done), &e) || int(e.Code) != read {
				t.Errorf("Read: %v, want code %d", e, read)
			}
		})
	}
}
