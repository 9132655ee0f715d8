//go:build unix

package socket

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

var payload256 = bytes.Repeat([]byte("p"), 256)

func BenchmarkAppendText(b *testing.B) {
	buf := make([]byte, 0, 512)
	b.SetBytes(int64(len(payload256)))
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendText(buf[:0], payload256)
	}
}

// One message at a time, each in its own system call: most of it is the kernel.
func BenchmarkReadAlone(b *testing.B) {
	c, cl := pair(b, Options{})
	cl.SetDeadline(time.Time{})
	m := []byte(masked(text, string(payload256)))
	b.ReportAllocs()
	for b.Loop() {
		cl.Write(m)
		if _, err := c.Read(); err != nil {
			b.Fatal(err)
		}
	}
}

// Messages that come in numbers: most of it is the parser.
func BenchmarkReadMany(b *testing.B) {
	c, cl := pair(b, Options{})
	cl.SetDeadline(time.Time{})
	m := []byte(strings.Repeat(masked(text, string(payload256)), 200))
	go func() {
		for {
			if _, err := cl.Write(m); err != nil {
				return
			}
		}
	}()
	b.SetBytes(int64(len(payload256)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Read(); err != nil {
			b.Fatal(err)
		}
	}
	cl.Close()
}

func BenchmarkParser(b *testing.B) {
	const messages = 50
	m := []byte(strings.Repeat(masked(text, string(payload256)), messages))
	in := make([]byte, len(m))
	p := parser{max: 1 << 16, kind: 1}
	b.ReportAllocs()
	for b.Loop() {
		copy(in, m)
		p.in = in
		for range messages {
			if e, _, err := p.next(); e != message {
				b.Fatal(e, err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/messages, "ns/message")
}

// One frame to 100 sockets, whose clients read as fast as they can: by
// TryWrite, by Write, and by the bare system call, the limit of both.
func BenchmarkFanOut(b *testing.B) {
	b.Run("TryWrite", func(b *testing.B) {
		fanOut(b, func(c *Conn, frame []byte) (int, error) { return c.TryWrite(frame) })
	})
	b.Run("Write", func(b *testing.B) {
		fanOut(b, func(c *Conn, frame []byte) (int, error) {
			return len(frame), c.Write(frame, time.Now().Add(patience))
		})
	})
	b.Run("syscall", func(b *testing.B) {
		fds := map[*Conn]int{}
		fanOut(b, func(c *Conn, frame []byte) (int, error) {
			if _, ok := fds[c]; !ok {
				c.raw.Control(func(fd uintptr) { fds[c] = int(fd) })
			}
			n, err := syscall.Write(fds[c], frame)
			if err == syscall.EAGAIN {
				n, err = 0, nil
			}
			return n, err
		})
	})
}

func fanOut(b *testing.B, write func(*Conn, []byte) (int, error)) {
	const sockets = 100
	d := open(b, Options{}, false)
	conns := make([]*Conn, sockets)
	for i := range conns {
		c, cl := d.dial(b, "", "")
		cl.SetDeadline(time.Time{})
		go io.Copy(io.Discard, cl)
		conns[i] = c
	}
	frame := AppendText(nil, payload256)
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range conns {
			n, err := write(c, frame)
			if err == nil && n < len(frame) {
				err = c.Write(frame[n:], time.Now().Add(patience))
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/sockets, "ns/delivery")
}

// An idle connection: the Conn, what net keeps for it, and the stack of its
// reader. The clients are of the same process: their net.TCPConn is included.
func BenchmarkIdle(b *testing.B) {
	const sockets = 400
	for b.Loop() {
		d := open(b, Options{}, false)
		before := inUse()
		for range sockets {
			c, _ := d.dial(b, "", "")
			go c.Read()
		}
		b.ReportMetric(float64(inUse()-before)/sockets, "B/conn")
	}
}

func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
