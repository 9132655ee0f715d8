package contain

import (
	"errors"
	"strings"
	"testing"
)

func TestCall(t *testing.T) {
	for name, c := range map[string]struct {
		f    func()
		want string
	}{
		"nothing":      {func() {}, ""},
		"a word":       {func() { panic("oops") }, "panic: oops"},
		"an error":     {func() { panic(errors.New("oops")) }, "panic: oops"},
		"nil":          {func() { panic(nil) }, "panic: panic called with nil"},
		"what is nil":  {func() { var m map[int]int; m[1] = 1 }, "panic: assignment to entry in nil map"},
		"what panics":  {func() { panic(stringer{}) }, "panic: %!v(PANIC=String method: twice)"},
		"a second one": {func() { Call(func() { panic("inner") }); panic("outer") }, "panic: outer"},
	} {
		err := Call(c.f)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var p *PanicError
		if !errors.As(err, &p) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		} else if !strings.Contains(err.Error(), "contain.TestCall") {
			t.Errorf("%s: the error does not say where:\n%v", name, err)
		}
	}
}

type stringer struct{}

func (stringer) String() string { panic("twice") }
