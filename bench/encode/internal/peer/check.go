package peer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/surewire/surewire/bench/encode/internal/values"
)

// Check encodes v in both modes and compares what comes out with what
// encoding/json writes, as JSON. It returns the first difference, or nothing.
func (e Encoder) Check(v values.Value) string {
	codec, ok := e.New(v)
	if !ok {
		return ""
	}
	want, err := json.Marshal(v.Data)
	if err != nil {
		return err.Error()
	}
	for _, mode := range Modes {
		// A second time, since the first one grows the buffers.
		for range 2 {
			got, err := codec.Mode(mode)()
			if err != nil {
				return err.Error()
			}
			if d := Difference(want, got); d != "" {
				return d
			}
		}
	}
	return ""
}

// Difference returns the first place where two JSON texts differ in what
// they say, or nothing.
func Difference(want, got []byte) string {
	w, err := decode(want)
	if err != nil {
		return "encoding/json: " + err.Error()
	}
	g, err := decode(got)
	if err != nil {
		return err.Error()
	}
	return differ("", w, g)
}

// decode keeps numbers as they are written.
func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one value")
	}
	return v, nil
}

func differ(at string, want, got any) string {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return differMembers(at, w, g)
		}
	case []any:
		if g, ok := got.([]any); ok && len(g) == len(w) {
			for i := range w {
				if d := differ(at+"/"+strconv.Itoa(i), w[i], g[i]); d != "" {
					return d
				}
			}
			return ""
		}
	case json.Number:
		if g, ok := got.(json.Number); ok && sameNumber(w, g) {
			return ""
		}
	default:
		if want == got {
			return ""
		}
	}
	return fmt.Sprintf("%s is %.40v instead of %.40v", at, got, want)
}

func differMembers(at string, want, got map[string]any) string {
	for _, k := range slices.Sorted(maps.Keys(want)) {
		g, ok := got[k]
		if !ok {
			return at + "/" + k + " is missing"
		}
		if d := differ(at+"/"+k, want[k], g); d != "" {
			return d
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[k]; !ok {
			return fmt.Sprintf("%s/%s is added: %.40v", at, k, got[k])
		}
	}
	return ""
}

// sameNumber reports whether a reader gets the same number from both.
func sameNumber(a, b json.Number) bool {
	x, errX := a.Float64()
	y, errY := b.Float64()
	return a == b || errX == nil && errY == nil && x == y
}
