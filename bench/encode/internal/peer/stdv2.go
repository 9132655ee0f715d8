//go:build goexperiment.jsonv2

package peer

import (
	"bytes"
	"encoding/json"
	jsonv2 "encoding/json/v2"

	"github.com/surewire/surewire/bench/encode/internal/values"
)

// What this binary's encoding/json runs on: the engine of v2.
const (
	Experiment   = true
	engineSuffix = "-on-v2"
	engineNote   = ", on the engine of v2"
)

func stdv2() []Encoder {
	return []Encoder{
		stdv2Encoder(Info{"std-v2-sorted", Same, "", "`encoding/json/v2` with `Deterministic` and `FormatDurationAsNano`"},
			jsonv2.Deterministic(true), json.FormatDurationAsNano(true)),
		stdv2Encoder(Info{"std-v2", Less, "", "`encoding/json/v2` with `FormatDurationAsNano`, without which it refuses durations: keys unsorted"},
			json.FormatDurationAsNano(true)),
	}
}

func stdv2Encoder(info Info, list ...jsonv2.Options) Encoder {
	opts := jsonv2.JoinOptions(list...)
	return Encoder{info, func(v values.Value) (Codec, bool) {
		var buf bytes.Buffer
		return writer(&buf,
			func() error { return jsonv2.MarshalWrite(&buf, v.Data, opts) },
			func() ([]byte, error) { return jsonv2.Marshal(v.Data, opts) }), true
	}}
}
