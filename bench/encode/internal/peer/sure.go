package peer

import (
	"github.com/surewire/surewire/bench/encode/internal/values"
	"github.com/surewire/surewire/surejson"
)

func sure() []Encoder {
	return []Encoder{
		sureEncoder(Info{"surejson", Same, "", "`Encoder.Append`, `Marshal`: everything contained, nothing configured"}, &surejson.Encoder{}),
		sureEncoder(Info{"surejson-html", HTML, "", "with `EscapeHTML`: byte for byte as `json.Marshal`"}, &surejson.Encoder{EscapeHTML: true}),
	}
}

func sureEncoder(info Info, e *surejson.Encoder) Encoder {
	return Encoder{info, func(v values.Value) (Codec, bool) {
		marshal := func() ([]byte, error) {
			b, r := surejson.Marshal(v.Data)
			return b, r.Err()
		}
		if e.EscapeHTML {
			marshal = nil // Marshal is the Append of the zero Encoder
		}
		return appender(func(b []byte) ([]byte, error) {
			b, r := e.Append(b, v.Data)
			return b, r.Err()
		}, marshal), true
	}}
}
