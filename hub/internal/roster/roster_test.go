package roster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A roster behaves as a list would that is searched from end to end.
func TestRandomly(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		r := New[string]()
		type one struct {
			*Member[string]
			user  string
			named bool
		}
		var all []one
		for n := range 300 {
			switch k := rng.IntN(3); {
			case k == 0 || len(all) == 0:
				m := &Member[string]{Of: fmt.Sprint(n)}
				if !r.Add(m, m.Of) {
					t.Fatal("an open roster refused a member")
				}
				all = append(all, one{m, "", false})
			case k == 1:
				i := rng.IntN(len(all))
				if all[i].named {
					continue
				}
				all[i].named, all[i].user = true, []string{"", "u", "v"}[rng.IntN(3)]
				r.Name(all[i].Member, all[i].user, 0)
			default:
				i := rng.IntN(len(all))
				r.Remove(all[i].Member)
				all = slices.Delete(all, i, i+1)
			}
			for _, user := range []string{"", "u", "v"} {
				var want []string
				for _, o := range all {
					if o.named && o.user == user {
						want = append(want, o.Of)
					}
				}
				got := r.Find(user, "")
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d: found %q of user %q, want %q", seed, got, user, want)
				}
			}
			if len(all) > 0 {
				o := all[rng.IntN(len(all))]
				for _, user := range []string{"", "u", "v"} {
					want := o.named && (user == "" || user == o.user)
					if got := r.Find(user, o.Of); (len(got) == 1 && got[0] == o.Of) != want {
						t.Fatalf("seed %d: found %q by ID and user %q, want %v", seed, got, user, want)
					}
				}
			}
			if r.Len() != len(all) || len(r.All()) != len(all) {
				t.Fatalf("seed %d: %d are there, want %d", seed, r.Len(), len(all))
			}
		}
		for _, o := range all {
			r.Remove(o.Member)
		}
		if len(r.ids)+len(r.users) > 0 {
			t.Fatalf("seed %d: %d and %d are left", seed, len(r.ids), len(r.users))
		}
	}
}

func TestClose(t *testing.T) {
	r := New[int]()
	one, two := &Member[int]{Of: 1}, &Member[int]{Of: 2}
	r.Add(one, "1")
	empty := r.Close()
	if r.Close() != nil {
		t.Error("it was closed twice")
	}
	if r.Add(two, "2") || r.Name(one, "u", 0) == nil {
		t.Error("a closed roster took a member, or a name")
	}
	select {
	case <-empty:
		t.Error("it is said to be empty")
	default:
	}
	r.Remove(one)
	<-empty
	<-New[int]().Close() // nobody was there
}

func TestDismiss(t *testing.T) {
	for _, c := range []struct {
		members int
		left    time.Duration // of ctx; 0 for no end, negative for one that is over
		want    time.Duration
	}{{0, 0, 0}, {1, 0, 0}, {19, 0, 0}, {500, 0, 490 * time.Millisecond}, {500, 200 * time.Millisecond, 90 * time.Millisecond}, {500, -1, 0}} {
		synctest.Test(t, func(t *testing.T) {
			r := New[int]()
			for i := range c.members {
				r.Add(&Member[int]{Of: i}, fmt.Sprint(i))
			}
			ctx := t.Context()
			if c.left != 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.left)
				defer cancel()
			}
			start, seen := time.Now(), make(map[int]bool)
			r.Dismiss(ctx, func(i int) { seen[i] = true })
			if d := time.Since(start); d != c.want || len(seen) != c.members {
				t.Errorf("%+v: %d in %v", c, len(seen), d)
			}
		})
	}
}
