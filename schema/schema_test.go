package schema_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/surewire/surewire/schema"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCheck(t *testing.T) {
	s, err := schema.Load(write(t, "chat.json", `{
		"type": "object", "required": ["text"],
		"properties": {"text": {"type": "string", "maxLength": 5}, "a/b": {"type": "array", "items": {"type": "integer"}}}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]string{
		`{"text":"hello"}`:           "",
		`{"text":"hello","more":1}`:  "",
		`{"text":7}`:                 `at "/text": got number, want string`,
		`{"text":"too long"}`:        `at "/text"`,
		`{"text":"x","a/b":[1,"2"]}`: `at "/a~1b/1"`,
		`{}`:                         `at "": missing property 'text'`,
		`[1]`:                        `at "": got array, want object`,
		`{"text":"x","a/b":["1","2","3","4","5"]}`: "and 2 more",
		`{"text":"x"`: "EOF",
		`{"text":"x","a/b":[9007199254740993,1e400]}`: "",
	} {
		err := s.Check([]byte(data))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", data, err, want)
		}
	}
}

// A schema comes from files, and nothing else is fetched for it.
func TestLoadRefuses(t *testing.T) {
	for name, file := range map[string]string{
		"nothing there":   filepath.Join(t.TempDir(), "none.json"),
		"not JSON":        write(t, "a.json", `{`),
		"not a schema":    write(t, "b.json", `{"type": 7}`),
		"from the web":    write(t, "c.json", `{"$ref": "http://127.0.0.1:1/x.json"}`),
		"a missing other": write(t, "d.json", `{"$ref": "other.json"}`),
	} {
		if _, err := schema.Load(file); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"one.json": `{"$ref": "two.json"}`, "two.json": `{"type": "string"}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := schema.Load(filepath.Join(dir, "one.json"))
	if err != nil {
		t.Fatal(err)
	}
	if s.Check([]byte(`"x"`)) != nil || s.Check([]byte(`1`)) == nil {
		t.Error("another file's schema does not hold")
	}
}
