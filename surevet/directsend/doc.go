// Package directsend defines an Analyzer that reports sends past surewire.
//
// # Analyzer directsend
//
// directsend: report JSON that goes to a socket past surewire
//
// What surewire publishes is valid JSON, kept in a log, and told of when it had to
// be repaired. A write straight to a socket has none of this. In a module that
// requires surewire, or with -send=on, the analyzer reports
//
//   - SW101: a value sent by a method that encodes it, such as gorilla's WriteJSON,
//     also through interfaces, wrappers, method values and embedding
//   - SW102: bytes sent that another encoder made
//   - SW103: text of unknown origin; only with -strict
//   - SW104: JSON glued together by hand, and constants that are no JSON
//
// and everywhere
//
//   - SW105: a failure to encode that reaches the client as an empty frame, on
//     which JSON.parse throws: bytes of a Marshal whose error is discarded, or
//     looked at by an if that goes on. With direct sends checked, also a WriteJSON
//     of gorilla's websocket with a value that may fail.
//
// Control frames, binary frames, constants that are valid JSON, and bytes by
// surejson are fine.
package directsend
