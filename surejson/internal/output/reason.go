package output

import "github.com/surewire/surewire/surejson/internal/scan"

// A Reason is why a value could not stand. The public package documents them.
type Reason uint8

// The reasons.
const (
	Unsupported Reason = iota + 1
	NonFinite
	BigInteger
	InvalidUTF8
	InvalidJSON
	InvalidNumber
	Cycle
	TooDeep
	TooLarge
	MethodError
	MethodPanic
	MethodExit
	MethodTimeout
	UnknownEnum
	StringFallback
	DuplicateKey
	TimeRange
	Internal
)

// scanReasons are the reasons of repairs within JSON made by others.
var scanReasons = [...]Reason{scan.BigInteger: BigInteger, scan.InvalidUTF8: InvalidUTF8, scan.TooDeep: TooDeep}
