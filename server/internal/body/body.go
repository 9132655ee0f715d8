// Package body reads what callers of the API send: bounded in size and time, and
// strict, so that a mistake is told where it is.
package body

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// timeout is how long a body may take to come.
const timeout = 10 * time.Second

// What can be wrong with a body. Test with [errors.Is].
var (
	ErrBad     = errors.New("bad request")
	ErrTimeout = fmt.Errorf("bad request: the body did not come within %v", timeout)
)

// Read returns the body of r. An error is [ErrTimeout], wraps [ErrBad], or is an
// [http.MaxBytesError].
func Read(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	// The end of the body ends the deadline, for net/http reads on to see the
	// caller leave. Where none can be set, whoever runs the HTTP server bounds it.
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(timeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, ErrTimeout
	case err != nil:
		return nil, fmt.Errorf("%w: the body is cut off: %w", ErrBad, err)
	}
	return body, nil
}

// maxText is how much of an error is told that holds what the caller sent, in bytes.
const maxText = 100

// A checker is a request that can be wrong in ways that its type does not say.
type checker interface{ Check() error }

// Decode reads body into req, which is then asked for its Check if it has one.
// The error wraps [ErrBad], or is that of Check, and says what is wrong, and where.
func Decode(body []byte, req any) error {
	if !utf8.Valid(body) {
		return fmt.Errorf("%w: the body is not UTF-8 at %s", ErrBad, place(body, invalidUTF8(body)))
	}
	var raw json.RawMessage
	var syntax *json.SyntaxError
	if err := json.Unmarshal(body, &raw); errors.As(err, &syntax) {
		return fmt.Errorf("%w: the body is not JSON at %s: %w", ErrBad, place(body, max(int(syntax.Offset)-1, 0)), err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	var kind *json.UnmarshalTypeError
	err := d.Decode(req)
	switch {
	case errors.As(err, &kind):
		return fmt.Errorf("%w: field %q at %s cannot be a JSON %s", ErrBad, member(reflect.TypeOf(req).Elem(), kind.Field), place(body, int(kind.Offset)), kind.Value)
	case err != nil:
		text := strings.TrimPrefix(err.Error(), "json: ")
		if len(text) > maxText {
			text = strings.ToValidUTF8(text[:maxText], "") + "…"
		}
		return fmt.Errorf("%w: %s; fields are %s", ErrBad, text, strings.Join(fieldsOf(reflect.TypeOf(req).Elem()), ", "))
	}
	if c, ok := req.(checker); ok {
		return c.Check()
	}
	return nil
}

// fieldsOf returns the names of the members that t has in JSON.
func fieldsOf(t reflect.Type) (names []string) {
	for f := range t.Fields() {
		if f.Anonymous {
			names = append(names, fieldsOf(f.Type)...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// member returns the path of a member in JSON. That of encoding/json has the names
// of embedded types in it, which a caller does not know.
func member(t reflect.Type, path string) string {
	var names []string
	for name := range strings.SplitSeq(path, ".") {
		if t != nil && t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t != nil && t.Kind() == reflect.Struct {
			if f, ok := t.FieldByName(name); ok && f.Anonymous {
				t = f.Type
				continue
			}
			t = typeOf(t, name)
		}
		names = append(names, name)
	}
	return strings.Join(names, ".")
}

// typeOf returns the type of the member of t that has a name in JSON, or nil.
func typeOf(t reflect.Type, name string) reflect.Type {
	for f := range t.Fields() {
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag == name {
			return f.Type
		}
	}
	return nil
}

func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

// place names the byte at offset as an editor does, from 1.
func place(body []byte, offset int) string {
	before := body[:min(offset, len(body))]
	line := strings.Count(string(before), "\n") + 1
	column := len(before) - strings.LastIndexByte(string(before), '\n')
	return fmt.Sprintf("line %d, column %d", line, column)
}

// Either returns a JSON value that is given as itself or in base64, as the field
// with b64 before its name. An error wraps [ErrBad].
func Either(plain json.RawMessage, b64, field string) (json.RawMessage, error) {
	if b64 == "" {
		return plain, nil
	}
	data, err := base64.StdEncoding.DecodeString(b64)
	if err != nil {
		return nil, fmt.Errorf(`%w: field "b64%s" is not base64: %w`, ErrBad, field, err)
	}
	if !json.Valid(data) {
		return nil, fmt.Errorf(`%w: field "b64%s" does not hold one JSON value`, ErrBad, field)
	}
	return data, nil
}
