package surejson_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"testing"
	"time"

	"database/sql"

	"github.com/surewire/surewire/surejson"
)

// asStandard returns what encoding/json writes, with or without HTML escapes.
func asStandard(v any, html bool) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(html)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// mustMatch fails unless v is written as encoding/json writes it, without a
// repair.
func mustMatch(t *testing.T, v any) {
	t.Helper()
	for _, html := range []bool{false, true} {
		want, err := asStandard(v, html)
		if err != nil {
			t.Fatalf("encoding/json: %v", err)
		}
		e := surejson.Encoder{EscapeHTML: html}
		got, r := e.Append([]byte("head "), v)
		if got = got[len("head "):]; !bytes.Equal(got, want) {
			t.Errorf("%T\n got %.2000s\nwant %.2000s", v, got, want)
		}
		if !r.Clean() {
			t.Errorf("%T: %v", v, r.Err())
		}
	}
}

type tags struct {
	Plain      string
	Renamed    int    `json:"renamed"`
	Dash       string `json:"-"`
	DashName   string `json:"-,"`
	Bad        string `json:"a\"b"`
	Html       string `json:"a<b>&c"`
	Unicode    string `json:"日本"`
	hidden     int
	OmitString string             `json:",omitempty"`
	OmitInt    int                `json:",omitempty"`
	OmitInt8   int8               `json:",omitempty"`
	OmitUint   uint               `json:",omitempty"`
	OmitFloat  float64            `json:",omitempty"`
	OmitBool   bool               `json:",omitempty"`
	OmitSlice  []int              `json:",omitempty"`
	OmitMap    map[string]int     `json:",omitempty"`
	OmitPtr    *int               `json:",omitempty"`
	OmitAny    any                `json:",omitempty"`
	OmitArray  [0]int             `json:",omitempty"`
	OmitArray1 [1]int             `json:",omitempty"`
	OmitStruct struct{}           `json:",omitempty"`
	OmitTime   time.Time          `json:",omitempty"`
	ZeroTime   time.Time          `json:",omitzero"`
	ZeroStruct struct{ A, B int } `json:",omitzero"`
	ZeroPtr    *time.Time         `json:",omitzero"`
	ZeroInt    int                `json:",omitzero"`
	ZeroSlice  []int              `json:",omitzero"`
	ZeroOwn    ownZero            `json:",omitzero"`
	ZeroOwnPtr ownZeroPtr         `json:",omitzero"`
	ZeroBoth   []int              `json:",omitzero,omitempty"`
	QInt       int                `json:",string"`
	QInt64     int64              `json:",string"`
	QUint8     uint8              `json:",string"`
	QFloat     float64            `json:",string"`
	QFloat32   float32            `json:",string"`
	QBool      bool               `json:",string"`
	QString    string             `json:",string"`
	QPtr       *int               `json:",string"`
	QPtrNil    *int               `json:",string"`
	QNumber    json.Number        `json:",string"`
	QSlice     []int              `json:",string"`
	QTime      time.Time          `json:",string"`
	QAny       any                `json:",string"`
	QPtrPtr    **int              `json:",string"`
	QText      textValue          `json:",string"`
	QDuration  time.Duration      `json:",string"`
}

type ownZero struct{ N int }

func (o ownZero) IsZero() bool { return o.N == 7 }

type ownZeroPtr struct{ N int }

func (o *ownZeroPtr) IsZero() bool { return o.N == 8 }

type zeroInterface interface{ IsZero() bool }

type textValue string

func (t textValue) MarshalText() ([]byte, error) { return []byte("text:" + string(t)), nil }

type jsonValue struct{ N int }

func (j jsonValue) MarshalJSON() ([]byte, error) {
	return []byte(" { \"n\" : [ 1 , 2.50 , \"<a\\u0062>\u2028\" ] } "), nil
}

type jsonPointer struct{ N int }

func (j *jsonPointer) MarshalJSON() ([]byte, error) { return []byte(`"by pointer"`), nil }

type textPointer struct{ N int }

func (j *textPointer) MarshalText() ([]byte, error) { return []byte(`by "pointer"`), nil }

type bothMethods struct{ N int }

func (bothMethods) MarshalText() ([]byte, error)  { return []byte(`text`), nil }
func (*bothMethods) MarshalJSON() ([]byte, error) { return []byte(`"json"`), nil }

type bothText struct{}

func (bothText) MarshalText() ([]byte, error) { return []byte(`text`), nil }
func (bothText) MarshalJSON() ([]byte, error) { return []byte(`"json"`), nil }

type nilMap map[string]int

func (n nilMap) MarshalJSON() ([]byte, error) {
	if n == nil {
		return []byte(`"nil map"`), nil
	}
	return []byte(`"map"`), nil
}

type nilSlice []int

func (n nilSlice) MarshalText() ([]byte, error) { return []byte("slice"), nil }

type funcText func()

func (funcText) MarshalText() ([]byte, error) { return []byte("func"), nil }

type pointerKind struct{ p *int }

func (p pointerKind) MarshalText() ([]byte, error) { return []byte("pointer kind"), nil }

// Embedding.
type (
	Inner  struct{ A, B, C int }
	inner  struct{ A, D int }
	InnerX struct {
		X int `json:"x"`
	}
	InnerX2 struct {
		X int `json:"x"`
	}
	InnerX3 struct{ X int }
	Deep    struct{ *Deeper }
	Deeper  struct {
		Inner
		Z int
	}
	Loop struct {
		*Loop
		N int
	}
	MyInt    int
	myInt    int
	embedded struct {
		Inner
		inner
		*InnerX
		InnerX2
		E int
	}
	embeddedPtr struct {
		*Inner
		*Deep
		MyInt
		myInt
		Named Inner `json:"named"`
	}
	tagWins struct {
		InnerX
		InnerX3
	}
	twice struct {
		One
		Two
	}
	One    struct{ Shared }
	Two    struct{ Shared }
	Shared struct{ S int }
	named  struct {
		Inner   `json:"inner"`
		*InnerX `json:"ptr"`
	}
	embeddedIface struct {
		error
		N int `json:"n"`
	}
	EmbIface       interface{ M() }
	embeddedIface2 struct {
		EmbIface
		N int
	}
	embeddedMarshaler struct {
		jsonValue
		N int
	}
	ifaces struct {
		M  json.Marshaler
		T  interface{ MarshalText() ([]byte, error) }
		E  any
		N  json.Marshaler
		T2 encoding.TextMarshaler
		T3 encoding.TextMarshaler
		Z  zeroInterface `json:",omitzero"`
		Z2 zeroInterface `json:",omitzero"`
	}
	list struct {
		Next *list `json:"next,omitempty"`
		V    int
	}
)

type (
	myString  string
	myBool    bool
	myFloat   float64
	myBytes   []byte
	myByte    byte
	myMap     map[string]any
	myAnys    []any
	myStruct  Inner
	myTime    time.Time
	mapOfMaps map[myString]map[int8]map[uint16]bool
	textByte  byte
)

func (t textByte) MarshalText() ([]byte, error) { return []byte{t2h(t)}, nil }

func t2h(t textByte) byte { return "0123456789abcdef"[t&15] }

func cleanValues() []any {
	seven, now := 7, time.Date(2026, 11, 22, 23, 59, 58, 123456000, time.UTC)
	pp := &seven
	zone := time.FixedZone("x", -(9*3600 + 30*60))
	values := []any{
		nil, true, false, 0, -1, math.MaxInt32, int8(-128), int16(3), int32(4), int64(1 << 53), int64(-(1 << 53)),
		uint(1), uint8(255), uint16(65535), uint32(math.MaxUint32), uint64(1 << 53), uintptr(5),
		0.0, math.Copysign(0, -1), 1.0, 1.5, -2.25, 1e20, 1e21, 1.5e21, 1e-6, 9.99e-7, 1e-7, 123456789.0, 1e100, 5e-324,
		math.MaxFloat64, 1e15, 1e16, 123456789012345678.0, math.Pi, 100.0, float64(1 << 53), float64(1<<53 + 2), 0.1 + 0.2,
		float32(0), float32(0.1), float32(1e20), float32(1e21), float32(1e-6), float32(1e-7), float32(16777216), float32(33554432), float32(3.4e38), float32(16777217),
		"", "plain", `quote " slash \ / `, "\x00\x01\b\f\n\r\t\x1f\x7f", "<a>&'", "é日本😀\u2028\u2029\ufffd", "0123456789abcdef\"tail", "\u2027\u202a",
		"aaaaaaaé", "aaaaaaaaé", "日本語テキスト", "éa", "a\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff",
		[]byte(nil), []byte{}, []byte("hello"), [3]byte{1, 2, 3}, myBytes("x"), []myByte{1, 2}, []textByte{1, 2}, []int8{1},
		[]int(nil), []int{}, []int{1, 2, 3}, [0]int{}, [2]string{"a", "b"}, []any{1, "a", nil, 2.5, true, []any{}, map[string]any{}},
		map[string]any(nil), map[string]any{}, map[string]any{"b": 1, "a": "x", "<c>": nil, "": 0}, myMap{"z": 1, "y": myAnys{1}},
		map[string]int{"one": 1}, map[int]string{10: "a", 9: "b", -1: "c"}, map[uint8]bool{3: true}, map[myString]int{"q": 1},
		map[textValue]int{"k": 1}, map[netip.Addr]int{netip.MustParseAddr("::1"): 1}, map[bothMethods]int{{1}: 1},
		map[*textPointer]int{{1}: 1, nil: 2}, mapOfMaps{"a": {1: {2: true}}}, map[string]*int{"x": &seven, "y": nil},
		map[int64]int{1: 1, 2: 2, 100: 3, 20: 4}, map[uintptr]int{1: 2}, map[string]string{"b": "c", "a": "d"},
		tags{QPtr: &seven, QPtrPtr: &pp, ZeroOwn: ownZero{7}, ZeroOwnPtr: ownZeroPtr{8}, QString: "a\"b<é", QText: "x"},
		&tags{OmitString: "<x>", OmitInt: 1, OmitInt8: 2, OmitUint: 3, OmitFloat: 4, OmitBool: true, OmitSlice: []int{}, OmitMap: map[string]int{"a": 1},
			OmitPtr: &seven, OmitAny: 0, ZeroTime: now, ZeroStruct: struct{ A, B int }{1, 0}, ZeroPtr: &now, ZeroInt: 1, ZeroSlice: []int{}, ZeroBoth: []int{},
			ZeroOwn: ownZero{0}, ZeroOwnPtr: ownZeroPtr{0}, QNumber: "12.5", QAny: "x", QFloat: 1e21, QBool: true},
		embedded{InnerX: &InnerX{1}}, embedded{}, embeddedPtr{}, embeddedPtr{Inner: &Inner{1, 2, 3}, Deep: &Deep{&Deeper{}}},
		tagWins{}, twice{}, named{}, named{InnerX: &InnerX{}}, embeddedIface2{}, embeddedMarshaler{}, Loop{Loop: &Loop{N: 1}},
		ifaces{}, ifaces{M: jsonValue{}, T: textValue("x"), E: jsonValue{}, N: (*jsonPointer)(nil), T2: bothText{}, T3: &bothText{}, Z: ownZero{7}, Z2: (*ownZeroPtr)(nil)},
		&ifaces{Z: ownZero{1}, Z2: &ownZeroPtr{1}}, list{Next: &list{V: 2}},
		jsonValue{}, &jsonValue{}, &jsonPointer{}, &textPointer{}, (*jsonPointer)(nil), (*jsonValue)(nil), bothMethods{}, &bothMethods{}, textValue("<&>"),
		[]jsonPointer{{1}}, &[1]jsonPointer{}, map[string]*jsonPointer{"a": {}, "b": nil}, &struct{ P jsonPointer }{}, struct{ P *textPointer }{},
		nilMap(nil), nilMap{}, nilSlice(nil), nilSlice{}, struct{ N nilMap }{}, funcText(func() {}), funcText(nil), pointerKind{}, pointerKind{&seven}, &pointerKind{},
		[]any{nilMap(nil), pointerKind{}, [1]*int{&seven}, struct{ P *int }{&seven}, struct{ M map[string]int }{}},
		now, now.In(zone), now.Local(), time.Time{}, time.Date(0, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(1969, 2, 28, 0, 0, 1, 500, zone), time.Date(2024, 2, 29, 0, 0, 0, 100000000, time.FixedZone("", 30)), time.Date(1900, 3, 1, 0, 0, 0, 0, time.FixedZone("", -59)),
		time.Date(2000, 1, 1, 0, 0, 0, 0, time.FixedZone("", 23*3600+59*60+59)), &now, myTime(now), []time.Time{now},
		time.Duration(5), []time.Duration{1}, json.Number("1.50"), json.Number(""), json.Number("-0e+1"), []json.Number{"1"},
		json.RawMessage(nil), json.RawMessage(" [1 , 2 ] "), &struct{ R json.RawMessage }{json.RawMessage(`{"a" : "<\u2028"}`)}, json.RawMessage(`"\ud800\/"`),
		json.RawMessage(`[1.0,-0,1e400,0.10,9007199254740992,-9007199254740992,12345678901234567890.5]`),
		big.NewInt(12), big.NewFloat(1.5), big.NewRat(1, 3), netip.MustParseAddr("10.0.0.1"), url.URL{Host: "x"}, sql.NullString{String: "a", Valid: true}, sql.NullTime{},
		struct{}{}, struct{ hidden int }{1}, myStruct{1, 2, 3}, myString("s"), myBool(true), myFloat(2), MyInt(3),
		struct{ A [2]struct{ B *int } }{}, []**int{&pp, nil}, [][]int{{1}, nil, {}}, struct {
			F float32
			G myFloat
		}{0.1, 2},
		struct{ A, B, C, D, E, F, G int8 }{}, struct {
			I8  int8
			I64 int64
			U64 uint64
			Up  uintptr
			B   myBool
			S   myString
			An  any
			Dur time.Duration
		}{},
	}
	return values
}

func TestCleanValuesAsEncodingJSON(t *testing.T) {
	for _, v := range cleanValues() {
		mustMatch(t, v)
		mustMatch(t, []any{v, v})
		mustMatch(t, map[string]any{"k": v})
		if v == nil {
			continue
		}
		p := reflect.New(reflect.TypeOf(v))
		p.Elem().Set(reflect.ValueOf(v))
		mustMatch(t, p.Interface())
		s := reflect.MakeSlice(reflect.SliceOf(p.Type().Elem()), 2, 2)
		s.Index(0).Set(p.Elem())
		if _, err := asStandard(s.Interface(), false); err == nil {
			mustMatch(t, s.Interface())
		}
	}
}
