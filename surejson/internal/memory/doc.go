// Package memory reads Go values at places in memory whose types are known
// from elsewhere.
//
// A [Ref] is such a place. Package unsafe is used in this package alone, and
// only to load values at a place, to step to fields and elements, to read
// slice headers and the words of interfaces, and to build the interface by
// which a method is called. With the build tag purego, reflection does the
// same.
package memory

// Signed is what [Int] reads.
type Signed interface {
	int | int8 | int16 | int32 | int64
}

// Unsigned is what [Uint] reads.
type Unsigned interface {
	uint | uint8 | uint16 | uint32 | uint64 | uintptr
}

// Floating is what [Float] reads.
type Floating interface{ float32 | float64 }
