package socket

import (
	"fmt"
	"strings"

	"github.com/gobwas/ws"
)

// kosme is the Greek word of Autobahn, whose runes end at 2, 5, 7, 9 and 11.
const kosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

// utf8Cases are 6.1 to 6.23.
func utf8Cases() (cases []exchange) {
	const first, more, last = byte(ws.OpText), byte(ws.OpContinuation), fin
	const hello, bad = "Hello-µ@ßöäüàá-UTF-8!!", kosme + "\xed\xa0\x80edited"
	const fail = kosme + "\xf4\x90\x80\x80edited"
	whole := masked(text, fail)
	const header = 6
	cases = []exchange{
		{name: "6.1.1 empty", send: []string{masked(text, "")}, want: one(ws.OpText, "")},
		{name: "6.1.2 three empty fragments", send: []string{masked(first, "") + masked(more, "") + masked(last, "")}, want: one(ws.OpText, "")},
		{name: "6.1.3 empty around one that is not", send: []string{masked(first, "") + masked(more, "x") + masked(last, "")}, want: one(ws.OpText, "x")},
		{name: "empty before the last", send: []string{masked(first, "") + masked(last, "x")}, want: one(ws.OpText, "x")},
		{name: "6.2.1 valid", send: []string{masked(text, hello)}, want: one(ws.OpText, hello)},
		{name: "6.2.2 valid, cut between runes", send: []string{fragmented(text, hello, 12)}, want: one(ws.OpText, hello)},
		{name: "6.2.3 valid, a fragment a byte", send: []string{fragmented(text, hello, 1)}, want: one(ws.OpText, hello)},
		{name: "6.2.4 valid, a fragment a byte", send: []string{fragmented(text, kosme, 1)}, want: one(ws.OpText, kosme)},
		{name: "6.3.1 invalid", send: []string{masked(text, bad)}, refuse: 1007},
		{name: "6.3.2 invalid, a fragment a byte", send: []string{fragmented(text, bad, 1)}, refuse: 1007},
		{name: "rune split by a ping", send: []string{masked(first, "\xce") + masked(pings, "") + masked(last, "\xba")}, want: []frame{{ws.OpPong, ""}, {ws.OpText, "κ"}}},
		// Fail fast: the rest of the message is not sent.
		{name: "6.4.1 bad fragment", send: []string{masked(first, kosme), masked(more, "\xf4\x90\x80\x80")}, refuse: 1007},
		{name: "6.4.2 fragment up to the bad byte", send: []string{masked(first, kosme+"\xf4"), masked(more, "\x90")}, refuse: 1007},
		{name: "6.4.3 bad part of a frame", send: []string{whole[:header+11], whole[header+11 : header+15]}, refuse: 1007},
		{name: "6.4.4 frame up to the bad byte", send: []string{whole[:header+12], whole[header+12 : header+13]}, refuse: 1007},
	}
	for i, g := range utf8Sequences() {
		for k, s := range append(g.valid, g.invalid...) {
			x := exchange{name: fmt.Sprintf("6.%d.%d", i+5, k+1), want: one(ws.OpText, s)}
			if k >= len(g.valid) {
				x.want, x.refuse = nil, 1007
			}
			x.send = []string{masked(text, s)}
			cases = append(cases, x)
			x.name, x.send = x.name+" byte by byte", chop(masked(text, s), 1)
			cases = append(cases, x)
			x.name, x.send = x.name+" in fragments", []string{fragmented(text, s, 1)}
			cases = append(cases, x)
		}
	}
	return cases
}

// utf8Sequences are those of 6.5 to 6.23, in this order, from Markus Kuhn's UTF-8
// decoder test. Within a group, the valid ones come first here.
func utf8Sequences() []struct{ valid, invalid []string } {
	var continuations strings.Builder
	for b := byte(0x80); b < 0xbf; b++ {
		continuations.WriteByte(b)
	}
	lonely := func(from, to byte) string {
		var s strings.Builder
		for b := from; b < to; b++ {
			s.WriteByte(b)
			s.WriteByte(' ')
		}
		return s.String()
	}
	missing := []string{"\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xfc\x80\x80\x80\x80", "\xdf", "\xef\xbf", "\xf7\xbf\xbf", "\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf"}
	nonCharacters := []string{"\uFFFE", "\uFFFF"}
	for plane := rune(1); plane <= 16; plane++ {
		nonCharacters = append(nonCharacters, string(plane<<16|0xfffe), string(plane<<16|0xffff))
	}
	return []struct{ valid, invalid []string }{
		{valid: []string{"hello$world", "hello¢world", "hello€world", "hello\U00024b62world", kosme}},
		{valid: []string{kosme[:2], kosme[:5], kosme[:7], kosme[:9], kosme}, invalid: []string{kosme[:1], kosme[:3], kosme[:4], kosme[:6], kosme[:8], kosme[:10]}},
		{valid: []string{"\x00", "\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80"}},
		{invalid: []string{"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80"}},
		{valid: []string{"\x7f", "\xdf\xbf", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"}},
		{invalid: []string{"\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf"}},
		{valid: []string{"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf"}, invalid: []string{"\xf4\x90\x80\x80"}},
		{invalid: []string{"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80", "\x80\xbf\x80\xbf", "\x80\xbf\x80\xbf\x80", "\x80\xbf\x80\xbf\x80\xbf", continuations.String()}},
		{invalid: []string{lonely(0xc0, 0xdf), lonely(0xe0, 0xef), lonely(0xf0, 0xf7), lonely(0xf8, 0xfb), lonely(0xfc, 0xfd)}},
		{invalid: missing},
		{invalid: []string{strings.Join(missing, "")}},
		{invalid: []string{"\xfe", "\xff", "\xfe\xfe\xff\xff"}},
		{invalid: []string{"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf"}},
		{invalid: []string{"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf"}},
		{invalid: []string{"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80", "\xfc\x80\x80\x80\x80\x80"}},
		{invalid: []string{"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf"}},
		{invalid: []string{"\xed\xa0\x80\xed\xb0\x80", "\xed\xa0\x80\xed\xbf\xbf", "\xed\xad\xbf\xed\xb0\x80", "\xed\xad\xbf\xed\xbf\xbf", "\xed\xae\x80\xed\xb0\x80", "\xed\xae\x80\xed\xbf\xbf", "\xed\xaf\xbf\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf"}},
		{valid: nonCharacters},
		{valid: []string{"\uFFF9", "\uFFFA", "\uFFFB", "\uFFFC", "\uFFFD", "\uFFFE", "\uFFFF"}},
	}
}
