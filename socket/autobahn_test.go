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
	closes bool // the last that the client sends is its close frame, with code 1000
	refuse int  // close code; 0 if the client closes
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
	if !x.closes {
		cl.send(masked(byes, code(1000, "")))
	}
	cl.wantClose(1000)
	if e := new(CloseError); !errors.As(wait(t, done), &e) || e.Code != 1000 || e.Reason != "" {
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

// TestAutobahn stands for the cases of the Autobahn test suite 0.8 against a
// server, numbers as there. What differs:
//
//   - A Conn takes text or binary messages, by its subprotocol. Cases with the
//     other kind run on a connection of that kind; on the wrong one it is refused.
//   - Cases that differ only by when the octets are sent are one case here, and
//     their octets go one by one, which is the hardest.
//   - 9: sizes end at 1 MiB, and at 256 KiB in pieces; 300 messages stand for 1,000.
//   - 12 and 13: the data are made, not Faust, Lena, a PDF, JSON and HTML, and 3
//     messages stand for 1,000. Offers of a window below 32 KiB are declined.
//
// The groups: 1 messages, 2 pings, 3 reserved, 4 opcodes, 5 fragments, 6 utf8,
// 7 closes and TestCloseCodesEchoed, 9 sizes, 10 fragmented by a library, 12 and
// 13 deflate. Autobahn has no 8 and no 11. The groups "limits" and "deflate
// rules" are not Autobahn's.
func TestAutobahn(t *testing.T) {
	groups := map[string][]exchange{
		"1 messages": messageCases(), "2 pings": pingCases(), "3 reserved": reservedCases(), "4 opcodes": opcodeCases(),
		"5 fragments": fragmentCases(), "6 utf8": utf8Cases(), "7 closes": closeCases(), "9 and 10 sizes": sizeCases(),
		"12 and 13 deflate": deflateCases(), "limits": limitCases(), "deflate rules": deflateRules(),
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

// messageCases are 1.1 and 1.2.
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

// pingCases are 2.1 to 2.11.
func pingCases() []exchange {
	p := strings.Repeat("\xfe", 125)
	ten, pongTen := "", []frame(nil)
	for i := range 10 {
		ten += masked(pings, fmt.Sprint("payload-", i))
		pongTen = append(pongTen, frame{ws.OpPong, fmt.Sprint("payload-", i)})
	}
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
		{name: "2.10 ten pings", send: []string{ten}, want: pongTen},
		{name: "2.11 ten pings byte by byte", send: chop(ten, 1), want: pongTen},
	}
}

// reservedCases are 3.1 to 3.7, where the bits are 1 to 5 of a message, 6 of a
// ping and 7 of a close; here each of all three.
func reservedCases() (cases []exchange) {
	for rsv := range byte(7) {
		r := (rsv + 1) << 4
		second := masked(text, "Hello") + masked(text|r, "Hello") + masked(pings, "")
		cases = append(cases,
			exchange{name: fmt.Sprintf("3.%d text", rsv+1), send: []string{second}, want: one(ws.OpText, "Hello"), refuse: 1002},
			exchange{name: fmt.Sprintf("3.%d text byte by byte", rsv+1), send: chop(second, 1), want: one(ws.OpText, "Hello"), refuse: 1002},
			exchange{name: fmt.Sprintf("3.%d binary", rsv+1), binary: true, send: []string{masked(bin|r, "b")}, refuse: 1002},
			exchange{name: fmt.Sprintf("3.%d ping", rsv+1), send: chop(masked(pings|r, "b"), 1), refuse: 1002},
			exchange{name: fmt.Sprintf("3.%d close", rsv+1), send: []string{masked(byes|r, code(1000, ""))}, refuse: 1002})
	}
	return cases
}

// opcodeCases are 4.1 and 4.2.
func opcodeCases() (cases []exchange) {
	for i, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		name := fmt.Sprintf("4.%d.%d opcode %d", 1+i/5, 1+i%5, op)
		after := masked(text, "a") + masked(fin|op, "b") + masked(pings, "")
		cases = append(cases,
			exchange{name: name, send: []string{masked(fin|op, "")}, refuse: 1002},
			exchange{name: name + " after text", send: []string{after}, want: one(ws.OpText, "a"), refuse: 1002},
			exchange{name: name + " after text byte by byte", send: chop(after, 1), want: one(ws.OpText, "a"), refuse: 1002})
	}
	return cases
}

// fragmentCases are 5.1 to 5.20.
func fragmentCases() []exchange {
	const first, more, last = byte(ws.OpText), byte(ws.OpContinuation), fin
	a, b := masked(first, "frag1"), masked(last, "ment2")
	ping := masked(first, "frag1") + masked(pings, "ping") + masked(last, "ment2")
	pinged := []frame{{ws.OpPong, "ping"}, {ws.OpText, "frag1ment2"}}
	five := []string{masked(first, "1"), masked(more, "2"), masked(pings, "p"), masked(more, "3"), masked(more, "4"), masked(pings, "q"), masked(last, "5")}
	fived := []frame{{ws.OpPong, "p"}, {ws.OpPong, "q"}, {ws.OpText, "12345"}}
	closed, open := masked(last, "x")+masked(text, "y"), masked(more, "x")+masked(text, "y")
	return []exchange{
		{name: "5.1 ping in fragments", send: []string{masked(byte(ws.OpPing), "a") + masked(last, "b")}, refuse: 1002},
		{name: "5.2 pong in fragments", send: []string{masked(byte(ws.OpPong), "a") + masked(last, "b")}, refuse: 1002},
		{name: "close in fragments", send: []string{masked(byte(ws.OpClose), code(1000, ""))}, refuse: 1002},
		{name: "5.3 two fragments in one write", send: []string{a + b}, want: one(ws.OpText, "frag1ment2")},
		{name: "5.4 two fragments in two writes", send: []string{a, b}, want: one(ws.OpText, "frag1ment2")},
		{name: "5.5 two fragments byte by byte", send: chop(a+b, 1), want: one(ws.OpText, "frag1ment2")},
		{name: "5.6 and 5.7 ping in between", send: []string{ping}, want: pinged},
		{name: "5.8 ping in between byte by byte", send: chop(ping, 1), want: pinged},
		{name: "5.9 and 5.10 continuation of nothing", send: []string{closed}, refuse: 1002},
		{name: "5.11 continuation of nothing byte by byte", send: chop(closed, 1), refuse: 1002},
		{name: "5.12 and 5.13 open continuation of nothing", send: []string{open}, refuse: 1002},
		{name: "5.14 open continuation of nothing byte by byte", send: chop(open, 1), refuse: 1002},
		{name: "5.15 continuation after the end", send: []string{a + b + masked(more, "c") + masked(text, "d")}, want: one(ws.OpText, "frag1ment2"), refuse: 1002},
		{name: "5.16 open continuation of nothing, then fragments, twice", send: []string{masked(more, "1") + a + b + masked(more, "1") + a + b}, refuse: 1002},
		{name: "5.17 continuation of nothing, then fragments, twice", send: []string{masked(last, "1") + a + b + masked(last, "1") + a + b}, refuse: 1002},
		{name: "5.18 text inside a message", send: []string{a + masked(text, "ment2")}, refuse: 1002},
		{name: "5.19 five fragments and two pings", send: five, want: fived},
		{name: "5.20 five fragments and two pings byte by byte", send: chop(strings.Join(five, ""), 1), want: fived},
	}
}

// closeCases are 7.1, 7.3, 7.5, 7.9 and 7.13.
func closeCases() (cases []exchange) {
	for i, n := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 1015, 5000, 65535} {
		name := fmt.Sprintf("7.9.%d code %d", i+1, n)
		switch {
		case n >= 5000:
			name = fmt.Sprintf("7.13 code %d", n)
		case i >= 9:
			name = fmt.Sprintf("code %d", n)
		}
		cases = append(cases, exchange{name: name, send: []string{masked(byes, code(n, ""))}, refuse: 1002})
	}
	bye, big := masked(byes, code(1000, "")), strings.Repeat("BAsd7&jh23", 26215)[:256<<10]
	return append(cases,
		exchange{name: "7.1.1 message then close", send: []string{masked(text, "a") + bye}, want: one(ws.OpText, "a"), closes: true},
		exchange{name: "7.1.2 two closes", send: []string{bye + bye}, closes: true},
		exchange{name: "7.1.3 ping after close", send: []string{bye + masked(pings, "")}, closes: true},
		exchange{name: "7.1.4 text after close", send: []string{bye + masked(text, "a")}, closes: true},
		exchange{name: "7.1.5 close inside a message", send: []string{masked(byte(ws.OpText), "a") + bye + masked(fin, "b")}, closes: true},
		exchange{name: "7.1.6 256 KiB, a message, close", max: 256 << 10, send: []string{masked(text, big) + masked(text, "Hello World!") + bye}, want: []frame{{ws.OpText, big}, {ws.OpText, "Hello World!"}}, closes: true},
		exchange{name: "7.3.2 one byte", send: []string{masked(byes, "a")}, refuse: 1002},
		exchange{name: "7.3.6 reason of 124 bytes", send: []string{masked(byes, code(1000, strings.Repeat("*", 124)))}, refuse: 1002},
		exchange{name: "7.5.1 reason not UTF-8", send: []string{masked(byes, code(1000, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"))}, refuse: 1007})
}

// sizeCases are 9.1 to 9.8 and 10.1.1.
func sizeCases() (cases []exchange) {
	const mib = 1 << 20
	for i, kind := range []byte{text, bin} {
		add := func(group, number, max int, what string, pieces []string, want ...frame) {
			cases = append(cases, exchange{name: fmt.Sprintf("9.%d.%d %s", group+i, number, what), binary: i == 1, max: max, send: pieces, want: want})
		}
		op := ws.OpCode(kind &^ fin)
		for n, size := range []int{64 << 10, 256 << 10, mib} {
			p := prose(size, 0)
			add(1, n+1, size, fmt.Sprint(size, " bytes"), []string{masked(kind, p)}, frame{op, p})
		}
		const most = mib / 4
		p := prose(most, 1)
		for n := range 7 {
			size := 64 << (2 * n)
			add(3, n+1, most, fmt.Sprint("fragments of ", size), []string{fragmented(kind, p, size)}, frame{op, p})
		}
		for n := range 6 {
			size := 64 << n
			add(5, n+1, most, fmt.Sprint("pieces of ", size), chop(masked(kind, p), size), frame{op, p})
		}
		for n, size := range []int{0, 16, 64, 256, 1024, 4096} {
			p, messages := prose(size, 2), 300
			want := make([]frame, messages)
			for k := range want {
				want[k] = frame{op, p}
			}
			add(7, n+1, size, fmt.Sprint(messages, " messages of ", size, " bytes"), repeat(masked(kind, p), messages), want...)
		}
	}
	p := strings.Repeat("*", 65536)
	return append(cases, exchange{name: "10.1.1 in fragments of 1300", max: 65536, send: []string{fragmented(text, p, 1300)}, want: one(ws.OpText, p)})
}

// limitCases are about Options.MaxMessage, which Autobahn does not know.
func limitCases() []exchange {
	const first, last = byte(ws.OpText), fin
	p := strings.Repeat("*", 1000)
	return []exchange{
		{name: "at the limit", max: 1000, send: []string{masked(text, p)}, want: one(ws.OpText, p)},
		{name: "one over", max: 1000, send: []string{masked(text, p+"*")}, refuse: 1009},
		{name: "one over in fragments", max: 1000, send: []string{masked(first, p), masked(last, "*")}, refuse: 1009},
		{name: "header of 2^62 bytes", send: []string{"\x81\xff\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"}, refuse: 1009},
		{name: "header alone is enough", max: 1000, send: []string{masked(text, p+"*")[:8]}, refuse: 1009},
		{name: "default limit", send: []string{masked(text, strings.Repeat("*", 64<<10))}, want: one(ws.OpText, strings.Repeat("*", 64<<10))},
		{name: "over the default limit", send: []string{masked(text, strings.Repeat("*", 64<<10+1))}, refuse: 1009},
	}
}

// The codes of 7.7 come back as they were sent, and 7.3.1, 7.3.3 to 7.3.5: an
// empty close frame, and reasons of all lengths.
func TestCloseCodesEchoed(t *testing.T) {
	for _, n := range []int{0, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		for _, reason := range []string{"", "why", strings.Repeat("*", 123)} {
			t.Run(fmt.Sprintf("code %d, %d bytes of reason", n, len(reason)), func(t *testing.T) {
				t.Parallel()
				c, cl := pair(t, Options{})
				done := echo(c)
				payload, read := code(n, reason), n
				if n == 0 {
					payload, reason, read = "", "", 1005
				}
				cl.send(masked(byes, payload))
				cl.wantClose(n)
				if e := new(CloseError); !errors.As(wait(t, done), &e) || int(e.Code) != read || e.Reason != reason {
					t.Errorf("Read: %v, want code %d", e, read)
				}
			})
		}
	}
}
