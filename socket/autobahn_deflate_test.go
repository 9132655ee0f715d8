package socket

import (
	"fmt"
	"strings"

	"github.com/gobwas/ws"
)

const (
	rsv1   = 0x40
	packed = text | rsv1
)

// fragmented returns a message as frames of n bytes; first is the first byte of the first.
func fragmented(first byte, payload string, n int) string {
	var b strings.Builder
	pieces := chop(payload, n)
	for i, piece := range pieces {
		op := byte(ws.OpContinuation)
		if i == 0 {
			op = first &^ fin
		}
		if i == len(pieces)-1 {
			op |= fin
		}
		b.WriteString(masked(op, piece))
	}
	return b.String()
}

// deflateCases are groups 12 and 13: messages of all sizes, whole and in
// fragments, under each kind of offer that Autobahn makes. Its server_max_window_bits
// of less than 15 are tested in package negotiate: they are declined.
func deflateCases() (cases []exchange) {
	offers := []string{
		"permessage-deflate; client_no_context_takeover; client_max_window_bits",
		"permessage-deflate; server_no_context_takeover; client_max_window_bits",
		"permessage-deflate; server_max_window_bits=9, permessage-deflate",
		"permessage-deflate; server_max_window_bits=15; client_max_window_bits",
		"permessage-deflate; server_no_context_takeover; server_max_window_bits=8, permessage-deflate; client_max_window_bits=10",
		"permessage-deflate; server_no_context_takeover; server_max_window_bits=15",
		"permessage-deflate; server_no_context_takeover; server_max_window_bits=8, permessage-deflate; server_no_context_takeover, permessage-deflate",
	}
	sizes := []struct{ size, fragment int }{
		{0, 0}, {16, 0}, {64, 0}, {256, 0}, {1024, 0}, {4096, 0}, {8192, 0}, {16384, 0}, {32768, 0}, {65536, 0}, {131072, 0},
		{8192, 256}, {16384, 256}, {32768, 256}, {65536, 256}, {131072, 256}, {131072, 1024}, {131072, 4096}, {131072, 32768},
	}
	const messages = 3
	for i, s := range sizes {
		x := exchange{name: fmt.Sprintf("12.1.%d: %d bytes in fragments of %d", i, s.size, s.fragment), offer: offers[0], max: 131072}
		for k := range messages {
			p := prose(s.size, uint64(k))
			fragment := s.fragment
			if fragment == 0 {
				fragment = 1 << 20
			}
			x.send = append(x.send, fragmented(packed, zipped(p), fragment))
			x.want = append(x.want, frame{ws.OpText, p})
		}
		cases = append(cases, x)
		if i%5 != 0 {
			continue // an offer and a size have nothing to do with each other
		}
		for j, o := range offers[1:] {
			x.name, x.offer = fmt.Sprintf("13.%d.%d: %d bytes in fragments of %d", j+2, i, s.size, s.fragment), o
			cases = append(cases, x)
		}
	}
	return cases
}

// deflateRules are not Autobahn's: the examples of RFC 7692 §7.2.3 and what breaks its rules.
func deflateRules() []exchange {
	hello, big := "\xf2\x48\xcd\xc9\xc9\x07\x00", strings.Repeat("a", 1<<20)
	first, more, last := byte(ws.OpText)|rsv1, byte(ws.OpContinuation), byte(fin)
	cases := []exchange{
		{name: "one block", send: []string{masked(packed, hello)}, want: one(ws.OpText, "Hello")},
		{name: "two fragments", send: []string{masked(first, hello[:3]) + masked(last, hello[3:])}, want: one(ws.OpText, "Hello")},
		{name: "byte by byte", send: chop(masked(packed, hello), 1), want: one(ws.OpText, "Hello")},
		{name: "ping in between", send: []string{masked(first, hello[:3]) + masked(pings, "p") + masked(more, "") + masked(last, hello[3:])}, want: []frame{{ws.OpPong, "p"}, {ws.OpText, "Hello"}}},
		{name: "block without compression", send: []string{masked(packed, "\x00\x05\x00\xfa\xffHello\x00")}, want: one(ws.OpText, "Hello")},
		{name: "last block marked", send: []string{masked(packed, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00")}, want: one(ws.OpText, "Hello")},
		{name: "last block marked and nothing behind", send: []string{masked(packed, "\xf3\x48\xcd\xc9\xc9\x07\x00")}, want: one(ws.OpText, "Hello")},
		{name: "two blocks", send: []string{masked(packed, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00")}, want: one(ws.OpText, "Hello")},
		{name: "empty", send: []string{masked(packed, "\x00") + masked(packed, "") + masked(packed, "\x01")}, want: []frame{{ws.OpText, ""}, {ws.OpText, ""}, {ws.OpText, ""}}},
		{name: "not compressed", send: []string{masked(text, "plain") + masked(packed, hello) + masked(text, "plain")}, want: []frame{{ws.OpText, "plain"}, {ws.OpText, "Hello"}, {ws.OpText, "plain"}}},
		{name: "fragments not compressed", send: []string{masked(packed, hello) + masked(first&^rsv1, "pl") + masked(last, "ain")}, want: []frame{{ws.OpText, "Hello"}, {ws.OpText, "plain"}}},

		{name: "context of the message before", send: []string{masked(packed, hello) + masked(packed, "\xf2\x00\x11\x00\x00")}, want: one(ws.OpText, "Hello"), refuse: 1007},
		{name: "no deflate", send: []string{masked(packed, "\xff\xff\xff")}, refuse: 1007},
		{name: "cut", send: []string{masked(packed, zipped(prose(500, 0))[:200])}, refuse: 1007},
		{name: "a second stream", send: []string{masked(packed, "\xf3\x48\xcd\xc9\xc9\x07\x00"+hello)}, refuse: 1007},
		{name: "not UTF-8", send: []string{masked(packed, zipped("\xce\xba\xed\xa0\x80"))}, refuse: 1007},
		{name: "half a rune", send: []string{masked(packed, zipped("a\xce"))}, refuse: 1007},
		{name: "half a rune, and its rest in the next", send: []string{masked(packed, zipped("a\xce")) + masked(packed, zipped("\xba"))}, refuse: 1007},

		{name: "at the limit", max: 1000, send: []string{masked(packed, zipped(big[:1000]))}, want: one(ws.OpText, big[:1000])},
		{name: "one over", max: 1000, send: []string{masked(packed, zipped(big[:1001]))}, refuse: 1009},
		{name: "bomb", send: []string{masked(packed, zipped(big))}, refuse: 1009},
		{name: "bomb in fragments", send: chop(fragmented(packed, zipped(big), 100), 1<<12), refuse: 1009},
		{name: "limit that grew by compression", max: 1000, send: []string{masked(packed, "\x00\xe8\x03\x17\xfc"+big[:1000]+"\x00")}, want: one(ws.OpText, big[:1000])},
		{name: "too long before it is unpacked", max: 1000, send: []string{masked(packed, big[:1200])[:8]}, refuse: 1009},

		{name: "RSV1 on a continuation", send: []string{masked(first, hello[:3]) + masked(last|rsv1, hello[3:])}, refuse: 1002},
		{name: "RSV1 on a ping", send: []string{masked(pings|rsv1, "")}, refuse: 1002},
		{name: "RSV1 on a ping in between", send: []string{masked(first, hello[:3]) + masked(pings|rsv1, "")}, refuse: 1002},
		{name: "RSV1 on a pong", send: []string{masked(pongs|rsv1, "")}, refuse: 1002},
		{name: "RSV1 on a close", send: []string{masked(byes|rsv1, code(1000, ""))}, refuse: 1002},
		{name: "RSV2", send: []string{masked(text|0x20, "a")}, refuse: 1002},
		{name: "RSV1 and RSV3", send: []string{masked(packed|0x10, hello)}, refuse: 1002},
		{name: "compressed inside a message", send: []string{masked(first, hello[:3]) + masked(packed, hello)}, refuse: 1002},
		{name: "compressed binary", send: []string{masked(bin|rsv1, hello)}, refuse: 1003},
		{name: "binary connection", binary: true, send: []string{masked(bin|rsv1, zipped("\xff\xfe"))}, want: one(ws.OpBinary, "\xff\xfe")},
	}
	for i := range cases {
		cases[i].offer = offer
	}
	return append(cases, exchange{name: "not agreed on", send: []string{masked(packed, hello)}, refuse: 1002})
}
