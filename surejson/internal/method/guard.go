package method

import (
	"sync/atomic"
	"time"

	"github.com/surewire/surewire/surejson/internal/output"
)

// A Fault is why a call gave nothing.
type Fault struct {
	Reason output.Reason
	Detail string // what the error or panic said
}

// A Guard is what is known of the manners of a function that others wrote. Its
// first call happens in a goroutine of its own, so that it may exit that
// goroutine without harm. If it returns, later calls are made directly. If a
// later one exits, its caller's goroutine is lost, but no other will be.
type Guard struct{ trust atomic.Int32 }

const (
	unproven = iota
	proven
	leaves
)

// trusted reports whether calls may be made directly.
func (g *Guard) trusted() bool { return g.trust.Load() == proven }

// learn takes note of how a call on a goroutine of its own ended.
func (g *Guard) learn(fault *Fault) {
	if fault == nil || fault.Reason < output.MethodExit {
		g.trust.CompareAndSwap(unproven, proven)
	}
}

// caught makes the fault of a call that did not return.
func (g *Guard) caught(panicked any) *Fault {
	if panicked == nil {
		g.trust.Store(leaves)
		return &Fault{Reason: output.MethodExit}
	}
	return &Fault{output.MethodPanic, Describe(panicked)}
}

// Run calls f and returns why it failed, nil if it did not. With a timeout
// above zero f may go on after Run returned a timeout: what f sets must not be
// read then.
func (g *Guard) Run(timeout time.Duration, f func() error) *Fault {
	if timeout == 0 && g.trusted() {
		return g.here(f)
	}
	_, fault := Apart(timeout, func() ([]byte, *Fault) { return nil, g.here(f) })
	g.learn(fault)
	return fault
}

// here calls f on this goroutine.
func (g *Guard) here(f func() error) (fault *Fault) {
	returned := false
	defer func() {
		if !returned {
			fault = g.caught(recover())
		}
	}()
	err := f()
	returned = true
	if err != nil {
		return &Fault{output.MethodError, Describe(err)}
	}
	return nil
}
