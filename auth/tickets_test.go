package auth_test

import (
	"bytes"
	"errors"
	"maps"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/surewire/surewire/auth"
)

func TestTickets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tickets := auth.NewTickets(auth.TicketsConfig{})
		payload := []byte("user 42")
		redeem := func(name, want, reason string) {
			t.Helper()
			got, err := tickets.Redeem(name)
			if reason == "" {
				if err != nil || string(got) != want {
					t.Errorf("got %q, %v", got, err)
				}
				return
			}
			if got != nil || !errors.Is(err, auth.ErrTicket) || !strings.Contains(err.Error(), reason) || name != "" && strings.Contains(err.Error(), name) {
				t.Errorf("got %q, %v, want ErrTicket: %s", got, err, reason)
			}
		}
		first := must(tickets.Issue(payload, time.Second))
		second := must(tickets.Issue(payload, 0))
		third := must(tickets.Issue(nil, time.Hour))
		payload[0] = 'X'
		if !regexp.MustCompile(`^[A-Z2-7]{26}$`).MatchString(first) || first == second {
			t.Errorf("got %s and %s", first, second)
		}
		redeem(first, "user 42", "")
		redeem(first, "", "redeemed before")
		redeem(strings.ToLower(second), "", "unknown")
		redeem("", "", "not one")
		redeem(strings.Repeat("A", 1<<20), "", "not one")
		time.Sleep(time.Minute - time.Nanosecond)
		redeem(second, "user 42", "")
		time.Sleep(time.Nanosecond)
		redeem(third, "", "expired") // not later than MaxTTL
		redeem(third, "", "expired")
		redeem(first, "", "redeemed before")
	})
}

// What ends makes room, and the log tells it from what never was for a while.
func TestTicketsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tickets := auth.NewTickets(auth.TicketsConfig{Max: 10})
		issue := func() string { return must(tickets.Issue([]byte("x"), time.Minute)) }
		var names []string
		for range 10 {
			names = append(names, issue())
		}
		if _, err := tickets.Issue(nil, time.Minute); !errors.Is(err, auth.ErrFull) {
			t.Errorf("got %v, want ErrFull", err)
		}
		if _, err := tickets.Redeem(names[0]); err != nil {
			t.Fatal(err)
		}
		names = append(names, issue()) // in the room of the one redeemed
		time.Sleep(time.Minute)
		for range 10 { // in the room of those that have expired
			issue()
		}
		if _, err := tickets.Issue(nil, time.Minute); !errors.Is(err, auth.ErrFull) {
			t.Errorf("got %v, want ErrFull", err)
		}
		// The last ten that ended are told from unknown ones, the eleventh is forgotten.
		reasons := map[string]int{}
		for _, name := range names {
			_, err := tickets.Redeem(name)
			if !errors.Is(err, auth.ErrTicket) {
				t.Errorf("got %v", err)
			}
			reasons[err.Error()]++
		}
		want := map[string]int{"ticket is invalid: it has expired": 10, "ticket is invalid: it is unknown, or long gone": 1}
		if !maps.Equal(reasons, want) {
			t.Errorf("got %v, want %v", reasons, want)
		}
		if _, err := tickets.Issue(bytes.Repeat([]byte("x"), auth.MaxToken+1), 0); err == nil {
			t.Error("a large payload was taken")
		}
	})
}

func TestTicketIsRedeemedOnce(t *testing.T) {
	tickets := auth.NewTickets(auth.TicketsConfig{})
	for range 20 {
		name := must(tickets.Issue([]byte("x"), time.Minute))
		var redeemed atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := tickets.Redeem(name); err == nil {
					redeemed.Add(1)
				}
			})
		}
		wg.Wait()
		if redeemed.Load() != 1 {
			t.Fatalf("redeemed %d times", redeemed.Load())
		}
	}
}
