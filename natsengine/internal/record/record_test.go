package record_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine/internal/record"
)

func publications() map[string]surewire.Publication {
	return map[string]surewire.Publication{
		"plain": {Data: []byte(`{"a":1}`)},
		"empty": {},
		"full": {
			Data: []byte(`1`), ID: "x\r\nSurewire: y", TTL: 90 * time.Second, Tags: map[string]string{"a": "<b>\n", "ü": ""},
			Info: &surewire.ClientInfo{Client: "c", User: "42", Conn: []byte("{ }\n"), Chan: []byte{0, 255}},
		},
		"join": {Kind: surewire.KindJoin, Info: &surewire.ClientInfo{}},
	}
}

// store returns m as the server hands it out.
func store(m *nats.Msg) *nats.Msg {
	m.Header.Set(nats.JSSequence, "77")
	m.Header.Set(nats.JSTimeStamp, "2026-01-02T03:04:05.678901234Z")
	return m
}

func TestRecord(t *testing.T) {
	for name, p := range publications() {
		want := &record.Record{Head: record.Head{Epoch: "e", Offset: 129, Jump: 60}, Prev: 70, Nonce: "n1"}
		m, err := want.Write("s", p)
		if err != nil {
			t.Fatal(err)
		}
		got, err := record.Read(store(m))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want.Seq = 77
		want.M = surewire.Message{Publication: p, Position: surewire.Position{Epoch: "e", Offset: 129}, Time: got.M.Time}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: read %+v, want %+v", name, got, want)
		}
		if at := got.M.Time.UTC().Format(time.RFC3339Nano); at != "2026-01-02T03:04:05.678901234Z" {
			t.Errorf("%s: the time is %s", name, at)
		}
		if _, _, ok := record.ReadLive(m); ok {
			t.Errorf("%s: what is stored was read as ephemeral", name)
		}
	}
}

func TestLive(t *testing.T) {
	for name, p := range publications() {
		p.Ephemeral = true
		m, err := record.WriteLive("s", record.Head{Epoch: "e", Offset: 3}, p)
		if err != nil {
			t.Fatal(err)
		}
		got, after, ok := record.ReadLive(m)
		if !ok || after != (surewire.Position{Epoch: "e", Offset: 3}) || !reflect.DeepEqual(got.Publication, p) {
			t.Errorf("%s: read %+v after %v, %v, want %+v", name, got, after, ok, p)
		}
		if _, err := record.Read(m); !errors.Is(err, record.ErrForeign) {
			t.Errorf("%s: what is ephemeral was read as stored: %v", name, err)
		}
	}
	m, err := record.WriteLive("s", record.Head{}, surewire.Publication{})
	if err != nil {
		t.Fatal(err)
	}
	if _, after, ok := record.ReadLive(m); !ok || after != (surewire.Position{}) {
		t.Errorf("from one who knows no head: %v, %v", after, ok)
	}
}

func TestHeadersHaveALimit(t *testing.T) {
	p := surewire.Publication{Tags: map[string]string{"a": strings.Repeat("x", 64<<10)}}
	if _, err := new(record.Record).Write("s", p); !errors.Is(err, surewire.ErrTooLarge) {
		t.Errorf("Write returned %v", err)
	}
	if _, err := record.WriteLive("s", record.Head{}, p); !errors.Is(err, surewire.ErrTooLarge) {
		t.Errorf("WriteLive returned %v", err)
	}
}

// The links name, in each record, the newest before it at a multiple of Stride.
func TestLinks(t *testing.T) {
	seqs := map[uint64]uint64{}
	var head record.Head
	for seq := uint64(5); seq < 2000; seq += 3 {
		r := head.Next()
		if want := seqs[(r.Offset-1)/record.Stride*record.Stride]; r.Jump != want {
			t.Fatalf("offset %d links to %d, want %d", r.Offset, r.Jump, want)
		}
		r.Seq = seq
		seqs[r.Offset] = seq
		head = r.AsHead()
	}
	mark := record.Record{Head: head, Mark: true}
	if h := mark.AsHead(); h.Jump != 0 || h.Offset != head.Offset {
		t.Errorf("after a mark: %+v", h)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("e 1 2 3 n", `{"id":"x"}`, "1", "2026-01-02T03:04:05Z")
	f.Add("e 1 2 3 n -", ``, "1", "2026-01-02T03:04:05Z")
	f.Add("~ e 1", `{`, "", "")
	f.Fuzz(func(t *testing.T, place, meta, seq, at string) {
		h := nats.Header{"Surewire": {place}, "Surewire-Meta": {meta}, nats.JSSequence: {seq}, nats.JSTimeStamp: {at}}
		r, err := record.Read(&nats.Msg{Header: h})
		if err == nil && (r.Epoch == "" || strings.ContainsAny(r.Epoch, " \n")) {
			t.Errorf("the epoch is %q", r.Epoch)
		}
		record.ReadLive(&nats.Msg{Header: h})
	})
}
