// Package rule lists the rules of surevet.
package rule

import "strings"

// A Rule is one mistake that surevet knows.
type Rule struct {
	Code   string
	Name   string
	Strict bool // speaks only with -strict; single findings may speak without
	Send   bool // speaks only where direct sends are checked
}

// All has every rule, by code.
var All = []Rule{
	{Code: "SW001", Name: "directive"},
	{Code: "SW101", Name: "direct-send", Send: true},
	{Code: "SW102", Name: "encoded-send", Send: true},
	{Code: "SW103", Name: "raw-send", Send: true, Strict: true},
	{Code: "SW104", Name: "handmade-json", Send: true},
	{Code: "SW105", Name: "empty-frame"},
	{Code: "SW201", Name: "enum-number"},
	{Code: "SW202", Name: "enum-mapkey"},
	{Code: "SW203", Name: "enum-base64"},
	{Code: "SW204", Name: "enum-slog", Strict: true},
	{Code: "SW301", Name: "unsupported"},
	{Code: "SW302", Name: "skipped-marshaler"},
	{Code: "SW303", Name: "error-field"},
	{Code: "SW304", Name: "empty-object"},
	{Code: "SW305", Name: "js-integer", Strict: true},
	{Code: "SW306", Name: "duration-ns", Strict: true},
	{Code: "SW307", Name: "bytes", Strict: true},
	{Code: "SW308", Name: "swallowed-siblings"},
	{Code: "SW309", Name: "dropped-conflict"},
	{Code: "SW310", Name: "tag-key-typo", Strict: true},
	{Code: "SW311", Name: "nan"},
	{Code: "SW312", Name: "dropped-error"},
	{Code: "SW313", Name: "cycle"},
	{Code: "SW314", Name: "interface", Strict: true},
	{Code: "SW315", Name: "sql-null", Strict: true},
}

// Lookup returns the rule of a code.
func Lookup(code string) (Rule, bool) {
	for _, r := range All {
		if r.Code == code {
			return r, true
		}
	}
	return Rule{}, false
}

// URL returns the address of a rule's page.
func URL(code string) string {
	return "https://github.com/surewire/surewire/blob/main/surevet/docs/rules.md#" + strings.ToLower(code)
}
