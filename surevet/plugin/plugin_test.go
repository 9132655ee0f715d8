package plugin_test

import (
	"testing"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/surewire/surewire/surevet/internal/profile"
	_ "github.com/surewire/surewire/surevet/plugin"
)

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
