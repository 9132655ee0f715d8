package token

import (
	"encoding/binary"
	"slices"
	"strconv"
	"time"
)

// A Clock appends times. It keeps the text of the last day, since the times
// of a program are mostly of a few days. The zero Clock is ready to use.
type Clock struct {
	day  int64    // of date, where 1 is the first of the year 0
	date [12]byte // the quote, the date and the T
}

const (
	daySeconds = 24 * 60 * 60
	yearZero   = 719528  // days from the year 0 to 1970
	yearFar    = 3652425 // days from the year 0 to 10000
)

// Append appends t as a JSON string in RFC 3339 form with nanoseconds. A year
// outside 0..9999 is written with a sign and at least six digits, as
// ECMAScript reads it, and a zone of a day or more as UTC; then valid is
// false.
func (c *Clock) Append(dst []byte, t time.Time) (out []byte, valid bool) {
	valid = true
	offset := 0
	if t.Location() != time.UTC {
		if _, offset = t.Zone(); offset <= -daySeconds || offset >= daySeconds {
			t, offset, valid = t.UTC(), 0, false
		}
	}
	n := len(dst)
	dst = slices.Grow(dst, len(longTime))
	buf := dst[n : n+len(longTime)]
	sec := t.Unix() + int64(offset)
	at, ofDay := len(c.date), uint32(0)
	if since := uint64(sec) + yearZero*daySeconds; since < yearFar*daySeconds {
		day := since / daySeconds
		ofDay = uint32(since - day*daySeconds)
		c.turn(int64(day) + 1)
		*(*[len(c.date)]byte)(buf) = c.date
	} else {
		at, ofDay = putFar(buf, sec)
		valid = false
	}
	binary.LittleEndian.PutUint64(buf[at:], clockDigits(ofDay))
	at += 8
	at += putFraction(buf[at:], uint32(t.Nanosecond()))
	if offset != 0 {
		return append(appendZone(dst[:n+at], t, offset), '"'), valid
	}
	buf[at], buf[at+1] = 'Z', '"'
	return dst[:n+at+2], valid
}

// longTime is at least as long as any time.
const longTime = `"-292277026596-12-31T23:59:59.999999999+23:59"`

// turn makes day, of a year from 0 to 9999, that of the date.
func (c *Clock) turn(day int64) {
	if day == c.day {
		return
	}
	year, month, ofMonth := civil(day - 1 - yearZero)
	copy(c.date[:], `"0000-00-00T`)
	put2(c.date[1:], uint32(year)/100)
	put2(c.date[3:], uint32(year)%100)
	put2(c.date[6:], month)
	put2(c.date[9:], ofMonth)
	c.day = day
}

// putFar writes the quote, the date of a year outside 0..9999 and the T. It
// returns how many bytes that takes, and the second of the day.
func putFar(buf []byte, sec int64) (n int, ofDay uint32) {
	days, rest := sec/daySeconds, sec%daySeconds
	if rest < 0 {
		days, rest = days-1, rest+daySeconds
	}
	year, month, day := civil(days)
	buf[0] = '"'
	n = 1 + len(appendFarYear(buf[1:1], year))
	copy(buf[n:], "-00-00T")
	put2(buf[n+1:], month)
	put2(buf[n+4:], day)
	return n + 7, uint32(rest)
}

// clockDigits returns the eight bytes of hours, minutes and seconds, the first
// one lowest. All three are divided by 10 at once, each with a
// multiplication.
func clockDigits(ofDay uint32) uint64 {
	minutes := ofDay / 60
	w := uint64(minutes/60) | uint64(minutes%60)<<24 | uint64(ofDay%60)<<48
	tens := w * 103 >> 10 & 0x000F00000F00000F
	const zeros = 0x30303A30303A3030 // 00:00:00
	return tens | (w-tens*10)<<8 | zeros
}

// civil turns days since 1 January 1970 into a date of the Gregorian
// calendar. Years begin on 1 March, so that the leap day is last. The divisions
// by constants are those of Neri and Schneider, "Euclidean affine functions and
// their application to calendar algorithms" (2022).
func civil(days int64) (year int64, month, day uint32) {
	const era = 146097 // days in 400 years
	shift := int64(0)
	if days += 719468; days < 0 || days >= 30*era {
		shift = days / era
		if days%era < 0 {
			shift--
		}
		days -= shift * era
	}
	n := 4*uint32(days) + 3
	century, ofCentury := n/era, n%era/4
	product := 2939745 * uint64(4*ofCentury+3)
	ofYear := uint32(product) / 2939745 / 4
	n = 2141*ofYear + 197913
	year, month, day = int64(100*century+uint32(product>>32))+400*shift, n>>16, n&0xFFFF/2141+1
	if ofYear >= 306 {
		return year + 1, month - 12, day
	}
	return year, month, day
}

// appendFarYear appends a year of more than four digits, or below zero.
func appendFarYear(dst []byte, year int64) []byte {
	sign := byte('+')
	if year < 0 {
		sign, year = '-', -year
	}
	dst = append(dst, sign)
	for pad := int64(100000); pad > year && pad > 1; pad /= 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, year, 10)
}

// putFraction writes nanoseconds without trailing zeros and returns how many
// bytes that takes.
func putFraction(buf []byte, ns uint32) int {
	if ns == 0 {
		return 0
	}
	buf[0] = '.'
	w := eightDigits(ns / 10)
	binary.LittleEndian.PutUint64(buf[1:], w)
	if last := ns % 10; last != 0 {
		buf[9] = byte('0' + last)
		return 10
	}
	return 9 - trailingZeros(w)
}

// appendZone appends the offset of t, in seconds, from UTC.
func appendZone(dst []byte, t time.Time, offset int) []byte {
	minutes := offset / 60
	if minutes == 0 {
		return t.AppendFormat(dst, "Z07:00")
	}
	sign := byte('+')
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	h, m := minutes/60, minutes%60
	return append(dst, sign, byte('0'+h/10), byte('0'+h%10), ':', byte('0'+m/10), byte('0'+m%10))
}

// put2 writes n as two digits.
func put2(buf []byte, n uint32) {
	buf[1] = byte('0' + n%10)
	buf[0] = byte('0' + n/10)
}
