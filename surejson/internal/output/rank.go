package output

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// A Pair is a member of a map[string]V while that is written.
type Pair[V any] struct {
	Name  string
	Value V
}

// A Rank stands for a Pair while names are sorted: it is small, and nothing
// for the garbage collector.
type Rank struct {
	Index  int    // of the Pair
	prefix uint64 // the first bytes of the name, in an order like that of names
}

// NewRank returns the Rank of a Pair with the given name.
func NewRank(name string, index int) Rank {
	r := Rank{Index: index}
	if len(name) >= 8 {
		r.prefix = binary.BigEndian.Uint64([]byte(name[:8]))
		return r
	}
	for i := range len(name) {
		r.prefix |= uint64(name[i]) << (56 - 8*i)
	}
	return r
}

// few is how many are sorted by insertion.
const few = 16

// Sort sorts by name, bytewise.
func Sort[V any](ranks []Rank, pairs []Pair[V]) {
	if len(ranks) > few {
		slices.SortFunc(ranks, func(a, b Rank) int {
			if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
				return c
			}
			return strings.Compare(pairs[a.Index].Name, pairs[b.Index].Name)
		})
		return
	}
	for i := 1; i < len(ranks); i++ {
		r, j := ranks[i], i
		for ; j > 0; j-- {
			before := ranks[j-1]
			if before.prefix < r.prefix || before.prefix == r.prefix && pairs[before.Index].Name < pairs[r.Index].Name {
				break
			}
			ranks[j] = before
		}
		ranks[j] = r
	}
}
