package peer

import (
	"github.com/segmentio/encoding/json"

	"github.com/surewire/surewire/bench/encode/internal/values"
)

func segmentioJSON() []Encoder {
	const module = "github.com/segmentio/encoding"
	return []Encoder{
		segmentioEncoder(Info{"segmentio", Same, module, "`Append` with `SortMapKeys`"}, json.SortMapKeys),
		segmentioEncoder(Info{"segmentio-html", HTML, module, "`Append` with `SortMapKeys` and `EscapeHTML`, `Marshal`"}, json.SortMapKeys|json.EscapeHTML),
		segmentioEncoder(Info{"segmentio-fast", Less, module, "`Append` with `TrustRawMessage`: keys unsorted"}, json.TrustRawMessage),
	}
}

func segmentioEncoder(info Info, flags json.AppendFlags) Encoder {
	return Encoder{info, func(v values.Value) (Codec, bool) {
		var marshal func() ([]byte, error) // there is no Marshal with flags
		if flags&json.EscapeHTML != 0 {
			marshal = func() ([]byte, error) { return json.Marshal(v.Data) }
		}
		return appender(func(b []byte) ([]byte, error) { return json.Append(b, v.Data, flags) }, marshal), true
	}}
}
