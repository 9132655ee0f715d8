package message

import (
	"encoding/json"
	"testing"
)

func TestMessage(t *testing.T) {
	for _, n := range []uint64{1, 2, 999, 123456789} {
		m := New(n, 1700000000123456)
		if len(m) != Size || len(template) != Size || !json.Valid(m) {
			t.Fatalf("%d bytes, want %d of JSON: %s", len(m), Size, m)
		}
		got, at, ok := Parse(append(m, ",..."...))
		if !ok || got != n || at != 1700000000123456 {
			t.Errorf("message %d was read as %d at %d, %v", n, got, at, ok)
		}
	}
}

func TestParseSeesWhatIsWrong(t *testing.T) {
	m := New(7, 1700000000123456)
	if _, _, ok := Parse(m[:Size-1]); ok {
		t.Error("a part of a message is no message")
	}
	for i := range m {
		bad := append([]byte(nil), m...)
		bad[i] ^= 0x80
		if _, _, ok := Parse(bad); ok {
			t.Errorf("a change of byte %d was not seen", i)
		}
	}
}
