package plugin_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/surewire/surewire/surevet/internal/profile"
	"github.com/surewire/surewire/surevet/plugin"
)

// The sample for golangci-lint imports this package.
func TestSample(t *testing.T) {
	sample, err := os.ReadFile("../.custom-gcl.yml")
	if err != nil {
		t.Fatal(err)
	}
	path := reflect.TypeFor[plugin.Settings]().PkgPath()
	for _, line := range []string{"  - module: " + strings.TrimSuffix(path, "/plugin") + "\n", "    import: " + path + "\n"} {
		if !strings.Contains(string(sample), line) {
			t.Errorf("there is no %q", line)
		}
	}
}

func TestPlugin(t *testing.T) {
	defer func() { profile.Strict, profile.Send = false, profile.Auto }()
	create, err := register.GetPlugin("surewire")
	if err != nil {
		t.Fatal(err)
	}
	p, err := create(map[string]any{"strict": true, "send": "on", "sinks": []string{"example.com/x.T.Send:1"}})
	if err != nil {
		t.Fatal(err)
	}
	analyzers, err := p.BuildAnalyzers()
	if err != nil || p.GetLoadMode() != register.LoadModeTypesInfo {
		t.Fatal(err, p.GetLoadMode())
	}
	if err := analysis.Validate(analyzers); err != nil {
		t.Error(err)
	}
	if !profile.Strict || profile.Send != profile.On {
		t.Errorf("the settings are not taken: %v %v", profile.Strict, profile.Send)
	}
	for _, bad := range []map[string]any{{"send": "perhaps"}, {"sinks": []string{"x"}}, {"unknown": 1}} {
		if _, err := create(bad); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}
