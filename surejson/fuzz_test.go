package surejson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/surewire/surewire/surejson"
)

// A chooser makes values and types out of bytes.
type chooser struct {
	data   []byte
	leaves []reflect.Type
	keys   []reflect.Type
}

func (c *chooser) byte() byte {
	if len(c.data) == 0 {
		return 0
	}
	b := c.data[0]
	c.data = c.data[1:]
	return b
}

func (c *chooser) below(n int) int { return int(c.byte()) % n }

func (c *chooser) text() string {
	n := min(c.below(20), len(c.data))
	s := string(c.data[:n])
	c.data = c.data[n:]
	return s
}

func (c *chooser) bits() uint64 {
	var u uint64
	for range c.below(9) {
		u = u<<8 | uint64(c.byte())
	}
	return u
}

var anyType = reflect.TypeFor[any]()

// typ returns a type, at most depth levels deep.
func (c *chooser) typ(depth int) reflect.Type {
	if depth == 0 {
		return c.leaves[c.below(len(c.leaves))]
	}
	switch c.below(8) {
	case 0:
		return reflect.SliceOf(c.typ(depth - 1))
	case 1:
		return reflect.PointerTo(c.typ(depth - 1))
	case 2:
		return reflect.MapOf(c.keys[c.below(len(c.keys))], c.typ(depth-1))
	case 3:
		return reflect.ArrayOf(c.below(3), c.typ(depth-1))
	case 4, 5:
		var fields []reflect.StructField
		for i := range c.below(5) {
			tag := []string{"", `json:"a"`, `json:"b,omitempty"`, `json:",string"`, `json:",omitzero"`, `json:"-"`, `json:"c,omitempty,string"`, `json:"<d>"`}[c.below(8)]
			fields = append(fields, reflect.StructField{Name: "F" + strconv.Itoa(i), Type: c.typ(depth - 1), Tag: reflect.StructTag(tag)})
		}
		return reflect.StructOf(fields)
	case 6:
		return anyType
	}
	return c.leaves[c.below(len(c.leaves))]
}

// fill sets v, at most depth levels deep.
func (c *chooser) fill(v reflect.Value, depth int) {
	t := v.Type()
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(c.byte()&1 == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(c.bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(c.bits())
	case reflect.Float32, reflect.Float64:
		v.SetFloat(c.float())
	case reflect.String:
		v.SetString(c.text())
	case reflect.Slice:
		if n := c.below(5); n > 0 && depth > 0 {
			v.Set(reflect.MakeSlice(t, n-1, n-1))
			for i := range n - 1 {
				c.fill(v.Index(i), depth-1)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			c.fill(v.Index(i), depth-1)
		}
	case reflect.Map:
		c.fillMap(v, depth)
	case reflect.Pointer:
		if c.byte()&3 != 0 && depth > 0 {
			v.Set(reflect.New(t.Elem()))
			c.fill(v.Elem(), depth-1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				c.fill(v.Field(i), depth-1)
			}
		}
	case reflect.Chan:
		v.Set(reflect.MakeChan(t, 0))
	case reflect.Interface:
		if t == anyType && depth > 0 && c.byte()&7 != 0 {
			e := reflect.New(c.typ(depth - 1)).Elem()
			c.fill(e, depth-1)
			v.Set(e)
		}
	}
}

func (c *chooser) fillMap(v reflect.Value, depth int) {
	n := c.below(4)
	if n == 0 || depth <= 0 {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for range n - 1 {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		c.fill(key, depth-1)
		c.fill(value, depth-1)
		// A value alone says yes for an array without elements.
		if key.Kind() == reflect.Interface && !key.IsNil() && !(key.Elem().Type().Comparable() && key.Elem().Comparable()) {
			continue
		}
		v.SetMapIndex(key, value)
	}
}

func (c *chooser) float() float64 {
	switch c.below(4) {
	case 0:
		return float64(int64(c.bits())) / 1000
	case 1:
		return math.Float64frombits(c.bits())
	case 2:
		return float64(c.below(100))
	}
	return float64(int8(c.byte())) / float64(1+c.below(30))
}

func typesOf(values ...any) []reflect.Type {
	types := []reflect.Type{anyType}
	for _, v := range values {
		types = append(types, reflect.TypeOf(v))
	}
	return types
}

// cleanLeaves are types whose values JSON can hold, for most contents.
var cleanLeaves = typesOf("", 0, 0.5, true, int8(0), int16(0), int32(0), int64(0), uint(0), uint8(0), uint16(0), uint32(0), uint64(0), uintptr(0), float32(0),
	[]byte(nil), json.Number(""), time.Time{}, time.Duration(0), jsonValue{}, textValue(""), Inner{}, embedded{}, tags{}, myString(""), myMap(nil), nilMap(nil), ownZero{}, list{})

var hostileLeaves = append(typesOf(make(chan int), func() {}, complex64(0), state(0), smallState(0), panicEnum(0), exitEnum(0), ptrEnum(0), badUTF8(0), unnamed(0), idNumber(0),
	jsonError{}, jsonPanic{}, jsonNilDeref{}, jsonText(""), jsonNil{}, textError{}, textPanic{}, textBad{}, appendOnly{}, errorPanics{}, errorExported{}, &errorPointer{}, errors.New(""),
	opaque{}, opaquePanics{}, embedsMarshaler{}, embedsTime{}, embedsError{}, zeroPanics{}, json.RawMessage(nil), jsonPointer{}, textPointer{}, reflect.Value{}, tree{}, dag{}), cleanLeaves...)

// FuzzCleanValues compares with encoding/json whatever both write as it is.
func FuzzCleanValues(f *testing.F) {
	f.Add([]byte("\x04\x05\x01\x02\x03\x04hello\xff\x00\x10world"))
	f.Add(bytes.Repeat([]byte{4, 2, 1, 3, 8, 255, 7, 9, 30, 17}, 20))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := chooser{data: data, leaves: cleanLeaves, keys: typesOf("", 0, int8(0), uint16(0), myString(""), textValue(""))[1:]}
		v := reflect.New(c.typ(4)).Elem()
		c.fill(v, 6)
		for _, value := range []any{v.Interface(), v.Addr().Interface()} {
			want, err := asStandard(value, false)
			e := surejson.Encoder{Integers: surejson.IntegersAsNumbers}
			got, r := e.Append(nil, value)
			if err == nil && onlyText(r) && !bytes.Equal(got, want) {
				t.Errorf("%T\n got %s\nwant %s\n%v", value, got, want, r.Err())
			}
			if err != nil && r.Clean() {
				t.Errorf("%T: no repair although encoding/json: %v\n%s", value, err, got)
			}
			mustBeValid(t, got, r)
		}
	})
}

// onlyText reports whether all repairs are such that encoding/json makes them
// too, without a word.
func onlyText(r surejson.Report) bool {
	for _, p := range r.Repairs {
		if p.Reason != surejson.InvalidUTF8 {
			return false
		}
	}
	return r.Total == len(r.Repairs)
}

// FuzzHostileValues encodes random values of types that misbehave.
func FuzzHostileValues(f *testing.F) {
	f.Add([]byte("\x04\x05\x01\x02\x03\x04hello\xff\x00\x10world"), 0)
	f.Add(bytes.Repeat([]byte{4, 2, 1, 3, 8, 255, 7, 9, 30, 17}, 20), 100)
	for i := range 64 {
		f.Add([]byte{6, 1, 7, byte(i), 1, 2, 3, byte(i), 5, 8, byte(i), 200, 31}, i)
	}
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		c := chooser{data: data, leaves: hostileLeaves, keys: typesOf("", 0, state(0), panicEnum(0), 1.5, true, keyError{}, [2]int8{}, Inner{}, textBad{}, complex64(0), &seven, time.Time{})}
		v := reflect.New(c.typ(4)).Elem()
		c.fill(v, 6)
		for _, value := range []any{v.Interface(), v.Addr().Interface()} {
			got, r := surejson.Marshal([]any{"before", value, "after"})
			mustBeValid(t, got, r)
			var siblings []json.RawMessage
			if json.Unmarshal(got, &siblings) != nil || len(siblings) != 3 || string(siblings[0]) != `"before"` || string(siblings[2]) != `"after"` {
				t.Errorf("siblings of %T: %s", value, got)
			}
			e := surejson.Encoder{MaxSize: 4 + size&255, MaxDepth: 1 + size>>8&7, EscapeHTML: size&1 == 1, NilAsEmpty: size&2 == 2}
			got, r = e.Append([]byte("x"), value)
			mustBeValid(t, got[1:], r)
			if len(got)-1 > e.MaxSize {
				t.Errorf("%T: %d bytes beyond %d: %s", value, len(got)-1, e.MaxSize, got)
			}
		}
	})
}

var seven = 7

// bigInteger finds what may be an integer beyond 2^53.
var bigInteger = regexp.MustCompile(`[0-9]{16}`)

// FuzzForeignJSON gives bytes as JSON made by others.
func FuzzForeignJSON(f *testing.F) {
	for _, s := range []string{``, `{"a":[1,2.5e-7,"x\u00e9\n",true,null]}`, ` [ ] `, "\"\xff\"", `{"a":1,}`, `[9007199254740993]`, `"<\u2028>"`, "\"\u2028&\"", `[[[[]]]]`, `{"a":{"b":{}}}`, `"\ud800"`, `-0.0E+1`, `1 2`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, r := surejson.Marshal([]any{json.RawMessage(data), jsonText(data)})
		mustBeValid(t, got, r)
		var two []json.RawMessage
		if json.Unmarshal(got, &two) != nil || len(two) != 2 {
			t.Fatalf("%q injects: %s", data, got)
		}
		if !json.Valid(data) {
			if len(data) > 0 && r.Total != 2 && utf8.Valid(data) {
				t.Errorf("%q: %v", data, r.Err())
			}
			return
		}
		if !utf8.Valid(data) || bigInteger.Match(data) || len(data) > 500 {
			return
		}
		for _, html := range []bool{false, true} {
			want, err := asStandard(json.RawMessage(data), html)
			e := surejson.Encoder{EscapeHTML: html}
			got, r := e.Append(nil, json.RawMessage(data))
			if err != nil || !bytes.Equal(got, want) || !r.Clean() {
				t.Errorf("%q\n got %s\nwant %s\n%v", data, got, want, r.Err())
			}
		}
	})
}

// FuzzStrings compares the escapes of strings.
func FuzzStrings(f *testing.F) {
	for _, s := range []string{"", "plain", "0123456789abcdef", "é日本😀\u2028\x00\"\\<>&", "\xff\xc0\xaf", "日本語テキスト\xe2\x80", "Привет, мир! a\u007f", "\xed\xa0\x80\xf4\x90\x80\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, html := range []bool{false, true} {
			want, _ := asStandard(s, html)
			e := surejson.Encoder{EscapeHTML: html}
			got, r := e.Append(nil, s)
			if !bytes.Equal(got, want) {
				t.Errorf("%q\n got %s\nwant %s", s, got, want)
			}
			if r.Clean() != utf8.ValidString(s) {
				t.Errorf("%q: %v", s, r.Err())
			}
		}
	})
}
