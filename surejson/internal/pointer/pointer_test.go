package pointer_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/surewire/surewire/surejson/internal/pointer"
)

func TestResolve(t *testing.T) {
	text := `{"a":[1,{"b/c~":null,"":[[],"x\"]"]}],"long":"` + strings.Repeat("é", 100) + `","z":-1.5e3}`
	var offsets []int
	for _, part := range []string{`{"a"`, `"a"`, `[1`, `1`, `{"b`, `null`, `"":`, `[[`, `[]`, `"x`, `"long"`, `"é`, `-1.5`} {
		offsets = append(offsets, strings.Index(text, part))
	}
	var got []string
	for _, p := range pointer.Resolve([]byte(text), offsets) {
		got = append(got, p.Pointer+" "+p.Text)
	}
	want := []string{` {…}`, `/a "a"`, `/a […]`, `/a/0 1`, `/a/1 {…}`, `/a/1/b~1c~0 null`, `/a/1/ ""`, `/a/1/ […]`, `/a/1//0 […]`, `/a/1//1 "x\"]"`,
		`/long "long"`, `/long "` + strings.Repeat("é", 31) + `…`, `/z -1.5e3`}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	if p := pointer.Resolve([]byte(`1`), []int{0, 5}); p[0].Text != "1" || p[1] != (pointer.Place{}) {
		t.Errorf("%v", p)
	}
}
