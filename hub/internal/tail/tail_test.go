package tail

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/surewire/surewire"
)

type newline struct{}

func (newline) AppendMessage(dst []byte, _ string, m *surewire.Message) []byte {
	return append(append(dst, m.Data...), '\n')
}

var lines Framer = newline{}

func durable(offset uint64) *surewire.Message {
	m := &surewire.Message{Position: surewire.Position{Epoch: "e", Offset: offset}}
	m.Data = fmt.Append(nil, offset)
	return m
}

func ephemeral(n int) *surewire.Message {
	m := &surewire.Message{Position: surewire.Position{Epoch: "e"}}
	m.Data, m.Ephemeral = fmt.Appendf(nil, `"e%d"`, n), true
	return m
}

// shared and alone are the ways to read.
func shared(tl *Tail, c *Cursor) ([]byte, int, Reach) { return tl.Read(c, lines) }
func alone(tl *Tail, c *Cursor) ([]byte, int, Reach)  { return tl.Append(nil, c, lines) }

// drain reads all the tail has for c, as the data of the frames.
func drain(t *testing.T, tl *Tail, c *Cursor, read func(*Tail, *Cursor) ([]byte, int, Reach)) (data []string, r Reach) {
	t.Helper()
	for {
		b, n, r := read(tl, c)
		if have := bytes.Count(b, []byte("\n")); have != n {
			t.Errorf("%d frames are said to be %d", have, n)
		}
		if len(b) == 0 {
			return data, r
		}
		for _, frame := range bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) {
			data = append(data, string(frame))
		}
	}
}

func wantDrain(t *testing.T, tl *Tail, c *Cursor, want string, reach Reach) {
	t.Helper()
	other := *c
	got, r := drain(t, tl, c, shared)
	if same, _ := drain(t, tl, &other, alone); fmt.Sprint(same) != fmt.Sprint(got) || other != *c {
		t.Errorf("alone it got %v and is at %v, else %v and %v", same, other, got, *c)
	}
	if fmt.Sprint(got) != want || r != reach {
		t.Errorf("the cursor got %v and then %d, want %s and %d", got, r, want, reach)
	}
}

func TestTailServesCursors(t *testing.T) {
	tl := New("c", 4, 1<<20)
	tl.Begin(surewire.Position{Epoch: "e", Offset: 10})
	live, late := tl.End(), tl.End()
	wantDrain(t, tl, &live, "[]", Nothing)
	for o := uint64(11); o <= 13; o++ {
		tl.Push(durable(o))
	}
	tl.Push(ephemeral(1))
	wantDrain(t, tl, &live, `[11 12 13 "e1"]`, Nothing)
	tl.Push(durable(14))
	wantDrain(t, tl, &live, `[14]`, Nothing)
	wantDrain(t, tl, &late, `[]`, Behind) // 11 has been dropped

	late.Offset = 12 // as after a read of history
	wantDrain(t, tl, &late, `[13 "e1" 14]`, Nothing)
	ahead := After(15) // history was newer than the tail
	tl.Push(ephemeral(2))
	wantDrain(t, tl, &ahead, `[]`, Nothing)
	tl.Push(durable(15))
	wantDrain(t, tl, &ahead, `[]`, Nothing)
	tl.Push(durable(16))
	wantDrain(t, tl, &ahead, `[16]`, Nothing)
}

func TestTailDropsEphemeralForTheLagging(t *testing.T) {
	tl := New("c", 2, 1<<20)
	tl.Begin(surewire.Position{Epoch: "e", Offset: 1})
	c := tl.End()
	for i := range 5 {
		tl.Push(ephemeral(i))
	}
	wantDrain(t, tl, &c, `["e3" "e4"]`, Nothing)
}

func TestTailRefusesWhatDoesNotFollow(t *testing.T) {
	tl := New("c", 4, 1<<20)
	tl.Begin(surewire.Position{Epoch: "e", Offset: 10})
	other := durable(11)
	other.Position.Epoch = "f"
	for _, c := range []struct {
		name string
		m    *surewire.Message
		ok   bool
	}{
		{"a gap", durable(12), false}, {"another epoch", other, false},
		{"what it has", durable(10), true}, {"the next", durable(11), true}, {"a double", durable(11), true},
	} {
		if ok := tl.Push(c.m); ok != c.ok {
			t.Errorf("%s: push returned %v", c.name, ok)
		}
	}
	if len(tl.entries) != 1 || tl.head != 11 {
		t.Errorf("the tail has %d entries up to %d, want 1 up to 11", len(tl.entries), tl.head)
	}
}

func TestTailFedBeforeItBegins(t *testing.T) {
	tl := New("c", 4, 1<<20)
	tl.Push(ephemeral(1))
	tl.Push(durable(6))
	tl.Begin(surewire.Position{Epoch: "e", Offset: 5})
	c := After(5)
	wantDrain(t, tl, &c, `["e1" 6]`, Nothing)
}

func TestTailIsBoundedInBytes(t *testing.T) {
	tl := New("c", 100, 64)
	tl.Begin(surewire.Position{Epoch: "e"})
	for o := uint64(1); o <= 20; o++ {
		m := durable(o)
		m.Data = bytes.Repeat([]byte("1"), 20)
		tl.Push(m)
	}
	if len(tl.entries) != 3 || tl.base != 17 {
		t.Errorf("%d entries after offset %d, want 3 after 17", len(tl.entries), tl.base)
	}
	big := durable(21)
	big.Data = bytes.Repeat([]byte("1"), 1000)
	tl.Push(big)
	if len(tl.entries) != 1 {
		t.Errorf("%d entries, want the big one alone", len(tl.entries))
	}
}

// A cursor gets what was pushed after it, whole, whatever it asks when; frames
// that lie in one piece are the same bytes for every reader.
func TestTailRandomly(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		tl := New("c", 4+r.IntN(60), 1<<20)
		tl.Begin(surewire.Position{Epoch: "e"})
		type reader struct {
			Cursor
			next uint64
		}
		readers := make([]reader, 5)
		for i := range readers {
			readers[i] = reader{tl.End(), 1}
		}
		for o := uint64(1); o <= 300; o++ {
			tl.Push(durable(o))
			if r.IntN(4) == 0 {
				tl.Push(ephemeral(int(o)))
			}
			one := &readers[r.IntN(len(readers))]
			read := shared
			if r.IntN(3) == 0 {
				read = alone
			}
			data, reach := drain(t, tl, &one.Cursor, read)
			for _, d := range data {
				if d[0] == '"' {
					continue
				}
				if d != fmt.Sprint(one.next) {
					t.Fatalf("seed %d: got %s, want %d", seed, d, one.next)
				}
				one.next++
			}
			if reach == Behind {
				if one.next > tl.base {
					t.Fatalf("seed %d: behind at %d, though the tail begins after %d", seed, one.next, tl.base)
				}
				one.Cursor = After(tl.base + uint64(r.IntN(int(o-tl.base)+1)))
				one.next = one.Offset + 1
			} else if one.Offset != o {
				t.Fatalf("seed %d: the cursor is at %d, want %d", seed, one.Offset, o)
			}
		}
	}
}

func TestFramesAreShared(t *testing.T) {
	tl := New("c", 256, 1<<20)
	tl.Begin(surewire.Position{Epoch: "e"})
	one, two := tl.End(), tl.End()
	var pieces int
	for o := uint64(1); o <= 100; o++ {
		tl.Push(durable(o))
		b, _, _ := tl.Read(&one, lines)
		if cap(b) != len(b) {
			t.Fatal("a shared slice can be appended to")
		}
	}
	for {
		b, _, r := tl.Read(&two, lines)
		if len(b) == 0 {
			break
		}
		if pieces++; r == Behind {
			t.Fatal("behind")
		}
	}
	if pieces > 12 {
		t.Errorf("100 small frames came in %d pieces", pieces)
	}
}

// Who reads alone has its frames to itself. Others who come get those they want.
func TestFramesOfWhoIsAlone(t *testing.T) {
	tl := New("c", 256, 1<<20)
	tl.Begin(surewire.Position{Epoch: "e"})
	one, two := tl.End(), tl.End()
	push := func(from, to uint64) {
		for o := from; o <= to; o++ {
			tl.Push(durable(o))
		}
	}
	push(1, 10)
	if b, n, r := tl.Append([]byte("own\n"), &one, lines); string(b) != "own\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n" || n != 10 || r != Nothing {
		t.Errorf("it got %q, %d frames, and then %d", b, n, r)
	}
	if tl.framed != 0 {
		t.Errorf("%d bytes of frames are kept", tl.framed)
	}
	push(11, 12)
	wantDrain(t, tl, &one, "[11 12]", Nothing)
	if tl.framed != len("11\n12\n") {
		t.Errorf("%d bytes of frames are kept, want two frames", tl.framed)
	}
	wantDrain(t, tl, &two, "[1 2 3 4 5 6 7 8 9 10 11 12]", Nothing) // before what is kept
	push(13, 20)
	drain(t, tl, &one, alone)
	push(21, 22)
	wantDrain(t, tl, &one, "[21 22]", Nothing)
	if tl.framed != len("21\n22\n") {
		t.Errorf("%d bytes of frames are kept, though nobody wanted those before", tl.framed)
	}
	wantDrain(t, tl, &two, "[13 14 15 16 17 18 19 20 21 22]", Nothing)
	if size := tl.Clear(); size <= 0 || tl.Size() != 0 {
		t.Errorf("its size was %d, and is %d", size, tl.Size())
	}
}

func BenchmarkTail(b *testing.B) {
	tl := New("c", 256, 1<<20)
	tl.Begin(surewire.Position{Epoch: "e"})
	readers := make([]Cursor, 100)
	for i := range readers {
		readers[i] = tl.End()
	}
	b.ReportAllocs()
	for o := uint64(1); b.Loop(); o++ {
		tl.Push(durable(o))
		for i := range readers {
			tl.Read(&readers[i], lines)
		}
	}
}
