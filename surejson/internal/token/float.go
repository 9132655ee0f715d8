package token

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

// AppendFloat appends a finite float of the given size (32 or 64 bits) in
// the shortest form that reads back as the same.
func AppendFloat(dst []byte, f float64, size int) []byte {
	abs := math.Abs(f)
	exact := float64(1 << 53) // below it, digits of an integer are its shortest form
	if size == 32 {
		exact = 1 << 24
	}
	if abs < exact && f == math.Trunc(f) && (f != 0 || !math.Signbit(f)) {
		return AppendInt(dst, int64(f))
	}
	if size == 64 && abs < 1e21 && abs >= 1e-6 {
		if abs < 1e9 && abs >= 1e-3 {
			if out, ok := appendShort(dst, f); ok {
				return out
			}
		}
		return appendShortest(dst, f)
	}
	format := byte('f')
	if abs != 0 {
		if size == 64 && (abs < 1e-6 || abs >= 1e21) || size == 32 && (float32(abs) < 1e-6 || float32(abs) >= 1e21) {
			format = 'e'
		}
	}
	dst = strconv.AppendFloat(dst, f, format, -1, size)
	if format == 'e' {
		// e-09 is written e-9.
		if n := len(dst); n >= 4 && dst[n-4] == 'e' && (dst[n-3] == '-' || dst[n-3] == '+') && dst[n-2] == '0' {
			dst[n-2] = dst[n-1]
			dst = dst[:n-1]
		}
	}
	return dst
}

// appendShort appends a float that has at most three decimals. A decimal of
// up to 15 digits that reads as f is the only one, hence the shortest form.
func appendShort(dst []byte, f float64) (out []byte, ok bool) {
	product := f * 1000
	scaled := int64(product)
	if float64(scaled) != product || product/1000 != f {
		return dst, false
	}
	if f < 0 {
		dst = append(dst, '-')
		scaled = -scaled
	}
	whole := uint64(scaled) / 1000
	part := uint32(uint64(scaled) - whole*1000)
	dst = AppendUint(dst, whole)
	const room = 4
	n := len(dst)
	dst = slices.Grow(dst, room)
	w := '.' | (part/100)<<8 | (part/10%10)<<16 | (part%10)<<24 | '0'*0x01010100
	binary.LittleEndian.PutUint32(dst[n:n+room], w)
	return dst[:n+room-bits.LeadingZeros32(w^'0'*0x01010101)/8], true
}

// appendShortest appends a float of absolute value from 1e-6 to below 1e21,
// where no exponent is written.
func appendShortest(dst []byte, f float64) []byte {
	const room = len("-0.000001234567890123456789")
	dst = slices.Grow(dst, room)
	n := len(dst)
	buf := dst[n : n+room]
	if f < 0 {
		buf[0] = '-'
		buf, n = buf[1:], n+1
	}
	d, exponent := shortest(math.Float64bits(f) &^ (1 << 63))
	var digits [24]byte
	start := putDigits(&digits, d)
	end := len(digits)
	for digits[end-1] == '0' {
		end--
	}
	shown := digits[start:end]
	point := len(digits) - start + exponent // how many digits are before it
	switch {
	case point <= 0:
		head := 2 - point
		copy(buf, "0.00000")
		return dst[:n+head+copy(buf[head:], shown)]
	case point >= len(shown):
		copy(buf[copy(buf, shown):], "00000000000000000000")
		return dst[:n+point]
	}
	copy(buf, shown[:point])
	buf[point] = '.'
	return dst[:n+point+1+copy(buf[point+1:], shown[point:])]
}

// putDigits writes the decimal digits of d, of which there are at most 18,
// to the end of buf and returns where they start.
func putDigits(buf *[24]byte, d uint64) int {
	high := d / 1e8
	low := uint32(d - high*1e8)
	binary.LittleEndian.PutUint64(buf[16:], eightDigits(low))
	top := high / 1e8
	binary.LittleEndian.PutUint64(buf[8:], eightDigits(uint32(high-top*1e8)))
	binary.LittleEndian.PutUint64(buf[:], eightDigits(uint32(top)))
	i := 0
	for ; buf[i] == '0'; i++ {
	}
	return i
}

// shortest returns the shortest decimal d * 10^exponent, of those the nearest,
// that reads as the float with these bits; d may end in zeros. This is the
// algorithm of Giulietti, "The Schubfach way to render doubles" (2021), for
// floats from 1e-6 to below 1e21.
func shortest(b uint64) (d uint64, exponent int) {
	const hidden = 1 << 52
	fraction := b & (hidden - 1)
	c, q := fraction|hidden, int(b>>52)-1075
	// Four times the float and the bounds of what reads as it; below a power
	// of two the next float is nearer.
	left, right := 4*c-2, 4*c+2
	k := (q * 1262611) >> 22 // floor(q*log10(2))
	if fraction == 0 {
		left++
		k = (q*1262611 - 524031) >> 22 // floor(log10(3/4 * 2^q))
	}
	g := &powers[-k-firstPower]
	h := q + (-k*1741647)>>19 + 1 // q + floor(log2(10^-k)) + 1
	lower, middle, upper := g.scale(left<<h), g.scale(4*c<<h), g.scale(right<<h)
	if c&1 != 0 { // the bounds themselves read as another
		lower++
		upper--
	}
	s := middle / 4
	if tens := s / 10; tens > 0 {
		under, over := lower <= 40*tens, 40*tens+40 <= upper
		if under != over {
			if over {
				tens++
			}
			return tens, k + 1
		}
	}
	under, over := lower <= 4*s, 4*s+4 <= upper
	switch {
	case under != over:
		if over {
			s++
		}
	case middle > 4*s+2 || middle == 4*s+2 && s&1 != 0:
		s++
	}
	return s, k
}

// A power is a power of ten, rounded up, in 128 bits of which the top one is
// set.
type power struct{ high, low uint64 }

// scale returns the top 64 bits of the product, the last one set if any below
// is.
func (g *power) scale(c uint64) uint64 {
	carry, _ := bits.Mul64(g.low, c)
	high, low := bits.Mul64(g.high, c)
	low, over := bits.Add64(low, carry, 0)
	high += over
	if low > 1 { // 1 may come from the rounding
		high |= 1
	}
	return high
}

const firstPower = -5

var powers = [...]power{
	{0xA7C5AC471B478423, 0x0FCF80DC33721D54}, // 10^-5
	{0xD1B71758E219652B, 0xD3C36113404EA4A9}, // 10^-4
	{0x83126E978D4FDF3B, 0x645A1CAC083126EA}, // 10^-3
	{0xA3D70A3D70A3D70A, 0x3D70A3D70A3D70A4}, // 10^-2
	{0xCCCCCCCCCCCCCCCC, 0xCCCCCCCCCCCCCCCD}, // 10^-1
	{0x8000000000000000, 0x0000000000000000}, // 10^0
	{0xA000000000000000, 0x0000000000000000}, // 10^1
	{0xC800000000000000, 0x0000000000000000}, // 10^2
	{0xFA00000000000000, 0x0000000000000000}, // 10^3
	{0x9C40000000000000, 0x0000000000000000}, // 10^4
	{0xC350000000000000, 0x0000000000000000}, // 10^5
	{0xF424000000000000, 0x0000000000000000}, // 10^6
	{0x9896800000000000, 0x0000000000000000}, // 10^7
	{0xBEBC200000000000, 0x0000000000000000}, // 10^8
	{0xEE6B280000000000, 0x0000000000000000}, // 10^9
	{0x9502F90000000000, 0x0000000000000000}, // 10^10
	{0xBA43B74000000000, 0x0000000000000000}, // 10^11
	{0xE8D4A51000000000, 0x0000000000000000}, // 10^12
	{0x9184E72A00000000, 0x0000000000000000}, // 10^13
	{0xB5E620F480000000, 0x0000000000000000}, // 10^14
	{0xE35FA931A0000000, 0x0000000000000000}, // 10^15
	{0x8E1BC9BF04000000, 0x0000000000000000}, // 10^16
	{0xB1A2BC2EC5000000, 0x0000000000000000}, // 10^17
	{0xDE0B6B3A76400000, 0x0000000000000000}, // 10^18
	{0x8AC7230489E80000, 0x0000000000000000}, // 10^19
	{0xAD78EBC5AC620000, 0x0000000000000000}, // 10^20
	{0xD8D726B7177A8000, 0x0000000000000000}, // 10^21
	{0x878678326EAC9000, 0x0000000000000000}, // 10^22
}
