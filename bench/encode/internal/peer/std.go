package peer

import (
	"bytes"
	"encoding/json"

	"github.com/surewire/surewire/bench/encode/internal/values"
)

func std() []Encoder {
	about := "`Encoder` with `SetEscapeHTML(false)`, a new one where the slice is fresh" + engineNote
	return []Encoder{
		stdEncoder(Info{"std-v1" + engineSuffix, Same, "", about}, false),
		stdEncoder(Info{"std-v1-html" + engineSuffix, HTML, "", "`Encoder`, `json.Marshal`" + engineNote}, true),
	}
}

func stdEncoder(info Info, html bool) Encoder {
	return Encoder{info, func(v values.Value) (Codec, bool) {
		var buf bytes.Buffer
		e := json.NewEncoder(&buf)
		e.SetEscapeHTML(html)
		marshal := func() ([]byte, error) { return json.Marshal(v.Data) }
		if !html {
			// There is no Marshal without HTML escapes: this is the usual way.
			marshal = func() ([]byte, error) {
				var own bytes.Buffer
				e := json.NewEncoder(&own)
				e.SetEscapeHTML(false)
				err := e.Encode(v.Data)
				return own.Bytes(), err
			}
		}
		return writer(&buf, func() error { return e.Encode(v.Data) }, marshal), true
	}}
}
