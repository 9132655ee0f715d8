// Package stack keeps small the stacks of goroutines that mostly wait.
package stack

// Aside calls f on a stack of its own, and returns when f has. A stack that grew
// does not shrink as far as it began, and that of who reads a connection stays
// for as long as the connection does.
func Aside(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}
