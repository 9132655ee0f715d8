package shelf

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A shelf is a map that yields by name.
func TestShelfIsAMap(t *testing.T) {
	var s Shelf[int]
	m := map[string]int{}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 5000 {
		name := fmt.Sprint("c", rng.IntN(40))
		switch rng.IntN(3) {
		case 0:
			s.Delete(name)
			delete(m, name)
		default:
			s.Set(name, i)
			m[name] = i
		}
		got, ok := s.Get(name)
		if want, has := m[name]; got != want || ok != has || s.Len() != len(m) {
			t.Fatalf("%q is %d, %v of %d; want %d, %v of %d", name, got, ok, s.Len(), want, has, len(m))
		}
	}
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	all := slices.Collect(s.All())
	for i, name := range names {
		if all[i] != m[name] {
			t.Errorf("number %d is %d, want that of %q", i, all[i], name)
		}
	}
}
