// Package config reads surewire.yaml: a key per flag of serve, and the namespaces.
package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// File is read where it is, unless --config names another.
const File = "surewire.yaml"

// A config is a configuration file: for each flag of serve a key of its name,
// with "_" or "-". Groups of keys may be nested: tls: {cert: …} is --tls-cert.
type config struct {
	name   string // of the file
	values map[string]setting
}

type setting struct {
	key  string // as the file has it
	line int
	text string
}

// Load reads a configuration file; it is a [kong.ConfigurationLoader].
func Load(r io.Reader) (kong.Resolver, error) {
	c := &config{name: File, values: make(map[string]setting)}
	if f, ok := r.(*os.File); ok {
		c.name = f.Name()
	}
	var doc yaml.Node
	switch err := yaml.NewDecoder(r).Decode(&doc); {
	case errors.Is(err, io.EOF):
		return c, nil // empty
	case err != nil:
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return c, c.read(doc.Content[0], "")
}

// read takes the keys of a mapping, under the name of its group.
func (c *config) read(n *yaml.Node, group string) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: want keys and values, as in \"address: 127.0.0.1:8000\"", c.name, n.Line)
	}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := group + strings.ReplaceAll(key.Value, "_", "-")
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if name == namespacesKey {
			if err := checkNamespaces(c.name, value); err != nil {
				return err
			}
			text, err := yaml.Marshal(value)
			if err != nil {
				return fmt.Errorf("%s:%d: %w", c.name, value.Line, err)
			}
			value = &yaml.Node{Value: string(text)}
		}
		switch value.Kind {
		case yaml.MappingNode:
			if err := c.read(value, name+"-"); err != nil {
				return err
			}
			continue
		case yaml.SequenceNode:
			var list []string
			if err := value.Decode(&list); err != nil {
				return fmt.Errorf("%s:%d: %q: want a list of texts: %w", c.name, key.Line, key.Value, err)
			}
			for i := range list {
				list[i] = strings.ReplaceAll(list[i], ",", `\,`)
			}
			value = &yaml.Node{Value: strings.Join(list, ",")}
		}
		if first, ok := c.values[name]; ok {
			return fmt.Errorf("%s:%d: %q says again what line %d says", c.name, key.Line, key.Value, first.line)
		}
		c.values[name] = setting{key: key.Value, line: key.Line, text: value.Value}
	}
	return nil
}

// Validate implements [kong.Resolver]: a key that serve has no flag for is a mistake.
func (c *config) Validate(app *kong.Application) error {
	var known []string
	for _, command := range app.Children {
		if command.Name == "serve" {
			for _, f := range command.Flags {
				known = append(known, f.Name)
			}
		}
	}
	var faults []error
	for name, s := range c.values {
		if slices.Contains(known, name) {
			continue
		}
		near := nearest(name, known)
		faults = append(faults, fmt.Errorf("%s:%d: unknown key %q: did you mean %q?", c.name, s.line, s.key, strings.ReplaceAll(near, "-", "_")))
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

// Resolve implements [kong.Resolver]. The environment has precedence.
func (c *config) Resolve(_ *kong.Context, parent *kong.Path, f *kong.Flag) (any, error) {
	s, ok := c.values[f.Name]
	if !ok || parent.Command == nil || parent.Command.Name != "serve" && parent.Command.Name != "check" {
		return nil, nil
	}
	for _, env := range f.Envs {
		if _, set := os.LookupEnv(env); set {
			return nil, nil
		}
	}
	return s.text, nil
}

// nearest returns the one of names that takes the fewest changes of a letter to
// become name.
func nearest(name string, names []string) string {
	return slices.MinFunc(names, func(a, b string) int { return distance(name, a) - distance(name, b) })
}

// distance is that of Levenshtein.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := left
			if a[i] != b[j] {
				change++
			}
			left, row[j+1] = row[j+1], min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

var _ kong.Resolver = (*config)(nil)
