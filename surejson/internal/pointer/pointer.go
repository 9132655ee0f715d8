// Package pointer finds the RFC 6901 pointers of places in a JSON text.
package pointer

import (
	"encoding/json"
	"strconv"
	"strings"
)

// A Place is a value or a member of a JSON text.
type Place struct {
	Pointer string
	Text    string // the value's text, or the name's where the offset is a name's; a container is shortened
}

// frame is one open container.
type frame struct {
	object bool
	name   string // of the current member, as JSON
	index  int    // of the current element
}

// walker goes through a JSON text once.
type walker struct {
	text   []byte
	i      int
	open   []frame
	wanted []int
	found  []Place
}

// Resolve returns the places that start at the given offsets of a valid and
// compact JSON text: of a value, or of a member's name, which stands for the
// member. Offsets must be in ascending order. An offset where nothing starts
// gives the place that starts next.
func Resolve(text []byte, offsets []int) []Place {
	w := walker{text: text, wanted: offsets, found: make([]Place, 0, len(offsets))}
	for w.i < len(text) && len(w.found) < len(offsets) {
		w.step()
	}
	for len(w.found) < len(offsets) {
		w.found = append(w.found, Place{})
	}
	return w.found
}

// step passes over one token.
func (w *walker) step() {
	c := w.text[w.i]
	switch c {
	case ',':
		w.open[len(w.open)-1].index++
		w.i++
		return
	case ':':
		w.i++
		return
	case '}', ']':
		w.open = w.open[:len(w.open)-1]
		w.i++
		return
	}
	start := w.i
	w.i += tokenLen(w.text[start:])
	if w.isName(start) {
		w.open[len(w.open)-1].name = string(w.text[start:w.i])
	}
	for len(w.found) < len(w.wanted) && w.wanted[len(w.found)] <= start {
		w.found = append(w.found, Place{Pointer: w.pointer(), Text: w.excerpt(start)})
	}
	if c == '{' || c == '[' {
		w.open = append(w.open, frame{object: c == '{'})
	}
}

// isName reports whether the token at start is a member's name: what comes
// right after the brace or a comma in an object.
func (w *walker) isName(start int) bool {
	return start > 0 && len(w.open) > 0 && w.open[len(w.open)-1].object && w.text[start-1] != ':'
}

// maxText is how much of a value's text a Place keeps.
const maxText = 64

// excerpt returns the text of the token that ended.
func (w *walker) excerpt(start int) string {
	switch w.text[start] {
	case '{':
		return "{…}"
	case '[':
		return "[…]"
	}
	text := w.text[start:w.i]
	if len(text) <= maxText {
		return string(text)
	}
	return strings.ToValidUTF8(string(text[:maxText]), "") + "…"
}

// pointer returns the pointer of the current place.
func (w *walker) pointer() string {
	var b strings.Builder
	for i := range w.open {
		b.WriteByte('/')
		if f := &w.open[i]; f.object {
			b.WriteString(tokens.Replace(Unquote([]byte(f.name))))
		} else {
			b.WriteString(strconv.Itoa(f.index))
		}
	}
	return b.String()
}

// tokens escapes a name for its place in a pointer.
var tokens = strings.NewReplacer("~", "~0", "/", "~1")

// Unquote returns the text of a valid JSON string.
func Unquote(quoted []byte) string {
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return string(quoted)
	}
	return s
}

// tokenLen returns the length of the token that starts b: a bracket, a
// string, a number or a word.
func tokenLen(b []byte) int {
	switch b[0] {
	case '{', '[':
		return 1
	case '"':
		for i := 1; i < len(b); i++ {
			if b[i] == '\\' {
				i++
			} else if b[i] == '"' {
				return i + 1
			}
		}
		return len(b)
	}
	for i, c := range b {
		if c == ',' || c == '}' || c == ']' {
			return i
		}
	}
	return len(b)
}
