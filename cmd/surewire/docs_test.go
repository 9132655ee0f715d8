package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/surewire/surewire/cmd/surewire/internal/config"
)

var update = flag.Bool("update", false, "write the documents that are made of the code")

// TestConfigurationIsDocumented holds docs/configuration.md to the flags of serve
// and the options of namespaces.
func TestConfigurationIsDocumented(t *testing.T) {
	var c commands
	k, err := kong.New(&c, kong.Name("surewire"))
	if err != nil {
		t.Fatal(err)
	}
	var doc strings.Builder
	doc.WriteString(configurationHead)
	for _, command := range k.Model.Children {
		if command.Name != "serve" {
			continue
		}
		doc.WriteString("| flag | key of surewire.yaml | environment | default | meaning |\n|---|---|---|---|---|\n")
		for _, f := range command.Flags {
			if f.Name == "help" {
				continue
			}
			env := "–"
			if len(f.Envs) > 0 {
				env = "`" + f.Envs[0] + "`"
			}
			key := "`" + strings.ReplaceAll(f.Name, "-", "_") + "`"
			if f.Name == "config" {
				key = "–"
			}
			fmt.Fprintf(&doc, "| `--%s` | %s | %s | %s | %s |\n", f.Name, key, env, orDash(f.Default), cell(f.Help))
		}
	}
	doc.WriteString(namespacesHead)
	doc.WriteString("| option | value | meaning |\n|---|---|---|\n")
	for _, o := range optionsOf(t) {
		fmt.Fprintf(&doc, "| `%s` | %s | %s |\n", o.name, o.kind, cell(o.meaning))
	}
	doc.WriteString(namespacesTail)
	const name = "../../docs/configuration.md"
	if *update {
		if err := os.WriteFile(name, []byte(doc.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, []byte(doc.String())) {
		t.Errorf("%s is not what the code makes: run go test ./cmd/surewire -update", name)
	}
}

// cell is text in a cell of a Markdown table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return "`" + s + "`"
}

type option struct{ name, kind, meaning string }

// optionsOf reads the options of a namespace where they are defined.
func optionsOf(t *testing.T) (all []option) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../namespace/namespace.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{
		"Who": "one of `nobody`, `token`, `subscriber`, `user`, `anyone`", "bool": "`true` or `false`", "int": "number",
		"string": "text", "Duration": "time, as `90s` or `24h`", "Rate": "rate, as `5/s burst 20`",
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "Options" {
			return true
		}
		for _, f := range spec.Type.(*ast.StructType).Fields.List {
			kind := ""
			switch x := f.Type.(type) {
			case *ast.Ident:
				kind = x.Name
			case *ast.SelectorExpr:
				kind = x.Sel.Name
			}
			if kinds[kind] == "" || f.Comment == nil {
				t.Errorf("option %v: its kind %q is not known here, or it has no comment", f.Names, kind)
			}
			name := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml")
			all = append(all, option{name, kinds[kind], strings.TrimSpace(f.Comment.Text())})
		}
		return false
	})
	return all
}

const configurationHead = "# Configuration\n\n<!-- Made by go test ./cmd/surewire -update. -->\n\n" +
	"`surewire serve` takes flags, environment variables and a file, `surewire.yaml` where it runs or what `--config` names; a flag wins over the environment, and the environment over the file. " +
	"The file has a key for each flag, with `_`; keys of a group may be nested, so that `token: {secret: …}` is `token_secret`. A key that does not exist is an error that names the nearest one. " +
	"Lists are lists in the file, and separated by commas elsewhere. Where a secret is asked for, `@name` reads it from that file.\n\n" +
	"`surewire check` says whether a configuration is good, and who may do what; it takes the same flags for access.\n\n```yaml\n" + exampleConfiguration + "```\n\n## Flags\n\n"

const exampleConfiguration = `address: 0.0.0.0:8000
api_key: "@/etc/surewire/api-key"
origins: [https://app.example.com]
token:
  secret: "@/etc/surewire/token-secret"
namespaces:
  chat: {subscribe: user, publish: subscriber, presence: subscriber, history: subscriber, joins: true}
  run: {subscribe: token, history_ttl: 1h}
  typing: {subscribe: user, publish: subscriber, ephemeral: true, publish_rate: 2/s burst 5}
`

const namespacesHead = "\n## Namespaces\n\n" +
	"The namespace of a channel is what stands before the first `:` of its name: `chat:lobby` is of `chat`, and `news` of the one that is written `\"\"`. A channel of no namespace does not exist. " +
	"What is not allowed is refused: an empty namespace, as in `news: {}`, is for subscriptions that the server begins.\n\n" +
	"| who | |\n|---|---|\n" +
	"| `nobody` | no client; the HTTP API still may |\n" +
	"| `token` | who shows a token that names the channel; only for `subscribe` |\n" +
	"| `subscriber` | who reads the channel now; not for `subscribe` |\n" +
	"| `user` | everybody with a name |\n" +
	"| `anyone` | everybody who is connected |\n\n" +
	"A `#` in the name of a channel lists its users: `chat:x#42,43` is for the users 42 and 43 and for nobody else, whatever the namespace or the server's API say; for them it counts as a token that names it.\n\n"

const namespacesTail = "\nPaths of files and backends are those of the server. A publication that the schema does not allow is refused with JSON pointers to what is wrong, whoever publishes it.\n"

// The example of the reference is a good configuration.
func TestExampleConfiguration(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"api-key": "key\n", "token-secret": "a secret of at least thirty-two bytes\n",
		"surewire.yaml": strings.ReplaceAll(exampleConfiguration, "/etc/surewire", dir),
	} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var c commands
	k, err := kong.New(&c, kong.Configuration(config.Load), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Parse([]string{"serve", "--config", dir + "/surewire.yaml"}); err != nil {
		t.Fatal(err)
	}
	r, err := c.Serve.Access.rules(slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	if string(c.Serve.Access.APIKey.Secret) != "key" || c.Serve.Access.Namespaces["run"].HistoryTTL != time.Hour {
		t.Errorf("the configuration was read as %+v", c.Serve.Access.Namespaces)
	}
}
