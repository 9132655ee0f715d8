package method

import (
	"fmt"
	"strings"
	"time"
)

// Apart runs f on a goroutine of its own. If f ends that goroutine, the
// outcome is Exited; if it takes longer than a timeout above zero, TimedOut.
// A panic of f is not contained.
func Apart(timeout time.Duration, f func() Outcome) Outcome {
	done := make(chan Outcome, 1)
	go func() {
		o := Outcome{Failed: Exited}
		defer func() { done <- o }()
		o = f()
	}()
	if timeout <= 0 {
		return <-done
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case o := <-done:
		return o
	case <-timer.C:
		return Outcome{Failed: TimedOut}
	}
}

// maxDetail is how much of an error's text is kept.
const maxDetail = 200

// describeTimeout bounds the Error method of an error that is described.
const describeTimeout = 100 * time.Millisecond

// Describe returns the text of an error, or of what a method panicked with.
// The Error method called for it may misbehave as well.
func Describe(v any) string {
	s, _ := v.(string)
	if err, ok := v.(error); ok {
		s = Apart(describeTimeout, func() (o Outcome) {
			defer func() {
				if recover() != nil {
					o = Outcome{}
				}
			}()
			o.Text = err.Error()
			return o
		}).Text
	}
	if s == "" {
		return fmt.Sprintf("%T", v)
	}
	if len(s) > maxDetail {
		s = s[:maxDetail] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
