package peer

import (
	jsoniter "github.com/json-iterator/go"

	"github.com/surewire/surewire/bench/encode/internal/values"
)

func jsoniterJSON() []Encoder {
	const module = "github.com/json-iterator/go"
	nohtml := jsoniter.Config{SortMapKeys: true, ValidateJsonRawMessage: true}.Froze()
	return []Encoder{
		jsoniterEncoder(Info{"jsoniter-nohtml", Less, module, "`ConfigCompatibleWithStandardLibrary` without `EscapeHTML`: UTF-8 unchecked"}, nohtml),
		jsoniterEncoder(Info{"jsoniter-std", HTML, module, "`ConfigCompatibleWithStandardLibrary`"}, jsoniter.ConfigCompatibleWithStandardLibrary),
		jsoniterEncoder(Info{"jsoniter-fast", Less, module, "`ConfigFastest`: keys unsorted, UTF-8 unchecked, six digits of a fraction"}, jsoniter.ConfigFastest),
	}
}

func jsoniterEncoder(info Info, api jsoniter.API) Encoder {
	return Encoder{info, func(v values.Value) (Codec, bool) {
		stream := jsoniter.NewStream(api, nil, 0)
		return appender(func(b []byte) ([]byte, error) {
			stream.SetBuffer(b)
			stream.WriteVal(v.Data)
			return stream.Buffer(), stream.Error
		}, func() ([]byte, error) { return api.Marshal(v.Data) }), true
	}}
}
