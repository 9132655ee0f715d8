package demo

import (
	_ "embed" // for the source of the values
	"encoding/json"
	"fmt"
	"strings"
)

// A hostile is a value that other encoders fail on or misstate.
type hostile struct {
	name  string // in the URL
	title string
	note  string // what the answer of encoding/json means to a browser
	fn    string // the function in values.go that makes the value
	value func() any
}

var hostiles = []hostile{
	{"enum", "An enum in a struct", "The state arrives as a bare number: the browser has to guess what 1 means, and guesses wrong once the order changes.", "enumField", enumField},
	{"enum-key", "An enum as a map key", "The keys arrive as numbers in quotes.", "enumKey", enumKey},
	{"nan", "NaN and infinity", "One float, and the whole message is lost: sensor and count too.", "notNumbers", notNumbers},
	{"cycle", "A cycle", "Nothing arrives.", "cycle", cycle},
	{"channel", "A channel and a func", "Nothing arrives, because a handle slipped into the map.", "channels", channels},
	{"error", "An error", "It works, and the one thing worth knowing is gone: the error arrives as {}.", "errorValue", errorValue},
	{"panic", "A marshaler that panics", "The panic reaches the publisher: unless it recovers, the process ends.", "panicking", panicking},
	{"big-integer", "An integer of 2⁶³", "JavaScript reads 9223372036854776000 both times: two orders become one.", "bigInteger", bigInteger},
	{"everything", "Everything at once", "The first of them to be met decides how the message is lost.", "everything", everything},
}

// names returns the names of all hostile values, in the order of the page.
func names() []string {
	var out []string
	for _, h := range hostiles {
		out = append(out, h.name)
	}
	return out
}

func find(name string) (hostile, bool) {
	for _, h := range hostiles {
		if h.name == name {
			return h, true
		}
	}
	return hostile{}, false
}

//go:embed values.go
var source string

// snippet returns the body of a function of values.go, without its indentation.
// What the page shows is thus what runs, and cannot drift from it.
func snippet(fn string) string {
	_, body, _ := strings.Cut(source, "\nfunc "+fn+"() any {\n")
	body, _, _ = strings.Cut(body, "\n}\n")
	lines := strings.Split(body, "\n")
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(strings.TrimPrefix(line, "\t"), "\t", "    ")
	}
	return strings.Join(lines, "\n")
}

// A verdict is what encoding/json does with a value.
type verdict struct {
	Outcome string `json:"outcome"` // "json", "error" or "panic"
	Text    string `json:"text"`    // the JSON, or the message
	Note    string `json:"note"`
}

// standard asks encoding/json, now.
func standard(h hostile) (v verdict) {
	v.Note = h.note
	defer func() {
		if r := recover(); r != nil {
			v.Outcome, v.Text = "panic", fmt.Sprint(r)
		}
	}()
	b, err := json.Marshal(h.value())
	if err != nil {
		v.Outcome, v.Text = "error", err.Error()
		return v
	}
	v.Outcome, v.Text = "json", string(b)
	return v
}
