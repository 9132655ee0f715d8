// Package message is what all servers deliver: 256 bytes of JSON that say which
// they are and when they were due, so that a receiver can check that each came
// once, whole and in order.
package message

import (
	"bytes"
	"strconv"
)

// Size is the length of a message.
const Size = 256

// The numbers have as many digits each, so that a message has one length. A
// time is in microseconds: in nanoseconds it would be beyond what JavaScript
// holds.
const (
	base     = 1_000_000_000 // what the number counts from
	digits   = 10
	timeLen  = 16
	numberAt = len(`{"n":`)
	timeAt   = numberAt + digits + len(`,"at":`)
	textAt   = timeAt + timeLen
)

// Mark begins each message, and nothing else that a server sends.
var Mark = []byte(`{"n":1`)

const lorem = "The answer so far, as a person would read it while the model is still at work: " +
	"two of the three files are changed, the tests of the parser pass, and what is left is the table of errors; one row of it is wrong"

var template = []byte(`{"n":1000000000,"at":1000000000000000,"text":"` + lorem + `"}`)

// New returns message n, from 1, due at a time in microseconds since 1970. The
// caller owns it.
func New(n uint64, at int64) []byte {
	m := append(make([]byte, 0, Size), template...)
	strconv.AppendUint(m[:numberAt], base+n, 10)
	strconv.AppendInt(m[:timeAt], at, 10)
	return m
}

// Parse returns what New was told for the message at the start of b. It reports
// false if b does not begin with a whole message, unchanged.
func Parse(b []byte) (n uint64, at int64, ok bool) {
	if len(b) < Size {
		return 0, 0, false
	}
	n, ok = Number(b[numberAt : numberAt+digits])
	t, okTime := Number(b[timeAt : timeAt+timeLen])
	ok = ok && okTime && n >= base &&
		bytes.Equal(b[:numberAt], template[:numberAt]) &&
		bytes.Equal(b[numberAt+digits:timeAt], template[numberAt+digits:timeAt]) &&
		bytes.Equal(b[textAt:Size], template[textAt:])
	return n - base, int64(t), ok
}

// Number returns the decimal number that is all of b.
func Number(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, len(b) > 0
}
