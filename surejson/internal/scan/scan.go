// Package scan checks JSON made by others and copies it in compact form,
// repairing on the way what can be repaired in place.
package scan

import (
	"fmt"

	"github.com/surewire/surewire/surejson/internal/token"
)

// A Kind says what was repaired.
type Kind uint8

// The repairs made while copying.
const (
	BigInteger  Kind = iota + 1 // an integer beyond 2^53 became a string
	InvalidUTF8                 // bytes became U+FFFD
	TooDeep                     // an object or array became null
)

// A Mark is one repair: the value that starts at Offset of the output, or
// the member whose name starts there.
type Mark struct {
	Offset int
	Kind   Kind
}

// Limits are the rules of one copy.
type Limits struct {
	Depth       int  // deepest nesting kept
	BigIntegers bool // leave integers beyond 2^53 as numbers
	HTML        bool // escape <, > and & in strings, U+2028 and U+2029
}

// A SyntaxError says why a text is not one JSON value.
type SyntaxError struct {
	Offset  int // of the first byte that cannot be, in the text
	Problem string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s at byte %d", e.Problem, e.Offset)
}

// scanner holds the state of one copy.
type scanner struct {
	src    []byte
	i      int // next byte of src
	dst    []byte
	limits Limits
	nest   []byte // the open containers: '{' or '['
	marks  []Mark
	cut    int // nesting at which the copy was stopped, 0: not stopped
	cutAt  int // where dst is cut back to
}

// Append appends the one JSON value in src to dst without white space and
// its repairs to marks. On a syntax error dst and marks are unchanged, but
// for the bytes beyond their length.
func Append(dst, src []byte, limits Limits, marks []Mark) ([]byte, []Mark, error) {
	var room [64]byte
	s := scanner{src: src, dst: dst, limits: limits, nest: room[:0], marks: marks}
	if err := s.document(); err != nil {
		return dst, marks, err
	}
	return s.dst, s.marks, nil
}

// document copies one value and what is around it.
func (s *scanner) document() error {
	for {
		if opened, err := s.value(); err != nil {
			return err
		} else if opened {
			continue
		}
		for {
			if len(s.nest) == 0 {
				if s.next() != 0 || s.i < len(s.src) {
					return s.fail("a second value")
				}
				return nil
			}
			more, err := s.after()
			if err != nil {
				return err
			}
			if more {
				break
			}
		}
	}
}

// value copies a scalar or an empty container whole, or opens a container
// up to its first value.
func (s *scanner) value() (opened bool, err error) {
	switch c := s.next(); c {
	case '{', '[':
		return s.open(c)
	case '"':
		return false, s.str()
	case 't':
		return false, s.literal("true")
	case 'f':
		return false, s.literal("false")
	case 'n':
		return false, s.literal("null")
	default:
		if c == '-' || '0' <= c && c <= '9' {
			return false, s.number()
		}
		return false, s.fail("no value")
	}
}

// open copies the start of a container; it is closed at once if empty.
func (s *scanner) open(c byte) (opened bool, err error) {
	if len(s.nest) >= s.limits.Depth && s.cut == 0 {
		s.cut, s.cutAt = len(s.nest)+1, len(s.dst)
	}
	s.nest = append(s.nest, c)
	s.emit(c)
	s.i++
	if s.next() == c+2 { // '}' and ']' are two after '{' and '['
		s.close(c + 2)
		return false, nil
	}
	if c == '{' {
		return true, s.name()
	}
	return true, nil
}

// after copies what follows a value in a container: a comma up to the next
// value, or the end.
func (s *scanner) after() (more bool, err error) {
	in := s.nest[len(s.nest)-1]
	switch s.next() {
	case ',':
		s.emit(',')
		s.i++
		if in == '{' {
			return true, s.name()
		}
		return true, nil
	case in + 2:
		s.close(in + 2)
		return false, nil
	}
	return false, s.fail("no comma or end")
}

// close ends the innermost container and the cut that began with it.
func (s *scanner) close(c byte) {
	s.emit(c)
	s.i++
	if s.cut == len(s.nest) {
		s.dst = append(s.dst[:s.cutAt], "null"...)
		s.cut = 0
		s.marks = append(s.marks, Mark{s.cutAt, TooDeep})
	}
	s.nest = s.nest[:len(s.nest)-1]
}

// name copies a member's name and its colon.
func (s *scanner) name() error {
	if s.next() != '"' {
		return s.fail("no member name")
	}
	if err := s.str(); err != nil {
		return err
	}
	if s.next() != ':' {
		return s.fail("no colon")
	}
	s.emit(':')
	s.i++
	return nil
}

// emit appends one byte of structure, unless the copy is stopped.
func (s *scanner) emit(c byte) {
	if s.cut == 0 {
		s.dst = append(s.dst, c)
	}
}

// next skips white space and returns the byte after it, 0 at the end.
func (s *scanner) next() byte {
	for s.i < len(s.src) {
		c := s.src[s.i]
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		s.i++
	}
	return 0
}

// literal copies true, false or null.
func (s *scanner) literal(word string) error {
	if len(s.src)-s.i < len(word) || string(s.src[s.i:s.i+len(word)]) != word {
		return s.fail("no value")
	}
	s.i += len(word)
	if s.cut == 0 {
		s.dst = append(s.dst, word...)
	}
	return nil
}

// number copies a number, as a string if doubles cannot hold it.
func (s *scanner) number() error {
	n, integer := token.NumberLen(s.src[s.i:])
	if n == 0 {
		return s.fail("a malformed number")
	}
	text := s.src[s.i : s.i+n]
	s.i += n
	if s.cut != 0 {
		return nil
	}
	if integer && !s.limits.BigIntegers && !token.Safe(text) {
		s.marks = append(s.marks, Mark{len(s.dst), BigInteger})
		s.dst = append(s.dst, '"')
		s.dst = append(s.dst, text...)
		s.dst = append(s.dst, '"')
		return nil
	}
	s.dst = append(s.dst, text...)
	return nil
}

// fail makes the error for the next byte.
func (s *scanner) fail(problem string) error {
	if s.i >= len(s.src) {
		problem = "an early end"
	}
	return &SyntaxError{Offset: s.i, Problem: problem}
}
