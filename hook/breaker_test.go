package hook

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Each script is a sequence of steps: "+" a request that worked, "-" one that
// failed, "?" one that says nothing, "x" one that must be refused, a number of
// seconds that pass, and a name that the state must have.
func TestBreaker(t *testing.T) {
	for _, script := range []string{
		"closed - - - - closed - open x",
		"- - - - + - - - - closed - open",
		"- - - - ? - open",
		"? ? ? ? ? ? ? closed",
		"- - - - - 29 open x 1 half-open",
		"- - - - - 30 half-open + half-open + closed",
		"- - - - - 30 - open x 29 x 1 + + closed",
		"- - - - - 30 + - open 30 half-open + + closed",
		"- - - - - 30 + ? half-open + closed",
		"- - - - - 30 + + - - - - closed - open",
		"- - - - - 3000 half-open",
	} {
		b := breaker{openAfter: 5, closeAfter: 2, openFor: 30 * time.Second}
		now := time.Unix(0, 0)
		for i, step := range strings.Fields(script) {
			at := fmt.Sprintf("%s: step %d, %q", script, i, step)
			var seconds int
			switch step {
			case "+", "-", "?":
				round, ok := b.begin(now)
				if !ok {
					t.Fatalf("%s: refused", at)
				}
				b.end(round, map[string]outcome{"+": worked, "-": failed, "?": unclear}[step], now)
			case "x":
				if _, ok := b.begin(now); ok || !b.refuses(now) {
					t.Fatalf("%s: not refused", at)
				}
			default:
				if _, err := fmt.Sscan(step, &seconds); err == nil {
					now = now.Add(time.Duration(seconds) * time.Second)
				} else if s, _ := b.now(now); s.String() != step {
					t.Fatalf("%s: the state is %v", at, s)
				}
			}
		}
	}
}

// A half-open breaker lets one request through at a time, and hears of no other.
func TestBreakerRounds(t *testing.T) {
	b := breaker{openAfter: 2, closeAfter: 2, openFor: time.Second}
	now := time.Unix(0, 0)
	old1, _ := b.begin(now)
	old2, _ := b.begin(now)
	late1, _ := b.begin(now)
	late2, _ := b.begin(now)
	b.end(old1, failed, now)
	if s, changed := b.end(old2, failed, now); s != Open || !changed {
		t.Fatalf("after two failures: %v, changed %v", s, changed)
	}
	now = now.Add(time.Second)
	probe, ok := b.begin(now)
	if !ok {
		t.Fatal("no probe was let through")
	}
	if _, ok := b.begin(now); ok || !b.refuses(now) {
		t.Fatal("a second request was let through beside the probe")
	}
	if s, changed := b.end(late1, failed, now); s != HalfOpen || changed {
		t.Fatalf("a request of before opened it again: %v", s)
	}
	b.end(late2, worked, now)
	if !b.refuses(now) {
		t.Fatal("a request of before was taken for the probe")
	}
	b.end(probe, worked, now)
	if s, _ := b.now(now); s != HalfOpen {
		t.Fatalf("after one success: %v", s)
	}
	if _, opened := b.now(now); opened != 1 {
		t.Errorf("opened %d times, want 1", opened)
	}
}

func TestStatesTravelByName(t *testing.T) {
	for s, want := range map[State]string{Closed: "closed", HalfOpen: "half-open", Open: "open", 9: "State(9)"} {
		if text, err := s.MarshalText(); string(text) != want || err != nil {
			t.Errorf("%d: %s, %v; want %s", s, text, err, want)
		}
	}
}
