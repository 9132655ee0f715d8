package peer

import (
	"bytes"

	"github.com/goccy/go-json"

	"github.com/surewire/surewire/bench/encode/internal/values"
)

func goccyJSON() []Encoder {
	const module = "github.com/goccy/go-json"
	return []Encoder{
		goccyEncoder(Info{"goccy", Same, module, "with `DisableHTMLEscape`"}, json.DisableHTMLEscape()),
		goccyEncoder(Info{"goccy-html", HTML, module, "`Encoder`, `Marshal`"}),
		goccyEncoder(Info{"goccy-fast", Less, module, "with `DisableHTMLEscape`, `UnorderedMap` and `DisableNormalizeUTF8`: keys unsorted, UTF-8 unchecked"},
			json.DisableHTMLEscape(), json.UnorderedMap(), json.DisableNormalizeUTF8()),
	}
}

func goccyEncoder(info Info, opts ...json.EncodeOptionFunc) Encoder {
	return Encoder{info, func(v values.Value) (Codec, bool) {
		var buf bytes.Buffer
		e := json.NewEncoder(&buf)
		return writer(&buf,
			func() error { return e.EncodeWithOption(v.Data, opts...) },
			func() ([]byte, error) { return json.MarshalWithOption(v.Data, opts...) }), true
	}}
}
