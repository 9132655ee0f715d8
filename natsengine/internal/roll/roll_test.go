package roll

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

const patience = time.Second

// ask asks in a bubble, has others do their part once the question is out, and
// returns the answers, sorted, and how long they took.
func ask(t *testing.T, r *Roll[string], others func(number uint64)) ([]string, time.Duration) {
	t.Helper()
	began := time.Now()
	got, err := r.Ask(t.Context(), func(number uint64) error {
		go others(number)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got, time.Since(began)
}

func TestWhoIsKnownIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New[string](patience)
		if got, took := ask(t, r, func(uint64) {}); len(got) != 0 || took != 0 {
			t.Errorf("alone: %q after %v", got, took)
		}
		r.Heard("a")
		r.Heard("b")
		got, took := ask(t, r, func(n uint64) {
			r.Answered(n, "a", "a1", false)
			time.Sleep(10 * time.Millisecond)
			r.Answered(n, "b", "b1", true)
			r.Answered(n+1, "a", "of another question", true)
			time.Sleep(10 * time.Millisecond)
			r.Answered(n, "a", "a2", true)
		})
		if want := []string{"a1", "a2", "b1"}; !slices.Equal(got, want) || took != 20*time.Millisecond {
			t.Errorf("%q after %v, want %q", got, took, want)
		}
	})
}

func TestWhoDoesNotAnswerIsWaitedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New[string](patience)
		r.Heard("a")
		r.Heard("dead")
		answers := func(n uint64) { r.Answered(n, "a", "a", true) }
		for i, want := range []time.Duration{patience, 0} {
			if got, took := ask(t, r, answers); !slices.Equal(got, []string{"a"}) || took != want {
				t.Errorf("question %d: %q after %v, want %v", i, got, took, want)
			}
			synctest.Wait()
		}
		r.Answered(1, "dead", "too late", true) // but it is there
		got, took := ask(t, r, func(n uint64) {
			answers(n)
			r.Gone("dead")
		})
		if !slices.Equal(got, []string{"a"}) || took != 0 {
			t.Errorf("where one leaves: %q after %v", got, took)
		}
	})
}

// Who has much to say has as long as it takes.
func TestPatienceBeginsAnewWithEachPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New[string](patience)
		r.Heard("a")
		r.Heard("dead")
		got, took := ask(t, r, func(n uint64) {
			for range 3 {
				time.Sleep(patience / 2)
				r.Answered(n, "a", "part", false)
			}
			r.Answered(n, "a", "end", true)
		})
		if len(got) != 4 || took != 5*patience/2 {
			t.Errorf("%q after %v", got, took)
		}
	})
}

func TestAskFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New[string](patience)
		r.Heard("a")
		want := errors.New("not sent")
		if _, err := r.Ask(t.Context(), func(uint64) error { return want }); err != want {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience/2)
		defer cancel()
		if _, err := r.Ask(ctx, func(uint64) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if len(r.asked) != 0 || len(r.peers) != 1 {
			t.Errorf("%d questions and %d peers are left", len(r.asked), len(r.peers))
		}
	})
}
