// Package openapi describes an HTTP API of POST requests in OpenAPI 3.1, by the Go
// types of what it takes and answers.
//
// The types speak through the tags of their fields: json names a member, doc says
// what it is, and openapi:"required" that a request must have it. A result has all
// that is not omitempty.
package openapi

import (
	"encoding"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// An Operation is one method of the API, at its path.
type Operation struct {
	Path, Name, Summary string
	Request, Result     reflect.Type
	Bare                bool // its result is the body of the answer, instead of a member of it
}

// An object is one of JSON.
type object = map[string]any

// A Document is what [Marshal] describes.
type Document struct {
	Title, Version, Description string
	Error                       reflect.Type // of the member "error" of an answer
	Security                    map[string]Header
	Operations                  []Operation
}

// A Header carries the key of a caller.
type Header struct{ Name, Description string }

// Marshal returns d as JSON, for people to read too.
func Marshal(d Document) []byte {
	s := schemas{all: make(object)}
	failure := object{
		"type": "object", "required": []string{"error"},
		"properties": object{"error": s.of(d.Error, false)},
	}
	paths, keys, security := make(object), make(object), []object{}
	for name, h := range d.Security {
		keys[name] = object{"type": "apiKey", "in": "header", "name": h.Name, "description": h.Description}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Security)) {
		security = append(security, object{name: []string{}})
	}
	for _, op := range d.Operations {
		result := s.of(op.Result, false)
		success := result
		if !op.Bare {
			success = object{"type": "object", "required": []string{"result"}, "properties": object{"result": result}}
		}
		paths[op.Path] = object{"post": object{
			"operationId": op.Name,
			"summary":     op.Summary,
			"requestBody": object{"required": true, "content": content(s.of(op.Request, true))},
			"responses": object{
				"200":     object{"description": "Done, or understood and not possible: the member tells.", "content": content(object{"oneOf": []any{success, failure}})},
				"default": object{"description": "The request is wrong or came at a bad time: nothing was done.", "content": content(failure)},
			},
		}}
	}
	text, err := json.MarshalIndent(object{
		"openapi":    "3.1.0",
		"info":       object{"title": d.Title, "version": d.Version, "description": d.Description},
		"security":   security,
		"paths":      paths,
		"components": object{"schemas": s.all, "securitySchemes": keys},
	}, "", "  ")
	if err != nil {
		panic(err) // it is made of strings and maps
	}
	return append(text, '\n')
}

func content(schema any) object { return object{"application/json": object{"schema": schema}} }

// schemas are those of types that have a name.
type schemas struct{ all object }

var (
	rawMessage    = reflect.TypeFor[json.RawMessage]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// of returns the schema of t, or a reference to it. One of a request is closed:
// what it does not know is refused.
func (s *schemas) of(t reflect.Type, request bool) object {
	switch {
	case t == rawMessage:
		return object{} // any value
	case t.Implements(textMarshaler):
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem(), request)
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem(), request)}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem(), request)}
	case reflect.Struct:
		return s.named(t, request)
	case reflect.Interface:
		return object{}
	}
	if t.ConvertibleTo(reflect.TypeFor[float64]()) {
		n := object{"type": "integer"}
		if t.Kind() >= reflect.Uint {
			n["minimum"] = 0
		}
		return n
	}
	panic("openapi: " + t.String() + " is of no kind that requests and results have")
}

// named describes a struct once.
func (s *schemas) named(t reflect.Type, request bool) object {
	if t.Name() == "" || t.NumField() == 0 {
		return s.fields(t, request)
	}
	name := []rune(t.Name())
	name[0] = unicode.ToUpper(name[0])
	if s.all[string(name)] == nil {
		s.all[string(name)] = object{} // it may hold itself
		s.all[string(name)] = s.fields(t, request)
	}
	return object{"$ref": "#/components/schemas/" + string(name)}
}

func (s *schemas) fields(t reflect.Type, request bool) object {
	all := object{"type": "object"}
	if request {
		all["additionalProperties"] = false
	}
	properties, required := make(object), []string{}
	s.add(t, request, properties, &required)
	if len(properties) > 0 {
		all["properties"] = properties
	}
	if len(required) > 0 {
		all["required"] = required
	}
	return all
}

func (s *schemas) add(t reflect.Type, request bool, properties object, required *[]string) {
	for f := range t.Fields() {
		if f.Anonymous {
			s.add(f.Type, request, properties, required)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		p := s.of(f.Type, request)
		if doc := f.Tag.Get("doc"); doc != "" {
			p["description"] = doc
		}
		properties[name] = p
		if request && f.Tag.Get("openapi") == "required" || !request && !strings.Contains(options, "omitempty") {
			*required = append(*required, name)
		}
	}
}
