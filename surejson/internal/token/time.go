package token

import (
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
	dst = append(dst, '"')
	if year < 0 || year > 9999 {
		dst, valid = appendFarYear(dst, year), false
	} else {
		dst = append(dst, byte('0'+year/1000), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10))
	}
	c := uint32(clock)
	h, m, s := c/3600, c/60%60, c%60
	dst = append(dst,
		'-', byte('0'+month/10), byte('0'+month%10),
		'-', byte('0'+day/10), byte('0'+day%10),
		'T', byte('0'+h/10), byte('0'+h%10),
		':', byte('0'+m/10), byte('0'+m%10),
		':', byte('0'+s/10), byte('0'+s%10))
	dst = appendFraction(dst, uint32(t.Nanosecond()))
	return append(appendZone(dst, t, offset), '"'), valid
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

// appendFraction appends nanoseconds without trailing zeros.
func appendFraction(dst []byte, ns uint32) []byte {
	if ns == 0 {
		return dst
	}
	milli, micro, nano := ns/1000000, ns/1000%1000, ns%1000
	digits := [10]byte{'.',
		byte('0' + milli/100), byte('0' + milli/10%10), byte('0' + milli%10),
		byte('0' + micro/100), byte('0' + micro/10%10), byte('0' + micro%10),
		byte('0' + nano/100), byte('0' + nano/10%10), byte('0' + nano%10),
	}
	n := 10
	for digits[n-1] == '0' {
		n--
	}
	return append(dst, digits[:n]...)
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
	dst = append2(append(dst, sign), minutes/60)
	return append2(append(dst, ':'), minutes%60)
}

// append2 appends n as two digits.
func append2(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}
