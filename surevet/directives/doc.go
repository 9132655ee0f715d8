// Package directives defines an Analyzer that keeps the directives of surevet
// honest.
//
// # Analyzer directives
//
// directives: report //surewire:ignore without a reason or an effect
//
// A finding that is meant is silenced where it stands:
//
//	//surewire:ignore SW101 the peer is a bot with a fixed schema
//
// on its line or the line before, on a field, a type or a group of constants, or
// on the package clause for the whole package. Several codes are separated by
// commas. golangci-lint's //nolint:surewire is honoured too. The analyzer reports,
// as SW001, a directive that gives no reason, names no rule, or suppresses nothing.
package directives
