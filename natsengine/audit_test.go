package natsengine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/surewire/surewire"
)

// A place is where a publication is said to be, or was found.
type place struct {
	channel, id string
	at          surewire.Position
}

// audit compares what publishers were told with what is there. An ID is
// "writer-n": a writer publishes its n-th once the one before is acknowledged.
// It returns what is wrong.
func audit(told, found []place) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	there := map[string]place{}
	last := map[string]place{}    // by channel
	newest := map[string]uint64{} // by writer
	for _, f := range found {
		if before, ok := there[f.channel+" "+f.id]; ok {
			fault("%s is doubled, at %v and %v", f.id, before.at, f.at)
		}
		there[f.channel+" "+f.id] = f
		if before, ok := last[f.channel]; ok && (before.at.Epoch != f.at.Epoch || before.at.Offset+1 != f.at.Offset) {
			fault("in %s, after %v comes %v", f.channel, before.at, f.at)
		}
		last[f.channel] = f
		writer, n := number(f.id)
		if n <= newest[writer] {
			fault("%s comes after %d of the same writer", f.id, newest[writer])
		}
		newest[writer] = n
	}
	for _, a := range told {
		f, ok := there[a.channel+" "+a.id]
		switch {
		case !ok:
			fault("%s was acknowledged at %v and is not there", a.id, a.at)
		case f.at != a.at:
			fault("%s was acknowledged at %v and is at %v", a.id, a.at, f.at)
		}
	}
	return faults
}

// number splits an ID.
func number(id string) (writer string, n uint64) {
	i := strings.LastIndexByte(id, '-')
	if i < 0 {
		return id, 0
	}
	fmt.Sscan(id[i+1:], &n)
	return id[:i], n
}

// The audit is worth what it can see: a good log, and each way to spoil it.
func TestAuditFindsFaults(t *testing.T) {
	log := func() (out []place) {
		for i := range uint64(6) {
			out = append(out, place{"c", fmt.Sprintf("w%d-%d", i%2, i/2+1), surewire.Position{Epoch: "e", Offset: i + 1}})
		}
		return out
	}
	if faults := audit(log(), log()); len(faults) > 0 {
		t.Errorf("in a good log: %q", faults)
	}
	if faults := audit(nil, log()); len(faults) > 0 {
		t.Errorf("in a log with what was not acknowledged: %q", faults)
	}
	for _, c := range []struct {
		name, want string
		spoil      func(found []place) []place
	}{
		{"lost at the end", "is not there", func(f []place) []place { return f[:5] }},
		{"lost within", "after {e 2} comes {e 4}", func(f []place) []place { return slices.Delete(f, 2, 3) }},
		{"lost and closed up", "is not there", func(f []place) []place {
			f = slices.Delete(f, 2, 3)
			for i := range f {
				f[i].at.Offset = uint64(i + 1)
			}
			return f
		}},
		{"doubled", "w1-3 is doubled", func(f []place) []place {
			again := f[5]
			again.at.Offset++
			return append(f, again)
		}},
		{"reordered", "w0-1 comes after 2", func(f []place) []place {
			f[0].id, f[2].id = f[2].id, f[0].id
			return f
		}},
		{"a new epoch within", "after {e 5} comes {f 6}", func(f []place) []place {
			f[5].at.Epoch = "f"
			return f
		}},
		{"elsewhere", "and is at {e 7}", func(f []place) []place {
			f[5].at.Offset++
			return f
		}},
	} {
		faults := audit(log(), c.spoil(log()))
		if !strings.Contains(strings.Join(faults, "\n"), c.want) {
			t.Errorf("%s: found %q, want %q", c.name, faults, c.want)
		}
	}
}
