package typemap_test

import (
	"reflect"
	"sync"
	"testing"

	"github.com/surewire/surewire/surejson/internal/typemap"
)

func TestMap(t *testing.T) {
	var m typemap.Map[int]
	if m.Load(reflect.TypeFor[int]()) != nil {
		t.Error("the zero Map holds something")
	}
	typ := func(i int) reflect.Type { return reflect.ArrayOf(i, reflect.TypeFor[int8]()) }
	var wait sync.WaitGroup
	for w := range 4 {
		wait.Go(func() {
			for i := w; i < 400; i += 4 {
				m.Store(typ(i), &i)
				m.Store(typ(i), &i)
			}
		})
	}
	wait.Wait()
	for i := range 400 {
		if v := m.Load(typ(i)); v == nil || *v != i {
			t.Fatalf("%d: %v", i, v)
		}
	}
	if m.Load(typ(400)) != nil {
		t.Error("a type that was not stored")
	}
}
