package surejson_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/surewire/surewire/surejson"
)

func TestHas(t *testing.T) {
	few := surejson.Encoder{MaxRepairs: 1}
	_, r := few.Append(nil, []any{math.NaN(), make(chan int), jsonPanic{}})
	if len(r.Repairs) != 1 || r.Total != 3 {
		t.Fatalf("%+v", r)
	}
	want := map[surejson.Reason]bool{surejson.NonFinite: true, surejson.Unsupported: true, surejson.MethodPanic: true}
	for reason := surejson.Reason(0); reason < 40; reason++ {
		if r.Has(reason) != want[reason] {
			t.Errorf("%v: %v", reason, r.Has(reason))
		}
	}
	if (surejson.Report{}).Has(surejson.Unsupported) {
		t.Error("the zero Report has a reason")
	}
}

// What was repaired and then discarded is not in the output.
func TestHasForgetsWhatWasTakenBack(t *testing.T) {
	none := surejson.Encoder{MaxRepairs: -1, MaxSize: 30}
	_, r := none.Append(nil, []any{1, []any{math.NaN(), strings.Repeat("\n", 8), []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}}, "the end of this does not fit"})
	if !r.Has(surejson.TooLarge) || r.Total == 0 {
		t.Errorf("%+v", r)
	}
	// The key's own repair gives way to one that names the key.
	_, r = none.Append(nil, map[any]int{complex(1, 2): 1})
	if !r.Has(surejson.Unsupported) || r.Has(surejson.TooLarge) || r.Total != 1 {
		t.Errorf("%+v", r)
	}
	// The second key's reason is known already, the first one's is not listed.
	_, r = none.Append(nil, map[any]int{[1]float64{math.NaN()}: 1, [1]float64{math.Inf(1)}: 2})
	if !r.Has(surejson.NonFinite) || r.Has(surejson.Unsupported) {
		t.Errorf("%+v", r)
	}
}

func TestHasOfAReportThatWasRead(t *testing.T) {
	_, r := surejson.Marshal([]any{jsonError{}})
	text, _ := json.Marshal(r)
	var read surejson.Report
	if err := json.Unmarshal(text, &read); err != nil || !read.Has(surejson.MethodError) || read.Has(surejson.MethodPanic) {
		t.Errorf("%v, %s", err, text)
	}
	var e *surejson.RepairError
	if !errors.As(r.Err(), &e) || !e.Report.Has(surejson.MethodError) {
		t.Errorf("%v", r.Err())
	}
}
