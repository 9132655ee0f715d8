package socket

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// transcript feeds data to a parser in chunks, whose lengths go round in cuts,
// and writes down what comes out. It fails if memory exceeds what came.
func transcript(t *testing.T, p parser, data, cuts []byte) string {
	t.Helper()
	var out strings.Builder
	max := p.max
	memory := max + maxControl
	if p.deflate {
		memory += max / 2
	}
	data = bytes.Clone(data) // it is unmasked in place
	for fed, i := 0, 0; fed < len(data); i++ {
		n := len(data) - fed
		if len(cuts) > 0 {
			n = min(n, int(cuts[i%len(cuts)])+1)
		}
		p.in = data[fed : fed+n]
		fed += n
		for {
			e, b, err := p.next()
			if held := cap(p.msg) + cap(p.control); held > 3*min(fed, memory)+64 {
				t.Fatalf("holds %d bytes after %d came", held, fed)
			}
			if err != nil {
				if v := new(ProtocolError); !errors.As(err, &v) || len(closeFrame(v.Code, v.Reason)) < 4 {
					t.Fatalf("error %#v is not for a close frame", err)
				}
				fmt.Fprintf(&out, "%v\n", err)
				return out.String()
			}
			if e == needBytes {
				break
			}
			fmt.Fprintf(&out, "%d %q\n", e, b)
			if e == message && len(b) > max {
				t.Fatalf("message of %d bytes, limit %d", len(b), max)
			}
			if e == closing {
				return out.String()
			}
		}
		if len(p.in) > 0 {
			t.Fatalf("left %d bytes unparsed", len(p.in))
		}
	}
	return out.String()
}

func FuzzParser(f *testing.F) {
	const max = 300
	add := func(binary bool, frames ...string) {
		s := []byte(strings.Join(frames, ""))
		deflate := len(s) > 0 && s[0]&rsv1 != 0
		f.Add(binary, deflate, s, []byte{0})
		f.Add(binary, deflate, s, []byte{2, 0, 5})
	}
	first, more := byte(ws.OpText), byte(ws.OpContinuation)
	add(false, masked(text, "κόσμε"), masked(pings, "p"), masked(pongs, ""), masked(byes, code(1000, "ö")))
	add(false, masked(first, "a\xce"), masked(pings, strings.Repeat("p", 125)), masked(more, "\xba"), masked(fin, ""), masked(text, "next"))
	add(true, masked(bin, strings.Repeat("\xff", 299)), masked(bin, strings.Repeat("\xff", 301)))
	add(false, masked(first, strings.Repeat("a", 200)), masked(fin, strings.Repeat("b", 101)))
	add(false, masked(text|0x40, ""), masked(byte(ws.OpPing), ""))
	add(false, masked(byes, "\x03"), "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xffmask")
	add(false, string(AppendText(nil, []byte("unmasked"))))
	for _, cases := range [][]exchange{pingCases(), fragmentCases(), utf8Cases(), closeCases(), deflateRules()} {
		for _, x := range cases {
			add(x.binary, x.send...)
		}
	}
	f.Fuzz(func(t *testing.T, binary, deflate bool, data, cuts []byte) {
		p := parser{max: max, kind: ws.OpText, deflate: deflate}
		if binary {
			p.kind = ws.OpBinary
		}
		whole := transcript(t, p, data, nil)
		if cut := transcript(t, p, data, cuts); cut != whole {
			t.Errorf("in chunks %v:\n%sin one:\n%s", cuts, cut, whole)
		}
		if single := transcript(t, p, data, []byte{0}); single != whole {
			t.Errorf("byte by byte:\n%sin one:\n%s", single, whole)
		}
	})
}

// What AppendText and AppendBinary make, a reader of another origin takes apart.
func FuzzAppend(f *testing.F) {
	for _, n := range []int{0, 1, 125, 126, 65535, 65536} {
		f.Add([]byte("x"), bytes.Repeat([]byte("ä"), n/2))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		run := bytes.NewReader(AppendBinary(AppendText(nil, a), b))
		for _, want := range []ws.Frame{ws.NewTextFrame(a), ws.NewBinaryFrame(b)} {
			h, err := ws.ReadHeader(run)
			if err != nil || h != want.Header {
				t.Fatalf("header %+v, %v; want %+v", h, err, want.Header)
			}
			got := make([]byte, h.Length)
			run.Read(got)
			if !bytes.Equal(got, want.Payload) {
				t.Fatal("payload differs")
			}
		}
		if run.Len() != 0 {
			t.Fatalf("%d bytes too many", run.Len())
		}
	})
}

func TestValidPrefix(t *testing.T) {
	for s, want := range map[string]struct {
		n  int
		ok bool
	}{
		"":                     {0, true},
		"abc":                  {3, true},
		"aκ":                   {3, true},
		"a\xce":                {1, true},
		"\xf0\x9f\x98":         {0, true},
		"\xf4\x90":             {0, false},
		"ab\x80":               {2, false},
		"a\xf0\x9f\x98\xff":    {1, false},
		"\x80\x80\x80\x80\x80": {0, false},
		"aaaa\xed\xa0":         {4, false},
	} {
		if n, ok := validPrefix([]byte(s)); n != want.n || ok != want.ok {
			t.Errorf("validPrefix(%q) = %d, %v; want %d, %v", s, n, ok, want.n, want.ok)
		}
	}
}
