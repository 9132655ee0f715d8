package config

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/surewire/surewire/namespace"
)

// Namespaces are a [namespace.Set] in YAML.
type Namespaces namespace.Set

// namespacesKey is the one key of a configuration file that is no plain flag.
const namespacesKey = "namespaces"

// UnmarshalText implements [encoding.TextUnmarshaler].
func (n *Namespaces) UnmarshalText(text []byte) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	set := namespace.Set{}
	if err := d.Decode(&set); err != nil {
		return err
	}
	if err := set.Check(); err != nil {
		return err
	}
	*n = Namespaces(set)
	return nil
}

// checkNamespaces names what is wrong with the namespaces of a file, and the line.
func checkNamespaces(file string, n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf(`%s:%d: want namespaces by name, as in "chat: {subscribe: user}"`, file, n.Line)
	}
	known := optionNames()
	for i := 0; i < len(n.Content); i += 2 {
		name, options := n.Content[i], n.Content[i+1]
		if options.Kind == yaml.AliasNode {
			options = options.Alias
		}
		if options.Kind != yaml.MappingNode && options.Tag != "!!null" {
			return fmt.Errorf("%s:%d: namespace %q: want options, as in {subscribe: user}", file, options.Line, name.Value)
		}
		for j := 0; j < len(options.Content); j += 2 {
			if key := options.Content[j]; key.Value != "<<" && !slices.Contains(known, key.Value) {
				return fmt.Errorf("%s:%d: namespace %q: unknown option %q: did you mean %q?", file, key.Line, name.Value, key.Value, nearest(key.Value, known))
			}
		}
		var o namespace.Options
		if err := options.Decode(&o); err != nil {
			return fmt.Errorf("%s:%d: namespace %q: %w", file, options.Line, name.Value, err)
		}
		if err := (namespace.Set{name.Value: o}).Check(); err != nil {
			return fmt.Errorf("%s:%d: %w", file, name.Line, err)
		}
	}
	return nil
}

// optionNames are the keys that a namespace may have.
func optionNames() (names []string) {
	for f := range reflect.TypeFor[namespace.Options]().Fields() {
		names = append(names, f.Tag.Get("yaml"))
	}
	return names
}
