package record_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"testing"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine/internal/record"
)

func TestMembers(t *testing.T) {
	all := make(map[string]surewire.ClientInfo)
	for i := range 100 {
		id := fmt.Sprint(i)
		all[id] = surewire.ClientInfo{Client: id, User: "\xff", Conn: []byte{0, 0xff, '"'}}
		if i%2 == 0 {
			all[id] = surewire.ClientInfo{Client: id, Chan: make([]byte, 1000)}
		}
	}
	for size, want := range map[int]int{0: 100, 1 << 20: 1, 5000: 20} {
		parts := record.Members(all, size)
		if len(parts) > want {
			t.Errorf("%d parts of %d bytes, want at most %d", len(parts), size, want)
		}
		got := make(map[string]surewire.ClientInfo)
		for _, part := range parts {
			members, err := record.ReadMembers(part)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range members {
				got[m.Client] = m
			}
		}
		if !maps.EqualFunc(got, all, func(a, b surewire.ClientInfo) bool {
			return a.Client == b.Client && reflect.DeepEqual(a.Conn, b.Conn) && reflect.DeepEqual(a.Chan, b.Chan)
		}) {
			t.Errorf("%d members came back, or others", len(got))
		}
	}
	if parts := record.Members(nil, 1); len(parts) != 1 || string(parts[0]) != "[]" {
		t.Errorf("nobody is %q", parts)
	}
	if _, err := record.ReadMembers([]byte(`{`)); !errors.Is(err, record.ErrForeign) {
		t.Errorf("half of one: %v", err)
	}
}
