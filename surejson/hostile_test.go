package surejson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/surewire/surewire/surejson"
)

type state int

func (s state) String() string {
	switch s {
	case 0:
		return "connecting"
	case 1:
		return "connected"
	}
	return fmt.Sprintf("state(%d)", int(s))
}

type panicky struct{}

func (panicky) MarshalJSON() ([]byte, error) { panic("boom") }

type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, errors.New("no luck") }

func TestSmoke(t *testing.T) {
	cyc := map[string]any{"a": 1}
	cyc["self"] = cyc
	var i any
	i = &i
	for _, v := range []any{
		nil, 1, "x", 1.5, true, map[string]any{"b": 1, "a": []any{1, "2", nil}},
		state(1), state(7), map[state]int{0: 1, 1: 2}, math.NaN(), make(chan int),
		[]any{1, make(chan int), func() {}, complex(1, 2)},
		cyc, i, panicky{}, []any{failing{}, 1}, int64(1) << 60, struct {
			A int `json:"a"`
			B string
			C *int
			D any
			E state
		}{}, errors.New("bad"), json.RawMessage(`{"a": 9007199254740993}`), json.RawMessage(`{"a`),
	} {
		b, r := surejson.Marshal(v)
		if !json.Valid(b) || !utf8.Valid(b) {
			t.Errorf("invalid: %s", b)
		}
		t.Logf("%s %v", b, r.Err())
	}
}
