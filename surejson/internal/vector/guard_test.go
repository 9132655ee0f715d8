//go:build linux

package vector

import (
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// Between two pages that cannot be read, at every distance from either.
func TestCopyStaysInside(t *testing.T) {
	needVectors(t)
	page := syscall.Getpagesize()
	mem, err := syscall.Mmap(-1, 0, 6*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Skip(err)
	}
	defer syscall.Munmap(mem)
	for _, i := range []int{0, 2, 3, 5} {
		if err := syscall.Mprotect(mem[i*page:(i+1)*page], syscall.PROT_NONE); err != nil {
			t.Skip(err)
		}
	}
	src, dst := mem[page:2*page], mem[4*page:5*page]
	for _, escape := range []string{"\"", "\n\n"} {
		// The block behind the escape is the first with more than ASCII.
		copy(src, escape+strings.Repeat("x", 32-len(escape))+strings.Repeat("日", 40))
		for n := Least; n < 100; n++ {
			in, out := src[:n], dst[:n+40]
			s := unsafe.String(&in[0], n)
			if read, written := Copy(out, s, false, &escapes); escaped(s[:read], false) != string(out[:written]) {
				t.Fatalf("%q: read %d of %d bytes, wrote %q", s, read, n, out[:written])
			}
		}
	}
	for _, text := range []string{"plain text ", "日本語é😀"} {
		copy(src, strings.Repeat(text, page))
		for n := Least; n < 200; n++ {
			for _, at := range []int{0, 1, page - n - 1, page - n} {
				in := src[at : at+n]
				s := unsafe.String(&in[0], n)
				for _, to := range []int{0, page - n} {
					out := dst[to : to+n : to+n]
					got, written := Copy(out, s, false, &escapes)
					if want := standing(s, false); got != want || written != want || string(out[:got]) != s[:got] {
						t.Fatalf("%q: %d bytes stand, want %d", s, got, want)
					}
				}
			}
		}
	}
}
