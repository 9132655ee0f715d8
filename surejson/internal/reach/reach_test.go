package reach_test

import (
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/surewire/surewire/surejson/internal/reach"
)

type (
	list    struct{ Next *list }
	forest  []forest
	names   map[string]names
	itself  *itself
	keyed   map[*keyed]int
	row     struct{ Tags []string }
	through struct{ m map[int][2]*through }
	held    struct{ p atomic.Pointer[held] }
)

func TestItself(t *testing.T) {
	for _, c := range []struct {
		value any
		want  bool
	}{
		{new(list), true}, {forest{}, true}, {names{}, true}, {itself(nil), true}, {keyed{}, true}, {new(through), true}, {new(held), true},
		{[]any{}, true}, {map[string]any{}, true}, {new(any), true}, {map[any]int{}, true}, {[]error{}, true},
		{new(slog.Value), true}, {[]reflect.Value{}, true}, {new(sync.Map), true}, {map[string]atomic.Value{}, true}, {new(atomic.Pointer[int]), true},
		{[]string{}, false}, {map[string][]row{}, false}, {new(row), false}, {[]*row{}, false}, {new(int), false}, {map[[2]int]time.Duration{}, false}, {new(atomic.Int64), false},
		{[]*list{}, false}, // its elements may, and are looked after themselves
	} {
		if got := reach.Itself(reflect.TypeOf(c.value)); got != c.want {
			t.Errorf("%T: %v", c.value, got)
		}
	}
}
