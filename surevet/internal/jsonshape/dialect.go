package jsonshape

// A Dialect is what an encoder does with the values on which encoders differ.
// The zero Dialect is that of encoding/json.
type Dialect struct {
	Name string // as messages call the encoder

	CopiesForMethods bool // methods with a pointer receiver are called on copies of values that have no address
	AppendText       bool // AppendText is called where MarshalText is missing
	MarshalJSONTo    bool // MarshalJSONTo is called
	EnumNames        bool // an integer with a String method is written as its name
	ErrorTexts       bool // a value with an Error method is written as its text
	Contents         bool // atomics, sync.Map and their like are written as what they hold
	AnyKey           bool // map keys of every type have a text
	MarshaledKeys    bool // map keys are written as values are, and must come out as strings or numbers
	NamedBytes       bool // a slice of a named byte type is a list
	ByteArrays       bool // an array of bytes is base64
	StrictStructs    bool // a struct with nothing to show, or tags that contradict, is an error
	NoDuration       bool // a time.Duration without a format is an error
	StringsInside    bool // the option "string" reaches the numbers inside of a value
	ExactIntegers    bool // integers beyond ±2^53 are written as strings
	Total            bool // what cannot be encoded is null, and nothing is an error
}

// The encoders that are known.
var (
	V1 = &Dialect{Name: "encoding/json"}

	V2 = &Dialect{
		Name:             "encoding/json/v2",
		CopiesForMethods: true,
		AppendText:       true,
		MarshalJSONTo:    true,
		MarshaledKeys:    true,
		NamedBytes:       true,
		ByteArrays:       true,
		StrictStructs:    true,
		NoDuration:       true,
		StringsInside:    true,
	}

	Surewire = &Dialect{
		Name:             "surejson",
		CopiesForMethods: true,
		AppendText:       true,
		EnumNames:        true,
		ErrorTexts:       true,
		Contents:         true,
		AnyKey:           true,
		ExactIntegers:    true,
		Total:            true,
	}
)
