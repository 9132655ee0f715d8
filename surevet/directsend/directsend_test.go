package directsend_test

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/surewire/surewire/surevet/directsend"
	"github.com/surewire/surewire/surevet/internal/profile"
)

func run(t *testing.T, send string, strict bool, pkg string) {
	t.Helper()
	profile.Send, profile.Strict = send, strict
	defer func() { profile.Send, profile.Strict = profile.Auto, false }()
	analysistest.Run(t, analysistest.TestData(), directsend.Analyzer, pkg)
}

func TestOn(t *testing.T)     { run(t, profile.On, false, "a") }
func TestOff(t *testing.T)    { run(t, profile.Off, false, "off") }
func TestStrict(t *testing.T) { run(t, profile.On, true, "strict") }
