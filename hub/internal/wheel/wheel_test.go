package wheel

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// running runs a wheel in a bubble while f is at work.
func running(t *testing.T, interval, delay time.Duration, f func(w *Wheel[int]), turn, look, due func(int)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := New[int](interval, delay)
		nothing := func(int) {}
		for _, h := range []*func(int){&turn, &look, &due} {
			if *h == nil {
				*h = nothing
			}
		}
		done := make(chan struct{})
		go func() {
			w.Run(turn, look, due)
			close(done)
		}()
		f(w)
		w.Stop()
		<-done
	})
}

func TestTurnsAndLooks(t *testing.T) {
	turns, looks := make(map[int][]time.Time), make(map[int][]time.Time)
	note := func(m map[int][]time.Time) func(int) { return func(i int) { m[i] = append(m[i], time.Now()) } }
	running(t, 25*time.Second, 8*time.Second, func(w *Wheel[int]) {
		slots := make(map[int]int)
		for i := range 100 {
			slots[i] = w.Add(i)
		}
		time.Sleep(251 * time.Second)
		for i, slot := range slots {
			if i%2 == 0 {
				w.Remove(i, slot)
			}
		}
		time.Sleep(100 * time.Second)
	}, note(turns), note(looks), nil)
	for i := range 100 {
		want := 10
		if i%2 > 0 {
			want = 14
		}
		if n := len(turns[i]); n < want || n > want+1 {
			t.Fatalf("%d had %d turns, want %d", i, n, want)
		}
		for n, at := range turns[i][1:] {
			if d := at.Sub(turns[i][n]); d != 25*time.Second {
				t.Fatalf("%d had a turn after %v", i, d)
			}
		}
		for _, at := range turns[i][:len(turns[i])-1] {
			n, _ := slices.BinarySearchFunc(looks[i], at, time.Time.Compare)
			if n == len(looks[i]) {
				t.Fatalf("%d had no second look", i)
			}
			if d := looks[i][n].Sub(at); d < 8*time.Second || d > 10*time.Second {
				t.Fatalf("%d had a second look after %v", i, d)
			}
		}
	}
}

func TestTurnsSpread(t *testing.T) {
	w := New[int](time.Second, 0)
	for i := range 2500 {
		w.Add(i)
	}
	for slot, members := range w.members {
		if n := len(members); n < 50 || n > 150 {
			t.Errorf("slot %d has %d of 2500", slot, n)
		}
	}
}

// What is scheduled comes once, at the earliest time, within two seconds; what
// is removed does not come.
func TestSchedule(t *testing.T) {
	start := time.Time{}
	got := make(map[int][]time.Duration)
	want := make(map[int]time.Duration)
	running(t, time.Hour, time.Minute, func(w *Wheel[int]) {
		start = time.Now()
		r := rand.New(rand.NewPCG(1, 1))
		for i := range 1000 {
			for range 1 + r.IntN(3) {
				d := time.Duration(r.IntN(100_000)-1000) * time.Millisecond
				if was, ok := want[i]; !ok || d < was {
					want[i] = d
				}
				w.Schedule(i, start.Add(d))
			}
			if r.IntN(10) == 0 {
				w.Remove(i, -1)
				delete(want, i)
			}
		}
		time.Sleep(102 * time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.due)+len(w.dueAt) > 0 {
			t.Errorf("%d and %d are left", len(w.due), len(w.dueAt))
		}
	}, nil, nil, func(i int) { got[i] = append(got[i], time.Since(start)) })
	if len(got) != len(want) {
		t.Errorf("%d came, want %d", len(got), len(want))
	}
	for i, times := range got {
		if d := times[0] - max(want[i], 0); len(times) != 1 || d < 0 || d > 2*time.Second {
			t.Errorf("%d came %v, want %v", i, times, want[i])
		}
	}
}

// What is due may schedule itself, in the past too: it comes in another round.
func TestScheduleFromDue(t *testing.T) {
	n := 0
	var w *Wheel[int]
	running(t, time.Hour, time.Minute, func(made *Wheel[int]) {
		w = made
		w.Schedule(1, time.Now().Add(-time.Hour))
		time.Sleep(10*time.Second + time.Millisecond)
	}, nil, nil, func(int) {
		n++
		w.Schedule(1, time.Now().Add(-time.Hour))
	})
	if n < 9 || n > 10 {
		t.Errorf("it came %d times in 10 s", n)
	}
}

// A clock that is set by years, on a board without one of its own, must not hold
// the wheel up; one that is set back must not bring anything twice.
func TestAClockThatIsSet(t *testing.T) {
	w := New[int](time.Hour, time.Minute)
	now := time.Now()
	for i := range 10 {
		w.Schedule(i, now.Add(time.Duration(i)*time.Hour))
	}
	done := make(chan []int)
	go func() { done <- w.pass(now.Unix() + 1<<40) }()
	select {
	case got := <-done:
		if slices.Sort(got); !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("due are %v", got)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the wheel looks at every second since")
	}
	w.Schedule(1, now)
	if got := w.pass(now.Unix()); len(got) > 0 {
		t.Errorf("due are %v", got)
	}
}

func BenchmarkSchedule(b *testing.B) {
	w := New[int](25*time.Second, 8*time.Second)
	now := time.Now()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		w.Schedule(i%10_000, now.Add(time.Duration(i%3600)*time.Second))
		if i%10_000 == 0 {
			w.pass(w.passed + 3700)
		}
	}
}
