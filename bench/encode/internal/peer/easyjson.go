package peer

import (
	"slices"

	"github.com/mailru/easyjson/jwriter"

	"github.com/surewire/surewire/bench/encode/internal/values"
)

func easyJSON() []Encoder {
	info := Info{"easyjson", Less, "github.com/mailru/easyjson", "generated code for structs, also where the others are given a map, with `NoEscapeHTML`: keys unsorted"}
	return []Encoder{{info, func(v values.Value) (Codec, bool) {
		if v.Typed == nil {
			return Codec{}, false
		}
		encode := func(b []byte) ([]byte, error) {
			w := jwriter.Writer{NoEscapeHTML: true}
			w.Buffer.Buf = b
			v.Typed.MarshalEasyJSON(&w)
			return w.BuildBytes()
		}
		return appender(func(b []byte) ([]byte, error) {
			// Less room than this at the end makes the writer change to chunks.
			const slack = 64
			b, err := encode(b)
			return slices.Grow(b, slack), err
		}, func() ([]byte, error) { return encode(nil) }), true
	}}}
}
