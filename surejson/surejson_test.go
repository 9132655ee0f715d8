package surejson_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/surewire/surewire/surejson"
)

func TestAppendKeepsWhatIsThere(t *testing.T) {
	var e *surejson.Encoder
	dst := make([]byte, 3, 1000)
	copy(dst, "abc")
	out, r := e.Append(dst, map[string]any{"a": make(chan int)})
	if string(out) != `abc{"a":null}` || &out[0] != &dst[0] || r.Repairs[0].Pointer != "/a" {
		t.Errorf("got %s, %v", out, r.Err())
	}
}

func TestMarshalOwnsItsBytes(t *testing.T) {
	a, _ := surejson.Marshal("first")
	surejson.Marshal("other")
	if string(a) != `"first"` {
		t.Errorf("got %s", a)
	}
}

func TestReport(t *testing.T) {
	_, r := surejson.Marshal(1)
	if !r.Clean() || r.Err() != nil || r.Repairs != nil {
		t.Errorf("%+v", r)
	}
	_, r = surejson.Marshal([]any{jsonError{}, jsonText("{")})
	var e *surejson.RepairError
	if !errors.As(r.Err(), &e) || e.Report.Total != 2 {
		t.Fatalf("%v", r.Err())
	}
	want := `surejson: 2 repaired: "/0" (surejson_test.jsonError): method-error, wrote null (no luck); ` +
		`"/1" (surejson_test.jsonText): invalid-json, wrote null (an early end at byte 1)`
	if e.Error() != want {
		t.Errorf("\n got %s\nwant %s", e, want)
	}
	many := surejson.Encoder{MaxRepairs: -1}
	if _, r := many.Append(nil, make([]func(), 3)); !r.Clean() {
		t.Errorf("%v", r.Err())
	}
	if _, r := many.Append(nil, []chan int{make(chan int)}); r.Clean() || len(r.Repairs) != 0 || r.Err() == nil {
		t.Errorf("%v", r.Err())
	}
}

func TestWroteIsShortened(t *testing.T) {
	_, r := surejson.Marshal(strings.Repeat("é", 1000) + "\xff")
	if w := r.Repairs[0].Wrote; len(w) > 100 || !strings.HasSuffix(w, "…") {
		t.Errorf("%q", w)
	}
	_, r = surejson.Marshal(map[string]any{"a": errors.New(strings.Repeat("x", 1000)), "b": jsonWeird{strings.Repeat("y", 1000)}})
	if d := r.Repairs[0].Detail; len(d) > 300 {
		t.Errorf("%q", d)
	}
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := surejson.Unsupported; r <= surejson.Internal; r++ {
		if name := r.String(); seen[name] || strings.Contains(name, "(") {
			t.Errorf("%d is %q", r, name)
		} else {
			seen[name] = true
		}
	}
	if surejson.Internal.String() != "internal" || surejson.Unsupported.String() != "unsupported" {
		t.Error("names are out of step")
	}
}

func TestReportAsJSON(t *testing.T) {
	_, r := surejson.Marshal([]any{make(chan int)})
	out, clean := surejson.Marshal(r)
	want := `{"repairs":[{"pointer":"/0","go_type":"chan int","reason":"unsupported","wrote":"null"}],"total":1}`
	if string(out) != want || !clean.Clean() {
		t.Errorf("\n got %s\nwant %s", out, want)
	}
}

// Plans are made on first use, by whichever goroutine comes first.
func TestFirstUseByMany(t *testing.T) {
	type a struct {
		B *a
		C map[string][]a
		D jsonValue
		E state
	}
	want, _ := json.Marshal(a{B: &a{}}.E.String())
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			out, r := surejson.Marshal(&a{B: &a{}, C: map[string][]a{"x": {{}}}})
			if !json.Valid(out) || !r.Clean() || !strings.Contains(string(out), string(want)) {
				t.Errorf("%s %v", out, r.Err())
			}
		})
	}
	wait.Wait()
}

func TestNilAsEmpty(t *testing.T) {
	e := surejson.Encoder{NilAsEmpty: true}
	out, _ := e.Append(nil, struct {
		S []int
		B []byte
		M map[string]int
		A map[string]any
		P *int
	}{})
	if want := `{"S":[],"B":"","M":{},"A":{},"P":null}`; string(out) != want {
		t.Errorf("got %s, want %s", out, want)
	}
}

// An encoding must not keep the value alive or show in the next one.
func TestNothingStays(t *testing.T) {
	for _, h := range append(plainTable(), edgeTable()...) {
		h.encoder.Append(nil, h.value)
		if out, r := surejson.Marshal(map[string]any{"a": []any{1}}); string(out) != `{"a":[1]}` || !r.Clean() {
			t.Fatalf("after %s: %s, %v", h.name, out, r.Err())
		}
	}
}

func TestNoAllocations(t *testing.T) {
	buf := make([]byte, 0, 4096)
	value := any(map[string]any{"a": 1, "b": []any{"x", 2.5, true, nil}, "c": map[string]string{"d": "e"}, "s": state(1), "n": []int{1}})
	for _, e := range []surejson.Encoder{{}, {MaxSize: 1000, Durations: surejson.DurationText}} {
		if n := testing.AllocsPerRun(100, func() { e.Append(buf, value) }); n > 0 && !allocates {
			t.Errorf("%v allocations", n)
		}
	}
}

// Nothing is allocated but what methods of the value allocate: each MarshalText
// of these values, of which there are so many, does so once.
func TestAllocationsAreThoseOfMethods(t *testing.T) {
	methods := map[string]float64{"a-event": 1, "b-eventmap": 0, "c-tool": 7, "d-large": 360, "e-chat": 0}
	var e surejson.Encoder
	for _, v := range benchmarkValues() {
		buf, _ := e.Append(nil, v.value)
		if n := testing.AllocsPerRun(100, func() { e.Append(buf[:0], v.value) }); n != methods[v.name] && !allocates {
			t.Errorf("%s: %v allocations, want %v", v.name, n, methods[v.name])
		}
	}
}

// A method that is trusted and exits all the same takes its caller's goroutine
// along, and is not trusted again.
func TestLateExit(t *testing.T) {
	type late struct{ V jsonLateExit }
	surejson.Marshal(late{})
	ended := make(chan bool)
	go func() {
		returned := false
		defer func() { ended <- returned }()
		surejson.Marshal(late{jsonLateExit{true}})
		returned = true
	}()
	if <-ended {
		t.Log("the exit was contained")
	}
	out, r := surejson.Marshal([]late{{jsonLateExit{true}}, {}})
	if string(out) != `[{"V":null},{"V":true}]` || r.Total != 1 || r.Repairs[0].Reason != surejson.MethodExit {
		t.Errorf("%s, %v", out, r.Err())
	}
}

func TestDefaultSizeEndsMultiplyingValues(t *testing.T) {
	out, r := surejson.Marshal(multiplied(40, strings.Repeat("x", 1000)))
	if len(out) > surejson.DefaultMaxSize || !json.Valid(out) || r.Total == 0 || r.Total > 50 || r.Repairs[0].Reason != surejson.TooLarge {
		t.Errorf("%d bytes, %.500s", len(out), r.Err())
	}
}

// Values of other types between two that are equal in all else.
func TestMaxSizeOfEverySize(t *testing.T) {
	value := map[string]any{"a": []any{"text é\n", 1.5, map[string]int{"x": 1}}, "b": json.RawMessage(`{"r":[1,2]}`), "c": struct {
		S []byte
		E state
	}{[]byte("bytes"), 1}, "d": map[state]string{1: "y"}}
	whole, _ := surejson.Marshal(value)
	for size := 1; size <= len(whole); size++ {
		e := surejson.Encoder{MaxSize: size}
		out, r := e.Append(nil, value)
		mustBeValid(t, out, r)
		if len(out) > max(size, 4) || r.Clean() != (size == len(whole)) {
			t.Errorf("%d: %s, %v", size, out, r.Err())
		}
	}
}

// Values of every kind, each longer than what is written unchecked while there
// is room, up to limits at every place of the output.
func TestMaxSizeAtEveryPlace(t *testing.T) {
	type wide struct {
		Text                                                                                                string
		ANameThatIsLongerThanAnyOtherNameAndThanWhatIsWrittenAtOnceSoThatItIsWrittenInTheGeneralWayAsItMust int
		Min, Max                                                                                            int64
		Small, Large                                                                                        float64
		Far                                                                                                 time.Time
		Yes                                                                                                 bool
		At                                                                                                  *int64
		Quoted                                                                                              int `json:",string"`
		State                                                                                               state
	}
	at := int64(math.MinInt64)
	row := wide{strings.Repeat("\x01", 50), math.MinInt64, math.MinInt64, math.MaxInt64, -1.2345678901234567e-6, math.MaxFloat64, time.Date(-290_000_000, 1, 1, 0, 0, 0, 999_999_999, time.FixedZone("", 3600)), true, &at, math.MinInt64, 1}
	value := []any{
		row, []wide{row, row}, []float64{row.Small, row.Small, row.Small, row.Small, row.Small, row.Small, row.Small, row.Small}, []int64{at, at, at, at, at, at, at, at},
		[]*int64{&at, nil, &at}, []time.Time{row.Far, row.Far, row.Far, row.Far}, []bool{true, false, true, true, true, true, true},
		map[string]string{"a": strings.Repeat("x", 39), strings.Repeat("b", 39): strings.Repeat("x", 39), strings.Repeat("c", 41): "y", "d": strings.Repeat("\x02", 41)},
		map[string]any{"a": strings.Repeat("x", 39), strings.Repeat("b", 39): strings.Repeat("x", 39), strings.Repeat("c", 41): row, "d": []string{strings.Repeat("é", 20), "e"}},
	}
	exact := surejson.Encoder{Integers: surejson.IntegersAsNumbers}
	for _, e := range []surejson.Encoder{{}, exact} {
		whole, all := e.Append(nil, value)
		for size := 4; size <= len(whole); size++ {
			e.MaxSize = size
			out, r := e.Append([]byte("before"), value)
			out = out[len("before"):]
			if !json.Valid(out) || len(out) > size || r.Has(surejson.TooLarge) != (size < len(whole)) {
				t.Fatalf("%d: %d bytes, %v\n%s", size, len(out), r.Err(), out)
			}
			if size == len(whole) && (string(out) != string(whole) || r.Total != all.Total) {
				t.Errorf("%s", out)
			}
		}
	}
}
