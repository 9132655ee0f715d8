// Package contain turns a panic of the application's code into an error: one
// client's command must not end the process for all others.
package contain

import (
	"fmt"
	"runtime/debug"
)

// A PanicError is a panic.
type PanicError struct {
	Value any
	Stack []byte
}

// Error implements error.
func (p *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", p.Value, p.Stack) }

// Call calls f. Its panic comes back as a [*PanicError].
func Call(f func()) (err error) {
	defer Panic(&err)
	f()
	return nil
}

// Panic is deferred: it sets *err to a [*PanicError] if there is a panic.
func Panic(err *error) {
	if r := recover(); r != nil {
		*err = &PanicError{r, debug.Stack()}
	}
}
