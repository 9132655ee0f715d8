// Package jsonshape predicts from a Go type what a JSON encoder writes for its
// values: the members of objects, lists and base64, numbers and strings, which
// methods are called and which are passed over, and what is an error.
package jsonshape

import "go/types"

// A Kind is the form in which a value is written.
type Kind uint8

const (
	Opaque      Kind = iota // not known from the type: a type parameter, a format option
	Bool                    // true or false
	Number                  // a number, or a string of digits if Quoted
	Text                    // a string
	Base64                  // bytes as one string
	Array                   // a list of Elem
	Map                     // an object of Elem by Key
	Struct                  // an object of Members
	Pointer                 // null or Elem
	Interface               // null or whatever the interface holds
	Method                  // what Func returns
	Unsupported             // an error, or null if the dialect is total
)

// A Node is the prediction for a type in one place.
type Node struct {
	Kind     Kind
	Type     types.Type
	Quoted   bool         // Number and Bool: inside of a string
	Func     *types.Func  // Method, and Text by method: the method that writes the value
	Promoted []*types.Var // the embedded fields through which Func is promoted; empty if it is the type's own
	Skipped  *types.Func  // a method that is not called here: its receiver is a pointer and the value has no address
	Reason   string       // Unsupported: why
	Elem     *Node        // Array, Map, Pointer
	Key      *Node        // Map
	Members  []Member     // Struct, by the order of the fields
	Open     bool         // Struct: has further members, from a field that is inlined
	Dropped  []Conflict   // Struct: what is left out because names are equal
}

// A Member is one field of a struct as it is written.
type Member struct {
	Name     string
	Field    *types.Var
	Options  string   // the tag after the name
	Optional bool     // may be left out: omitempty, omitzero, or an embedded pointer that is nil
	Via      []string // embedded fields between the struct and this one
	Node     *Node
}

// A Conflict is a name that several fields of equal rank claim, so that none is
// written.
type Conflict struct {
	Name   string
	Fields []*types.Var
	Owners []types.Type // the struct each field is declared in
	Depth  int          // how many embedded fields lie above; 0 is the struct itself
}

// Elided reports whether the member has the option omitempty or omitzero.
func (m *Member) Elided() bool {
	return hasOption(m.Options, "omitempty") || hasOption(m.Options, "omitzero")
}
