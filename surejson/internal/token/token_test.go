package token_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/surewire/surewire/surejson/internal/token"
)

func FuzzTimes(f *testing.F) {
	f.Add(int64(0), int64(0), 0)
	f.Add(int64(951782400), int64(999999999), -59)
	f.Add(int64(-62167219201), int64(1), 3600)
	f.Add(int64(253402300799), int64(120000000), -43200)
	f.Fuzz(func(t *testing.T, sec, nsec int64, zone int) {
		var clock token.Clock
		for _, when := range []time.Time{
			time.Unix(sec%400000000000, nsec%1000000000).UTC(),
			time.Unix(sec%400000000000, nsec%1000000000).In(time.FixedZone("", zone%100000)),
		} {
			got, valid := clock.Append(nil, when)
			want, err := json.Marshal(when)
			if valid != (err == nil) || valid && string(got) != string(want) {
				t.Errorf("got %s, %v, want %s, %v", got, valid, want, err)
			}
			if !json.Valid(got) {
				t.Errorf("%s", got)
			}
		}
	})
}

// Every day of four thousand years, and the first and last second of it.
func TestEveryDay(t *testing.T) {
	var clock token.Clock
	day := time.Date(-1999, 1, 1, 0, 0, 0, 0, time.UTC)
	for range 4000 * 365 {
		got, _ := clock.Append(nil, day)
		if want := day.Format(`-01-02T15:04:05Z"`); string(got[len(got)-len(want):]) != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		day = day.Add(24*time.Hour - time.Second)
		got, _ = clock.Append(nil, day)
		if want := day.Format(`-01-02T15:04:05Z"`); string(got[len(got)-len(want):]) != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		day = day.Add(time.Second)
	}
}

func TestExtremeTimes(t *testing.T) {
	var clock token.Clock
	for _, sec := range []int64{math.MinInt64, math.MaxInt64, math.MinInt64 + 1, math.MaxInt64 - 1<<40, -1 << 60, 1 << 60} {
		if got, valid := clock.Append(nil, time.Unix(sec, 0).UTC()); !json.Valid(got) || valid && len(got) != len(`"2006-01-02T15:04:05Z"`) {
			t.Errorf("%d: %s", sec, got)
		}
	}
}

func FuzzFloats(f *testing.F) {
	for _, v := range []float64{0, 0.5, 1.25, -0.001, 123.456, 1e9, 0.0009, 1e21, 1e-7, math.Pi, 999999999.999, 0.1 + 0.2} {
		f.Add(math.Float64bits(v))
	}
	f.Fuzz(func(t *testing.T, bits uint64) {
		for _, v := range []float64{math.Float64frombits(bits), float64(int64(bits)%1e12) / 1000, float64(int32(bits)) / 100, float64(int64(bits))} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				continue
			}
			want, _ := json.Marshal(v)
			if got := token.AppendFloat(nil, v, 64); string(got) != string(want) {
				t.Errorf("got %s, want %s", got, want)
			}
			if math.Abs(v) > math.MaxFloat32 {
				continue
			}
			want, _ = json.Marshal(float32(v))
			if got := token.AppendFloat(nil, float64(float32(v)), 32); string(got) != string(want) {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	})
}

// Floats of every exponent that is written without one, against strconv.
func TestShortestFloats(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var got, want []byte
	check := func(f float64) {
		if f < 1e-6 || f >= 1e21 {
			return
		}
		got, want = token.AppendFloat(got[:0], f, 64), strconv.AppendFloat(want[:0], f, 'f', -1, 64)
		if string(got) != string(want) {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	each := 20000
	if testing.Short() {
		each = 500
	}
	for exponent := uint64(1023 - 20); exponent < 1023+70; exponent++ {
		for i := range uint64(256) {
			check(math.Float64frombits(exponent<<52 + i))
			check(math.Float64frombits(exponent<<52 - i))
		}
		for range each {
			check(math.Float64frombits(exponent<<52 | r.Uint64()>>12))
			check(math.Float64frombits(exponent<<52 | r.Uint64()>>12&^(1<<r.IntN(52)-1)))
		}
	}
	for range each * 50 {
		digits := 1 + r.IntN(17)
		f, _ := strconv.ParseFloat(strconv.FormatUint(r.Uint64()%uint64(math.Pow10(digits)), 10)+"e-"+strconv.Itoa(r.IntN(20)), 64)
		check(f)
		check(math.Nextafter(f, 0))
		check(math.Nextafter(f, 1e22))
	}
}

func TestNumbers(t *testing.T) {
	for s, want := range map[string]int{
		"0": 1, "-0": 2, "12": 2, "1.5": 3, "1e5": 3, "1E+05": 5, "-1.25e-7": 8, "1,": 1, "01": 1, "1.": 0, ".5": 0, "-": 0, "": 0, "+1": 0, "1e": 0, "a": 0,
	} {
		if n, integer := token.NumberLen(s); n != want || n > 0 && integer != (s != "1.5" && s != "1e5" && s != "1E+05" && s != "-1.25e-7") {
			t.Errorf("%q: %d, %v", s, n, integer)
		}
	}
	for _, n := range []int64{0, 1 << 53, -1 << 53, 1<<53 + 1, -1<<53 - 1, 9999999999999999, math.MaxInt64, math.MinInt64} {
		if got := token.Safe(strconv.FormatInt(n, 10)); got != (n <= 1<<53 && n >= -1<<53) {
			t.Errorf("%d: %v", n, got)
		}
	}
}

// Integers about every power of ten, and of every number of bits.
func TestIntegers(t *testing.T) {
	check := func(u uint64) {
		for _, dst := range [][]byte{nil, make([]byte, 3, 5), make([]byte, 3, 100)} {
			if got, want := token.AppendUint(dst, u), strconv.AppendUint(dst, u, 10); string(got) != string(want) {
				t.Fatalf("got %q, want %q", got, want)
			}
			if got, want := token.AppendInt(dst, int64(u)), strconv.AppendInt(dst, int64(u), 10); string(got) != string(want) {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	}
	for u := range uint64(11000) {
		check(u)
		check(-u)
	}
	for power := uint64(1); ; power *= 10 {
		for d := range uint64(3) {
			check(power + d - 1)
			check(power*9 + d)
		}
		if power == 1e19 {
			break
		}
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		check(r.Uint64() >> r.IntN(64))
	}
}

// One clock on times of which each may be of the day before or of another.
func TestClockKeepsNoWrongDate(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	zones := []*time.Location{time.UTC, time.FixedZone("", 14*3600), time.FixedZone("", -11*3600-1800)}
	var clock token.Clock
	for range 20000 {
		edge := []int64{-62167219200, 0, 253402300800}[r.IntN(3)] // the years 0, 1970 and 10000 begin
		when := time.Unix(edge+r.Int64N(4*86400)-2*86400, r.Int64N(3)*5e8).In(zones[r.IntN(3)])
		got, valid := clock.Append(nil, when)
		want, err := json.Marshal(when)
		if valid != (err == nil) || valid && string(got) != string(want) {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

// Strings after names of every length: each is written as by Append and
// AppendString, or not at all.
func TestPlain(t *testing.T) {
	alphabet := "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP"
	for _, html := range []bool{false, true} {
		for _, name := range []int{0, 1, 4, 12, 19, 20, 21, 29} { // with the quotes, 24 bytes are the longest Head
			h := token.NewHead(alphabet[:name], html)
			for n := range len(alphabet) {
				for _, special := range []string{"", "\"", "\\", "\x1f", " ", "!", "#", "\x7f", "[", "]", "é", "\xff", "<", ">", "&", "="} {
					for at := 0; at+len(special) <= n; at++ {
						s := alphabet[:at] + special + alphabet[at+len(special):n]
						want, _ := token.AppendString(h.Append([]byte("...")), s, html)
						dst := append(make([]byte, 0, 3+token.Plain+at%2), "..."...)
						got, ok := h.AppendPlain(dst, s, html)
						plain := len(want) == 3+h.Len()+len(s)+2 && special != "é"
						switch {
						case ok && string(got) != string(want), !ok && string(got) != "...", ok && !plain:
							t.Fatalf("%q, html %v: got %s, want %s", s, html, got, want)
						case !ok && plain && n < 40 && h.Len() <= 24:
							t.Fatalf("%q, html %v: is plain", s, html)
						}
						if at > 0 && special == "" {
							break
						}
					}
				}
			}
			if got, ok := h.AppendPlain(make([]byte, 3, 2+token.Plain), "x", html); ok {
				t.Fatalf("without room: %q", got)
			}
		}
	}
}

// Strings of every length up to several words, with every kind of character
// at every place, into buffers with and without room.
func TestStringsAtEveryOffset(t *testing.T) {
	for _, special := range []string{"", "\"", "\\", "\n", "\x01", "é", "\u2028", "\u2027", "日", "\ud7ff", "\ue000", "😀", "\U0010ffff", "\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xe2\x80", "\xf0\x9f\x98", "\x80", "ééééé", "日日日日", "<"} {
		for before := range 20 {
			for after := range 20 {
				s := "0123456789abcdefghijklmn"[:before] + special + "ABCDEFGHIJKLMNOPQRSTUVWX"[:after]
				want, _ := json.Marshal(s)
				for _, dst := range [][]byte{nil, make([]byte, 0, 3), make([]byte, 0, 1000)} {
					got, valid := token.AppendString(dst, s, true)
					if string(got) != string(want) || valid != utf8.ValidString(s) {
						t.Fatalf("%q: got %s, want %s", s, got, want)
					}
					got, valid = token.AppendString(dst, s, false)
					if special != "<" && string(got) != string(want) || valid != utf8.ValidString(s) || token.Valid(s) != valid {
						t.Fatalf("%q: got %s, want %s", s, got, want)
					}
				}
			}
		}
	}
}
