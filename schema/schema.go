// Package schema holds publications to a JSON Schema. It is where the validator
// is known.
package schema

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// A Schema says what a JSON value must be. Its methods may be called concurrently.
type Schema struct{ compiled *jsonschema.Schema }

// Load returns the schema in a file, draft 2020-12 unless it says otherwise. It
// may refer to other files, and to nothing elsewhere.
func Load(file string) (*Schema, error) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(jsonschema.SchemeURLLoader{"file": jsonschema.FileLoader{}})
	s, err := c.Compile(file)
	if err != nil {
		return nil, err
	}
	return &Schema{s}, nil
}

var printer = message.NewPrinter(language.English)

// maxFaults is how many places an error names.
const maxFaults = 3

// Check returns nil if data, one JSON value, is as it must be. Otherwise the
// error names the places by RFC 6901 pointers.
func (s *Schema) Check(data []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	err = s.compiled.Validate(v)
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	var faults []string
	collect(invalid, &faults)
	if more := len(faults) - maxFaults; more > 0 {
		faults = append(faults[:maxFaults], fmt.Sprintf("and %d more", more))
	}
	return errors.New(strings.Join(faults, "; "))
}

// collect adds the leaves of e, which are what is wrong.
func collect(e *jsonschema.ValidationError, faults *[]string) {
	if len(e.Causes) == 0 {
		*faults = append(*faults, fmt.Sprintf("at %q: %s", pointer(e.InstanceLocation), e.ErrorKind.LocalizedString(printer)))
		return
	}
	for _, c := range e.Causes {
		collect(c, faults)
	}
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

func pointer(path []string) string {
	var b strings.Builder
	for _, p := range path {
		b.WriteByte('/')
		b.WriteString(escape.Replace(p))
	}
	return b.String()
}
