package socket

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

const offer = "permessage-deflate; client_max_window_bits"

func TestDeflateIsAskedFor(t *testing.T) {
	const headers = "Sec-WebSocket-Extensions: " + offer + "\r\n"
	for _, x := range []struct {
		o       Options
		headers string
		want    bool
	}{
		{Options{}, headers, false},
		{Options{Deflate: true}, "", false},
		{Options{Deflate: true}, headers, true},
	} {
		c, cl := open(t, x.o, false).dial(t, x.headers, "")
		if c.Deflated() != x.want || cl.deflated != x.want {
			t.Errorf("%+v, offer %q: Deflated = %v, the client was told %v; want %v", x.o, x.headers, c.Deflated(), cl.deflated, x.want)
		}
	}
}

// zipped returns the payload of a compressed message.
func zipped(payload string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.DefaultCompression)
	io.WriteString(w, payload)
	w.Flush()
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
}

// prose returns n bytes of text that compresses as text does; another for each seed.
func prose(n int, seed uint64) string {
	words := strings.Fields("the quick brown fox jumps over a lazy dog while κόσμε und Bären sing {\"id\":42,\"state\":\"running\"}")
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, "%s %d ", words[r.IntN(len(words))], r.IntN(1000))
	}
	cut := n
	for cut > 0 && cut < b.Len() && !utf8.RuneStart(b.String()[cut]) {
		cut--
	}
	return b.String()[:cut] + strings.Repeat(".", n-cut)
}

// noise returns n bytes that do not compress.
func noise(n int) string {
	r := rand.New(rand.NewPCG(2, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

func TestAppendDeflated(t *testing.T) {
	for _, x := range []struct {
		name, payload string
		packed        bool
	}{
		{"empty", "", false},
		{"below the threshold", strings.Repeat("a", DeflateThreshold-1), false},
		{"at the threshold", strings.Repeat("a", DeflateThreshold), true},
		{"text", prose(1000, 0), true},
		{"text of more than a block", prose(200_000, 0), true},
		{"to a short header", strings.Repeat("a", 70_000), true},
		{"noise", noise(1000), false},
		{"much noise", noise(100_000), false},
	} {
		t.Run(x.name, func(t *testing.T) {
			const before = "before"
			b := AppendDeflated([]byte(before), []byte(x.payload))
			if string(b[:len(before)]) != before {
				t.Fatal("dst was changed")
			}
			b = b[len(before):]
			if !x.packed {
				if want := AppendText(nil, []byte(x.payload)); !bytes.Equal(b, want) {
					t.Errorf("% .20x, want what AppendText makes: % .20x", b, want)
				}
				return
			}
			r := bytes.NewReader(b)
			h, err := ws.ReadHeader(r)
			if err != nil || !h.Fin || h.Rsv != 4 || h.OpCode != ws.OpText || h.Masked || h.Length != int64(r.Len()) {
				t.Fatalf("header %+v, %v; %d bytes follow", h, err, r.Len())
			}
			if again := appendFrame(nil, deflatedText, b[len(b)-r.Len():]); !bytes.Equal(again, b) {
				t.Error("the length is not in the shortest form")
			}
			if len(b) > len(x.payload)/2 {
				t.Errorf("%d bytes became %d", len(x.payload), len(b))
			}
			if got := unpacked(t, b[len(b)-r.Len():]); string(got) != x.payload {
				t.Error("payload differs")
			}
		})
	}
}

// Compressors are shared: nothing of one message shows in another.
func TestAppendDeflatedConcurrently(t *testing.T) {
	var payloads, want [8][]byte
	for i := range want {
		payloads[i] = []byte(prose(300*(i+1), 0))
		want[i] = AppendDeflated(nil, payloads[i])
	}
	var all sync.WaitGroup
	for i := range want {
		all.Go(func() {
			for range 50 {
				if got := AppendDeflated(nil, payloads[i]); !bytes.Equal(got, want[i]) {
					t.Error("the same payload became other bytes")
					return
				}
			}
		})
	}
	all.Wait()
}

// What AppendDeflated makes, compress/flate unpacks, and the parser too.
func FuzzAppendDeflated(f *testing.F) {
	f.Add([]byte(prose(400, 0)))
	f.Add([]byte(noise(300)))
	f.Add([]byte(noise(150) + strings.Repeat("a", 150)))
	f.Add([]byte(strings.Repeat("{\"id\":1},", 50)))
	f.Fuzz(func(t *testing.T, payload []byte) {
		b := AppendDeflated(nil, payload)
		if longest := len(AppendText(nil, payload)); len(b) > longest {
			t.Fatalf("the frame has %d bytes, and %d without compression", len(b), longest)
		}
		h, n, err := parseHeader(b)
		if err != nil || h.Length != int64(len(b)-n) {
			t.Fatalf("header %+v, %v; %d bytes follow", h, err, len(b)-n)
		}
		plain := b[n:]
		if h.Rsv != 0 {
			plain = unpacked(t, plain)
		}
		if !bytes.Equal(plain, payload) {
			t.Fatal("payload differs")
		}
		p := parser{max: len(payload), kind: ws.OpText, deflate: true, in: []byte(masked(b[0], string(b[n:])))}
		switch e, got, err := p.next(); {
		case !utf8.Valid(payload):
			if err == nil || err.(*ProtocolError).Code != 1007 {
				t.Fatalf("parser: %v, want 1007", err)
			}
		case err != nil || e != message || !bytes.Equal(got, payload):
			t.Fatalf("parser: event %d, %v, %d bytes", e, err, len(got))
		}
	})
}

// Whatever is said to be compressed, memory and result are bounded.
func FuzzInflate(f *testing.F) {
	for _, s := range []string{"", "\x00", "\xf2\x48\xcd\xc9\xc9\x07\x00", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", zipped(prose(500, 0)), zipped(strings.Repeat("a", 5000)), zipped(noise(300))} {
		f.Add([]byte(s))
	}
	const max = 1000
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.Clone(b)
		got, err := inflate(in, max)
		if !bytes.Equal(in, b) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			if got != nil || err.Code != 1007 && err.Code != 1009 {
				t.Fatalf("%q, %v", got, err)
			}
			return
		}
		if len(got) > max {
			t.Fatalf("%d bytes", len(got))
		}
		again, err := inflate([]byte(zipped(string(got))), max)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("round trip: %v", err)
		}
	})
}
