package auth_test

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/surewire/surewire/auth"
)

// A hand is a clock that the test moves.
type hand struct {
	mu sync.Mutex
	t  time.Time
}

func (h *hand) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.t
}

func (h *hand) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.t = h.t.Add(d)
}

func TestRevocations(t *testing.T) {
	h := &hand{t: now}
	r := auth.NewRevocations(auth.RevocationsConfig{Now: h.now, Lifetime: time.Hour})
	for _, x := range []auth.Revocation{
		{ID: "stolen"},
		{User: "banned"},
		{User: "logged out", Before: now},
		{User: "briefly", Until: now.Add(time.Minute)},
		{User: "logged out", Before: now.Add(-time.Hour), Until: now.Add(time.Minute)}, // says less than the one above
		{User: "past", Until: now}, // over already
	} {
		if err := r.Revoke(x); err != nil {
			t.Fatal(err)
		}
	}
	check := func(user, id string, issued time.Time, revoked bool) {
		t.Helper()
		if err := r.Check(user, id, issued); revoked != errors.Is(err, auth.ErrRevoked) || !revoked && err != nil {
			t.Errorf("%q, %q, %v: got %v, want revoked %v", user, id, issued, err, revoked)
		}
	}
	check("any", "stolen", now, true)
	check("stolen", "any", now, false)
	check("banned", "any", now, true)
	check("banned", "", now.Add(time.Minute), true)
	check("any", "banned", now, false)
	check("logged out", "any", now.Add(-time.Second), true)
	check("logged out", "any", time.Time{}, true)
	check("logged out", "any", now, false)
	check("briefly", "any", now, true)
	check("past", "any", time.Time{}, false)
	check("", "", time.Time{}, false)
	want := []auth.Revocation{
		{User: "banned", Until: now.Add(time.Hour)},
		{User: "briefly", Until: now.Add(time.Minute)},
		{User: "logged out", Before: now, Until: now.Add(time.Hour)},
		{ID: "stolen", Until: now.Add(time.Hour)},
	}
	if got := r.Snapshot(); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
	h.move(time.Minute)
	check("briefly", "any", now, false)
	check("logged out", "any", now.Add(-time.Second), true)
	r.Withdraw("banned", "")
	check("banned", "any", now, false)
	r.Withdraw("", "stolen")
	check("any", "stolen", now, false)
	h.move(time.Hour)
	check("logged out", "any", now.Add(-time.Second), false)
	if got := r.Snapshot(); len(got) != 0 {
		t.Errorf("after all have ended: got %+v", got)
	}
	if err := (*auth.Revocations)(nil).Check("a", "b", now); err != nil {
		t.Errorf("nil revokes: %v", err)
	}
}

func TestRevocationsRefuse(t *testing.T) {
	r := auth.NewRevocations(auth.RevocationsConfig{Now: clock})
	for _, x := range []auth.Revocation{{}, {User: "a", ID: "b"}, {ID: "b", Before: now}, {Before: now}} {
		if err := r.Revoke(x); err == nil {
			t.Errorf("%+v was taken", x)
		}
	}
}

// When there is no room nothing is dropped, what is known can be extended, and
// what has ended makes room.
func TestRevocationsAreBounded(t *testing.T) {
	h := &hand{t: now}
	r := auth.NewRevocations(auth.RevocationsConfig{Max: 100, Now: h.now})
	for n := range 100 {
		x := auth.Revocation{ID: fmt.Sprint(n), Until: now.Add(time.Minute)}
		if n%2 == 0 {
			x = auth.Revocation{User: fmt.Sprint(n), Before: now, Until: now.Add(time.Hour)}
		}
		if err := r.Revoke(x); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Revoke(auth.Revocation{ID: "one more"}); !errors.Is(err, auth.ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	if err := r.Revoke(auth.Revocation{User: "one more", Before: now}); !errors.Is(err, auth.ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	for _, x := range []auth.Revocation{{ID: "1", Until: now.Add(time.Hour)}, {User: "0", Before: now.Add(time.Second)}} {
		if err := r.Revoke(x); err != nil {
			t.Errorf("what is known is extended: %v", err)
		}
	}
	if n := len(r.Snapshot()); n != 100 {
		t.Errorf("%d are kept, want 100", n)
	}
	h.move(time.Minute)
	for n := range 49 {
		if err := r.Revoke(auth.Revocation{User: fmt.Sprint("new ", n)}); err != nil {
			t.Fatalf("%d: %v", n, err)
		}
	}
	if err := r.Revoke(auth.Revocation{ID: "one more"}); !errors.Is(err, auth.ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	if r.Check("any", "1", now) == nil || r.Check("0", "", now) == nil {
		t.Error("what was extended has ended")
	}
}

func TestRevocationsConcurrently(t *testing.T) {
	r := auth.NewRevocations(auth.RevocationsConfig{Max: 50})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for n := range 500 {
				name := fmt.Sprint(w, n%10)
				_ = r.Revoke(auth.Revocation{User: name, Until: time.Now().Add(time.Duration(n%3) * time.Millisecond)})
				_ = r.Revoke(auth.Revocation{User: name, Before: time.Now()})
				_ = r.Check(name, "", time.Time{})
				if n%50 == 0 && len(r.Snapshot()) > 50 {
					t.Error("more are kept than are allowed")
				}
				r.Withdraw(name, "")
			}
		})
	}
	wg.Wait()
}
