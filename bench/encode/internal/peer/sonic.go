package peer

import (
	"github.com/bytedance/sonic"
	"github.com/bytedance/sonic/encoder"

	"github.com/surewire/surewire/bench/encode/internal/values"
)

func sonicJSON() []Encoder {
	const (
		module = "github.com/bytedance/sonic"
		safe   = encoder.SortMapKeys | encoder.CompactMarshaler | encoder.ValidateString
	)
	nohtml := sonic.Config{SortMapKeys: true, CompactMarshaler: true, ValidateString: true}.Froze()
	return []Encoder{
		sonicEncoder(Info{"sonic-nohtml", Same, module, "`ConfigStd` without `EscapeHTML`"}, safe, nohtml),
		sonicEncoder(Info{"sonic-std", HTML, module, "`ConfigStd`"}, safe|encoder.EscapeHTML, sonic.ConfigStd),
		sonicEncoder(Info{"sonic-default", Less, module, "`ConfigDefault`: keys unsorted, UTF-8 unchecked"}, 0, sonic.ConfigDefault),
	}
}

// sonicEncoder takes the options twice: a frozen configuration cannot encode
// into a buffer of the caller's, and the function that can takes options.
func sonicEncoder(info Info, opts encoder.Options, api sonic.API) Encoder {
	return Encoder{info, func(v values.Value) (Codec, bool) {
		return appender(func(b []byte) ([]byte, error) {
			err := encoder.EncodeInto(&b, v.Data, opts)
			return b, err
		}, func() ([]byte, error) { return api.Marshal(v.Data) }), true
	}}
}
