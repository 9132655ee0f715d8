// Package surejson turns any Go value into JSON that every reader takes: one
// value, valid by RFC 8259, in UTF-8. It has no error to return. What JSON
// cannot hold is repaired where it stands, its siblings stay, and the
// [Report] says where, which type, why, and what was written instead.
//
// # What is written
//
// Values that JSON can hold are written byte for byte as encoding/json writes
// them with SetEscapeHTML(false): tags, omitempty, omitzero, the string
// option, embedding, sorted map keys, MarshalJSON and MarshalText. Where
// encoding/json writes less than the value says, or refuses it although it
// has a text, this package writes more. None of this counts as a repair,
// since nothing is lost:
//
//   - an integer whose type has a String method: its name, also as a map key
//     and in slices of bytes ([EnumPolicy]); the number if String only
//     formats it
//   - a value with an Error method: its text ([ErrorPolicy])
//   - atomics, [sync.Map], [reflect.Value], [log/slog.Value]: what they hold
//   - methods with a pointer receiver are called also where the value cannot
//     be addressed: on a copy; AppendText is called where MarshalText is
//     missing
//   - map keys of any type: booleans and numbers by their text, errors by
//     theirs, everything else by its JSON text
//
// # What is repaired
//
// The [Reason] constants list it. A value that has a text is written as that
// text, reported: integers beyond ±2^53 (also in JSON made by others), complex
// numbers, an enum value without a name such as State(7), a RawMessage that
// is no JSON, a time beyond the year 9999, a struct that has only a String
// method to show. A value that has none is null: channels, functions (also
// iterators, which are not run), NaN and infinities (as in JSON.stringify),
// cycles, what is too deep, and what a method failed to give. Where String or
// Error fails, the value is written as encoding/json would.
//
// # Limits
//
// Output is never longer than [Encoder.MaxSize], which is checked in every
// container, so values that share parts and multiply end as well. A string
// that does not fit is cut to half of the space that is left, so that what
// follows has the other half; another value becomes null; if even that does
// not fit, all open containers end there.
//
// # Methods
//
// Methods of the value are guarded against errors, panics and false JSON. A
// type's method is first called on a goroutine of its own, and if it exits
// that with runtime.Goexit, it is never called otherwise. A method that
// returned once is trusted and called directly; should it exit later, it takes
// its caller's goroutine along, once. [Encoder.MethodTimeout] has every call
// on a goroutine of its own, and then contains also this and methods that
// block.
//
// # Log lines and protobuf
//
// [NewHandler] returns a handler for log/slog whose lines are written by the
// same rules. [Encoder.Protobuf] takes what writes protobuf messages, such as
// that of package surejson/protojson; without it they are structs.
//
// # What no package can contain
//
//   - A map that is written to during the encoding stops the process: the
//     runtime's "concurrent map" error cannot be recovered. Encode before
//     sharing, or under the lock that guards the map.
//   - A method that calls itself through an encoder, as MarshalJSON calling
//     json.Marshal on its own receiver, ends in a stack overflow, which stops
//     the process. Convert to a type without the method first.
//   - A goroutine that a method starts and that panics stops the process.
//   - A method that blocks, blocks its caller, unless MethodTimeout is set.
//   - A value that is changed during the encoding is a data race, and the
//     output may be any valid JSON.
package surejson
