package token

import (
	"encoding/binary"
	"slices"
	"strconv"
	"time"
)

// AppendTime appends t as a JSON string in RFC 3339 form with nanoseconds.
// A year outside 0..9999 is written with a sign and at least six digits, as
// ECMAScript reads it, and a zone of a day or more as UTC; then valid is
// false.
func AppendTime(dst []byte, t time.Time) (out []byte, valid bool) {
	valid = true
	offset := 0
	if t.Location() != time.UTC {
		if _, offset = t.Zone(); offset <= -24*3600 || offset >= 24*3600 {
			t, offset, valid = t.UTC(), 0, false
		}
	}
	sec := t.Unix() + int64(offset)
	days := sec / 86400
	clock := sec - days*86400
	if clock < 0 {
		clock += 86400
		days--
	}
	year, month, day := civil(days)
	n := len(dst)
	dst = slices.Grow(dst, len(longTime))
	buf := dst[n : n+len(longTime)]
	buf[0] = '"'
	at := 5
	if year < 0 || year > 9999 {
		at, valid = 1+len(appendFarYear(buf[1:1], year)), false
	} else {
		put2(buf[1:], uint32(year)/100)
		put2(buf[3:], uint32(year)%100)
	}
	c := uint32(clock)
	rest := buf[at:]
	copy(rest, "-00-00T00:00:00")
	put2(rest[1:], month)
	put2(rest[4:], day)
	put2(rest[7:], c/3600)
	put2(rest[10:], c/60%60)
	put2(rest[13:], c%60)
	at += 15 + putFraction(rest[15:], uint32(t.Nanosecond()))
	return append(appendZone(dst[:n+at], t, offset), '"'), valid
}

// longTime is at least as long as any time.
const longTime = `"-292277026596-12-31T23:59:59.999999999+23:59"`

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

// appendZone appends Z or the offset of t, in seconds, from UTC.
func appendZone(dst []byte, t time.Time, offset int) []byte {
	minutes := offset / 60
	if minutes == 0 {
		if offset == 0 {
			return append(dst, 'Z')
		}
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
