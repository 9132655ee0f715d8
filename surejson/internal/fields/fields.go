// Package fields tells which fields of a struct encoding/json would write,
// under which names, in which order and how.
package fields

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// A Field is one member of the object a struct becomes.
type Field struct {
	Name      string
	Type      reflect.Type
	Index     []int // path from the struct, through embedded structs and pointers
	OmitEmpty bool
	OmitZero  bool
	Quoted    bool // a scalar written inside a string

	tagged bool
}

// level is one struct type to look through and the path to it.
type level struct {
	t     reflect.Type
	index []int
}

// Of returns the fields of the struct type t.
//
// Embedded structs without a name give their fields to the outer struct, by
// Go's rules for promotion amended by tags: of several fields with the same
// name the least nested wins, then the one named by a tag; if that leaves
// two, none is written.
func Of(t reflect.Type) []Field {
	var all []Field
	seen := map[reflect.Type]bool{}
	for now := []level{{t: t}}; len(now) > 0; {
		times := map[reflect.Type]int{}
		for _, l := range now {
			times[l.t]++
		}
		var next []level
		for _, l := range now {
			if seen[l.t] {
				continue
			}
			seen[l.t] = true
			own, deeper := look(l)
			if times[l.t] > 1 {
				// Embedded twice at one depth: its fields hide each other.
				own = append(own, own...)
			}
			all = append(all, own...)
			next = append(next, deeper...)
		}
		now = next
	}
	return inOrder(dominant(all))
}

// look returns the fields of one struct type and the structs it embeds.
func look(l level) (own []Field, embedded []level) {
	for i := range l.t.NumField() {
		sf := l.t.Field(i)
		if !visible(sf) {
			continue
		}
		tag := sf.Tag.Get("json")
		if tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if !validName(name) {
			name = ""
		}
		index := append(slices.Clone(l.index), i)
		base := sf.Type
		if base.Name() == "" && base.Kind() == reflect.Pointer {
			base = base.Elem()
		}
		if name == "" && sf.Anonymous && base.Kind() == reflect.Struct {
			embedded = append(embedded, level{base, index})
			continue
		}
		f := Field{Name: name, Type: sf.Type, Index: index, tagged: name != ""}
		if name == "" {
			f.Name = sf.Name
		}
		for option := range strings.SplitSeq(options, ",") {
			f.OmitEmpty = f.OmitEmpty || option == "omitempty"
			f.OmitZero = f.OmitZero || option == "omitzero"
			f.Quoted = f.Quoted || option == "string" && quotable(base.Kind())
		}
		own = append(own, f)
	}
	return own, embedded
}

// visible reports whether a field can have a part in the output: exported
// fields, and embedded structs that may have exported fields themselves.
func visible(sf reflect.StructField) bool {
	if !sf.Anonymous || sf.IsExported() {
		return sf.IsExported()
	}
	t := sf.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct
}

// quotable reports whether the string option applies to kind.
func quotable(kind reflect.Kind) bool {
	switch kind {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return true
	}
	return false
}

// validName reports whether a tag may set the name s.
func validName(s string) bool {
	for _, c := range s {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return false
		}
	}
	return s != ""
}

// dominant keeps of the fields with one name the one that wins, if any does.
func dominant(all []Field) []Field {
	byName := map[string][]Field{}
	var names []string
	for _, f := range all {
		if byName[f.Name] == nil {
			names = append(names, f.Name)
		}
		byName[f.Name] = append(byName[f.Name], f)
	}
	var kept []Field
	for _, name := range names {
		rivals := byName[name]
		slices.SortStableFunc(rivals, strength)
		if len(rivals) == 1 || strength(rivals[0], rivals[1]) != 0 {
			kept = append(kept, rivals[0])
		}
	}
	return kept
}

// strength orders rivals, the strongest first.
func strength(a, b Field) int {
	if c := cmp.Compare(len(a.Index), len(b.Index)); c != 0 || a.tagged == b.tagged {
		return c
	}
	if a.tagged {
		return -1
	}
	return 1
}

// inOrder sorts fields as they stand in the source.
func inOrder(list []Field) []Field {
	slices.SortFunc(list, func(a, b Field) int { return slices.Compare(a.Index, b.Index) })
	return list
}
