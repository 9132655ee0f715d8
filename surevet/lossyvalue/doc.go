// Package lossyvalue defines an Analyzer that reports values of which JSON keeps
// less than they say.
//
// # Analyzer lossyvalue
//
// lossyvalue: report values that JSON refuses, empties or changes
//
// encoding/json tells little of what it leaves out. The analyzer follows values to
// the encoder, applies the encoder's own rules to their types, and reports
//
//   - SW301: a channel, function, complex number or impossible map key: Marshal
//     fails, and with it the whole message
//   - SW302: a marshaler with a pointer receiver that is not called, because the
//     value has no address; with json/v2 and surejson it is called
//   - SW303: an error, which is written as {}
//   - SW304: a struct without exported fields, which is written as {}: a mutex, an
//     atomic, a type that forgot its MarshalJSON
//   - SW308: a struct that embeds a marshaler, such as time.Time: its other fields
//     are lost
//   - SW309: two embedded structs with a field of one name: both are dropped
//   - SW311: NaN or an infinity
//   - SW312: a Marshal error discarded in a function whose caller is given no
//     error either; elsewhere only with -strict
//   - SW313: a map or slice put into itself
//
// and with -strict also what is often meant that way:
//
//   - SW305: 64-bit integers, whose digits JavaScript does not keep
//   - SW306: time.Duration, written as nanoseconds
//   - SW307: bytes, as base64 or as a list of numbers
//   - SW310: a tag key that is almost json
//   - SW311: fields that may be NaN, and quotients
//   - SW313: pointers that lead back to a parent
//   - SW314: interfaces, behind which anything may be
//   - SW315: sql.NullString and its like
//
// A finding stands at the field if that is declared in the package at hand, and
// otherwise where the value is handed over. What vet and staticcheck say of
// struct tags is left to them.
package lossyvalue
