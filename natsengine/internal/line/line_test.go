package line_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine/internal/line"
)

// enter takes a place and waits for the turn.
func enter(ctx context.Context, l *line.Lines, name string) (leave func(), err error) {
	p, err := l.Join(name)
	if err != nil {
		return nil, err
	}
	if err := p.Wait(ctx); err != nil {
		p.Leave()
		return nil, err
	}
	return p.Leave, nil
}

func TestTurnsAreInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := line.NewLines(100, 100)
		leave, err := enter(t.Context(), l, "a")
		if err != nil {
			t.Fatal(err)
		}
		order := make(chan int, 10)
		for i := range 10 {
			go func() {
				ctx := t.Context()
				if i == 4 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Second)
					defer cancel()
				}
				leave, err := enter(ctx, l, "a")
				if err != nil {
					order <- -i
					return
				}
				order <- i
				leave()
			}()
			synctest.Wait()
		}
		other, err := enter(t.Context(), l, "b")
		if err != nil {
			t.Fatal("another line is blocked")
		}
		other()
		time.Sleep(2 * time.Second)
		leave()
		synctest.Wait()
		for i, want := range []int{-4, 0, 1, 2, 3, 5, 6, 7, 8, 9} {
			if got := <-order; got != want {
				t.Errorf("the %dth to come through is %d, want %d", i, got, want)
			}
		}
		if n := l.Waiting(); n != 0 {
			t.Errorf("%d wait when all have left", n)
		}
	})
}

// Who does not wait is called, in order with those who do.
func TestThen(t *testing.T) {
	l := line.NewLines(100, 100)
	var order []int
	join := func() *line.Place {
		p, err := l.Join("a")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first, second, third, fourth := join(), join(), join(), join()
	first.Then(func() { order = append(order, 1) })
	second.Then(func() { order = append(order, 2); second.Leave() })
	fourth.Then(func() { order = append(order, 4); fourth.Leave() })
	if !slices.Equal(order, []int{1}) {
		t.Errorf("before the first leaves, %v have had their turn", order)
	}
	first.Leave()
	if err := third.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	order = append(order, 3)
	third.Leave()
	last := join()
	last.Then(func() { order = append(order, 5) })
	last.Leave()
	if !slices.Equal(order, []int{1, 2, 3, 4, 5}) || l.Waiting() != 0 {
		t.Errorf("their turn had, in order, %v; %d wait", order, l.Waiting())
	}
}

func TestTooManyAreBusy(t *testing.T) {
	l := line.NewLines(3, 2)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	join := func(name string, want error) {
		t.Helper()
		if _, err := enter(canceled, l, name); !errors.Is(err, want) {
			t.Errorf("the line %q: %v, want %v", name, err, want)
		}
	}
	join("a", nil)
	join("a", context.Canceled) // and so out again
	go enter(t.Context(), l, "a")
	for l.Waiting() < 2 {
		time.Sleep(time.Millisecond)
	}
	join("a", surewire.ErrBusy)
	join("b", nil)
	join("c", surewire.ErrBusy)
}

func TestRecentForgetsTheOldest(t *testing.T) {
	r := line.NewRecent[int, int](10)
	for i := range 100 {
		r.Put(i, i)
		if v, ok := r.Get(0); !ok || v != 0 {
			t.Fatalf("what is asked for was forgotten after %d", i)
		}
	}
	known := 0
	for i := range 100 {
		if _, ok := r.Get(99 - i); !ok {
			break
		}
		known++
	}
	if known < 9 || known > 20 {
		t.Errorf("the newest %d are known, want 9 to 20", known)
	}
}
