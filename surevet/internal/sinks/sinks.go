// Package sinks is the table of functions through which values become JSON, and
// JSON goes to a socket. The table is sinks.txt.
package sinks

import (
	_ "embed"
	"fmt"
	"go/types"
	"strconv"
	"strings"

	"github.com/surewire/surewire/surevet/internal/jsonshape"
)

// A Kind is what a function does with the argument.
type Kind uint8

const (
	Encode  Kind = iota + 1 // makes it JSON
	Send                    // makes it JSON and sends it
	Frame                   // sends it as it is
	Encoder                 // makes an encoder that writes to it
	Writer                  // makes a writer whose content is sent
	Log                     // makes it, and all after it, part of a log line
)

var kinds = map[string]Kind{"encode": Encode, "send": Send, "frame": Frame, "encoder": Encoder, "writer": Writer, "log": Log}

// Dialects are the encoders by the names they have in the table.
var Dialects = map[string]*jsonshape.Dialect{"v1": jsonshape.V1, "v2": jsonshape.V2, "surewire": jsonshape.Surewire}

// A Sink is one line of the table.
type Sink struct {
	Kind    Kind
	Dialect string // a key of Dialects, or "-"
	Arg     int    // the argument, without the receiver
	Bytes   bool   // the first result is the JSON
	Empty   bool   // a failure sends an empty frame
	Op      bool   // speaks only where argument OpArg is the constant OpValue
	OpArg   int
	OpValue int64
}

//go:embed sinks.txt
var table string

// byName is set before analyzers run, and then only read.
var byName, packages = parse(table)

func parse(table string) (map[string]Sink, map[string]bool) {
	byName, packages := map[string]Sink{}, map[string]bool{}
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0][0] == '#' {
			continue
		}
		s, err := parseLine(f)
		if err != nil {
			panic(fmt.Sprintf("sinks.txt: %q: %v", line, err)) // the table is part of the program
		}
		byName[f[2]] = s
		packages[packageOf(f[2])] = true
	}
	return byName, packages
}

func parseLine(f []string) (s Sink, err error) {
	if len(f) < 4 || kinds[f[0]] == 0 {
		return s, fmt.Errorf("want kind, dialect, function and argument")
	}
	s.Kind, s.Dialect = kinds[f[0]], f[1]
	if Dialects[f[1]] == nil && f[1] != "-" {
		return s, fmt.Errorf("no dialect %q", f[1])
	}
	if s.Arg, err = strconv.Atoi(f[3]); err != nil || s.Arg < 0 {
		return s, fmt.Errorf("no argument %q", f[3])
	}
	for _, option := range f[4:] {
		switch {
		case option == "bytes":
			s.Bytes = true
		case option == "empty":
			s.Empty = true
		case strings.HasPrefix(option, "op="):
			s.Op = true
			if _, err := fmt.Sscanf(option, "op=%d:%d", &s.OpArg, &s.OpValue); err != nil {
				return s, err
			}
		default:
			return s, fmt.Errorf("no option %q", option)
		}
	}
	return s, nil
}

// packageOf returns the import path in the name of a function.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/')
	dot := slash + 1 + strings.IndexByte(function[slash+1:], '.')
	return function[:dot]
}

// Add takes one more function, as "package.Type.Method:argument[:dialect]". What
// it encodes by the dialect surewire, and returns as bytes, is safe to send.
func Add(text string) error {
	f := strings.Split(text, ":")
	if len(f) == 2 {
		f = append(f, "v1")
	}
	if len(f) != 3 || !strings.Contains(f[0], ".") {
		return fmt.Errorf("%q: want package.Type.Method:argument[:dialect]", text)
	}
	s, err := parseLine([]string{"encode", f[2], f[0], f[1], "bytes"})
	if err != nil {
		return err
	}
	byName[f[0]] = s
	packages[packageOf(f[0])] = true
	return nil
}

// HasPackage reports whether the table has functions of the package.
func HasPackage(path string) bool { return packages[path] }

// Lookup returns the line for a function, and its name in messages. variable is
// the package-level variable that a method is called on, or nil.
func Lookup(f *types.Func, variable *types.Var) (Sink, bool) {
	if f.Pkg() == nil || !packages[f.Pkg().Path()] {
		return Sink{}, false
	}
	name := f.Pkg().Path() + "."
	if recv := Receiver(f); recv != "" {
		if variable != nil && variable.Pkg() == f.Pkg() {
			if s, ok := byName[name+variable.Name()+"."+f.Name()]; ok {
				return s, true
			}
		}
		name += recv + "."
	}
	s, ok := byName[name+f.Name()]
	return s, ok
}

// Receiver returns the name of the type that f is a method of, or nothing.
func Receiver(f *types.Func) string {
	recv := f.Signature().Recv()
	if recv == nil {
		return ""
	}
	t := types.Unalias(recv.Type())
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	if named, ok := t.(*types.Named); ok {
		return named.Obj().Name()
	}
	return ""
}

// Encodes reports whether a function of a package encodes JSON by other rules than
// surewire's, or makes an encoder that does.
func Encodes(path, function string) bool {
	s, ok := byName[path+"."+function]
	return ok && (s.Kind == Encode && s.Dialect != "surewire" || s.Kind == Encoder || s.Kind == Send)
}
