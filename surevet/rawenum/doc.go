// Package rawenum defines an Analyzer that reports enumerations that lose their
// names.
//
// # Analyzer rawenum
//
// rawenum: report enumerations that become bare numbers in JSON
//
// A constant that iota counts has a name in Go and only a number in JSON. A
// browser that compares the number with a copy of the list breaks the day someone
// inserts a constant, and nobody is told. The analyzer follows values to
// json.Marshal and its like, through wrappers, interfaces, literals and generic
// functions, and reports
//
//   - SW201: an enumeration written as a number. Its String method is of no help:
//     encoding/json ignores it.
//   - SW202: an enumeration that is a map key. For keys only MarshalText counts.
//   - SW203: a slice of an enumeration whose base type is uint8: it is written as
//     base64, like bytes.
//   - SW204: an enumeration in a line of slog's JSON handler; only with -strict.
//
// An enumeration is an integer type with a group of constants that iota counts up.
// Flags made by 1 << iota, other named integers and enumerations of strings are
// none. With -strict, groups of consecutive values written out, and enumerations
// of the standard library, count too.
//
// For an enumeration of the same package a fix is offered: MarshalText over the
// String method, or a go:generate line for enumer. Both change what readers get,
// so none is applied unless asked for.
package rawenum
