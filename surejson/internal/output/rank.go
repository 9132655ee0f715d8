package output

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/surewire/surewire/surejson/internal/token"
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

// NewRank returns the Rank of a Pair with the given name, and whether that is
// UTF-8.
func NewRank(name string, index int) (r Rank, valid bool) {
	n := len(name)
	r.Index = index
	switch {
	case n >= 8:
		r.prefix = binary.BigEndian.Uint64([]byte(name[:8]))
		return r, token.Valid(name)
	case n >= 4:
		// The first four bytes, and the last four, which may be partly the same.
		first, last := binary.BigEndian.Uint32([]byte(name[:4])), binary.BigEndian.Uint32([]byte(name[n-4:]))
		r.prefix = uint64(first)<<32 | uint64(last)<<(64-8*n)
	default:
		for i := range n {
			r.prefix |= uint64(name[i]) << (56 - 8*i)
		}
	}
	return r, r.prefix&0x8080808080808080 == 0 || token.Valid(name)
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
