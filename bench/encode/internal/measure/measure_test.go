package measure

import (
	"errors"
	"reflect"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		list []float64
		want float64
	}{
		{nil, 0},
		{[]float64{7}, 7},
		{[]float64{9, 1}, 5},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 1000, 2}, 3},
	} {
		if got := Median(c.list); got != c.want {
			t.Errorf("of %v: %v, want %v", c.list, got, c.want)
		}
	}
	list := []float64{3, 1, 2}
	if Median(list); list[0] != 3 {
		t.Error("the caller's list was sorted")
	}
}

func TestSummarize(t *testing.T) {
	got := Summarize([]Sample{{NS: 30, Bytes: 8, Allocs: 1}, {NS: 10, Bytes: 9, Allocs: 1}, {NS: 20, Bytes: 700, Allocs: 2}})
	if want := (Summary{Rounds: 3, NS: 20, Min: 10, Max: 30, Bytes: 9, Allocs: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := Summarize(nil); got != (Summary{}) {
		t.Errorf("of nothing: %+v", got)
	}
}

var sink []byte

func TestRunCountsAllocations(t *testing.T) {
	s, err := Run(func() ([]byte, error) {
		sink = make([]byte, 64)
		return sink, nil
	}, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	// Others in the process may allocate too: at least, and not much more.
	if s.Allocs < 1 || s.Allocs > 2 || s.Bytes < 64 || s.Bytes > 200 || s.NS <= 0 {
		t.Errorf("one slice of 64 bytes: %+v", s)
	}
}

func TestRunFails(t *testing.T) {
	fault := errors.New("no")
	calls := 0
	if _, err := Run(func() ([]byte, error) {
		if calls++; calls > 5 {
			return nil, fault
		}
		return nil, nil
	}, time.Hour); !errors.Is(err, fault) {
		t.Errorf("got %v", err)
	}
}

func TestRoundsInterleave(t *testing.T) {
	var order []string
	task := func(name string) Task {
		return Task{Key{Encoder: name}, func() (Sample, error) {
			order = append(order, name)
			return Sample{NS: float64(len(order))}, nil
		}}
	}
	ticks := 0
	samples, err := Rounds([]Task{task("a"), task("b"), task("c"), task("d")}, 2, func(done, all int) {
		if ticks++; done != ticks || all != 8 {
			t.Errorf("tick %d of %d after %d tasks", done, all, ticks)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "c", "d", "c", "d", "a", "b"}; !reflect.DeepEqual(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if want := []Sample{{NS: 3}, {NS: 5}}; !reflect.DeepEqual(samples[Key{Encoder: "c"}], want) {
		t.Errorf("c: %v, want %v", samples[Key{Encoder: "c"}], want)
	}
	fault := errors.New("no")
	if _, err := Rounds([]Task{{Measure: func() (Sample, error) { return Sample{}, fault }}}, 1, nil); !errors.Is(err, fault) {
		t.Errorf("got %v", err)
	}
}

func TestRemaining(t *testing.T) {
	if got := Remaining(10*time.Second, 20, 80); got != 30*time.Second {
		t.Errorf("got %v", got)
	}
	if got := Remaining(time.Second, 0, 80); got != 0 {
		t.Errorf("at the start: %v", got)
	}
}
