package method

import (
	"fmt"
	"strings"
	"time"

	"github.com/surewire/surewire/surejson/internal/output"
)

// Apart runs f on a goroutine of its own. If f ends that goroutine, the fault
// is a MethodExit; if it takes longer than a timeout above zero, a
// MethodTimeout. A panic of f is not contained.
func Apart(timeout time.Duration, f func() ([]byte, *Fault)) ([]byte, *Fault) {
	type outcome struct {
		given []byte
		fault *Fault
	}
	done := make(chan outcome, 1)
	go func() {
		o := outcome{fault: &Fault{Reason: output.MethodExit}}
		defer func() { done <- o }()
		o.given, o.fault = f()
	}()
	if timeout <= 0 {
		o := <-done
		return o.given, o.fault
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case o := <-done:
		return o.given, o.fault
	case <-timer.C:
		return nil, &Fault{Reason: output.MethodTimeout}
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
		given, _ := Apart(describeTimeout, func() (given []byte, _ *Fault) {
			defer func() { _ = recover() }()
			return []byte(err.Error()), nil
		})
		s = string(given)
	}
	if s == "" {
		return fmt.Sprintf("%T", v)
	}
	if len(s) > maxDetail {
		s = s[:maxDetail] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
