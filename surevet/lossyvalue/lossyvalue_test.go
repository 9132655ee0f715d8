package lossyvalue_test

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/surewire/surewire/surevet/internal/profile"
	"github.com/surewire/surewire/surevet/lossyvalue"
)

func TestDefault(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), lossyvalue.Analyzer, "a", "sure")
}

func TestStrict(t *testing.T) {
	profile.Strict = true
	defer func() { profile.Strict = false }()
	analysistest.Run(t, analysistest.TestData(), lossyvalue.Analyzer, "strict")
}

func TestFixes(t *testing.T) {
	analysistest.RunWithSuggestedFixes(t, analysistest.TestData(), lossyvalue.Analyzer, "fix")
}
