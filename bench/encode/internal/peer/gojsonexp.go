package peer

import (
	"bytes"

	"github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/surewire/surewire/bench/encode/internal/values"
)

func gojsonexp() []Encoder {
	const module = "github.com/go-json-experiment/json"
	return []Encoder{
		gojsonexpEncoder(Info{"gojsonexp-sorted", Same, module, "with `Deterministic` and `FormatDurationAsNano`"},
			json.Deterministic(true), jsonv1.FormatDurationAsNano(true)),
		gojsonexpEncoder(Info{"gojsonexp", Less, module, "with `FormatDurationAsNano`, without which it refuses durations: keys unsorted"},
			jsonv1.FormatDurationAsNano(true)),
	}
}

func gojsonexpEncoder(info Info, list ...json.Options) Encoder {
	opts := json.JoinOptions(list...)
	return Encoder{info, func(v values.Value) (Codec, bool) {
		var buf bytes.Buffer
		return writer(&buf,
			func() error { return json.MarshalWrite(&buf, v.Data, opts) },
			func() ([]byte, error) { return json.Marshal(v.Data, opts) }), true
	}}
}
