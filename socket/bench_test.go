//go:build unix

package socket

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
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
// reader. Its client is a bare descriptor, which costs this process nothing. Each
// has sent a message and a ping before: whatever that took must be gone.
func BenchmarkIdle(b *testing.B) {
	for _, x := range []struct {
		name, headers string
		message       string
	}{
		{"plain", "", masked(text, prose(300, 0))},
		{"deflate", "Sec-WebSocket-Extensions: " + offer + "\r\n", masked(packed, zipped(prose(300, 0)))},
	} {
		b.Run(x.name, func(b *testing.B) { idle(b, x.headers, x.message) })
	}
}

func idle(b *testing.B, headers, message string) {
	const sockets = 2000
	for b.Loop() {
		d := open(b, Options{Deflate: true}, false)
		heap, rss := inUse(), anonymous(b)
		conns, read := make([]*Conn, sockets), make(chan struct{})
		fds := make([]int, sockets)
		for i := range fds {
			fds[i] = bare(b, d.Listener.Addr(), upgrade+headers+"\r\n"+message+masked(pings, "p"))
			c := <-d.conns
			conns[i] = c
			go func() { // ends with its connection, below
				for {
					if _, err := c.Read(); err != nil {
						return
					}
					read <- struct{}{}
				}
			}()
			<-read
		}
		b.ReportMetric(float64(inUse()-heap)/sockets, "B/conn")
		b.ReportMetric(float64(anonymous(b)-rss)/sockets, "rss-B/conn")
		for i, fd := range fds {
			syscall.Close(fd)
			conns[i].drop()
		}
	}
}

// bare connects, sends request, and reads what answers it.
func bare(b *testing.B, addr net.Addr, request string) int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: addr.(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		_, err = syscall.Write(fd, []byte(request))
	}
	if err == nil {
		_, err = syscall.Read(fd, make([]byte, 1024))
	}
	if err != nil {
		b.Fatal(err)
	}
	return fd
}

// inUse returns the bytes of heap and stacks that are in use.
func inUse() int64 {
	for range 3 { // a stack shrinks by half each time, a pool is empty after two
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// anonymous returns the resident bytes that are no file's, 0 where only Linux would know.
func anonymous(b *testing.B) int64 {
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "RssAnon:")
	kb, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		b.Fatal(err)
	}
	return int64(kb) << 10
}

// A handshake, with net/http before it and the client's system calls: most of it
// is not ours.
func BenchmarkHandshake(b *testing.B) {
	for name, headers := range map[string]string{"plain": "", "deflate": "Sec-WebSocket-Extensions: " + offer + "\r\n"} {
		b.Run(name, func(b *testing.B) {
			d := open(b, Options{Deflate: true, Subprotocols: []string{"a"}}, false)
			request := upgrade + headers + "Sec-WebSocket-Protocol: a\r\n\r\n"
			b.ReportAllocs()
			for b.Loop() {
				fd := bare(b, d.Listener.Addr(), request)
				(<-d.conns).drop()
				syscall.Close(fd)
			}
		})
	}
}

// Accept alone, on a recorded connection.
func BenchmarkAccept(b *testing.B) {
	request := upgrade + "Sec-WebSocket-Protocol: a\r\n\r\n"
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request)))
	if err != nil {
		b.Fatal(err)
	}
	conn := &tape{in: strings.NewReader("")}
	w := hijackable(conn, bufio.NewReader(conn))
	o := Options{Subprotocols: []string{"a"}}
	b.ReportAllocs()
	for b.Loop() {
		conn.out.Reset()
		if _, err := Accept(w, r, o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendDeflated(b *testing.B) {
	for _, n := range []int{200, 256, 1024, 16384} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			p := []byte(prose(n, 0))
			var buf []byte
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				buf = AppendDeflated(buf[:0], p)
			}
			b.ReportMetric(float64(len(buf)), "B/frame")
		})
	}
}

func BenchmarkInflate(b *testing.B) {
	for _, n := range []int{100, 1024, 16384} {
		p := []byte(zipped(prose(n, 0)))
		for name, unpack := range map[string]func([]byte, int) ([]byte, *ProtocolError){"": inflate, "/apart": inflateApart} {
			b.Run(strconv.Itoa(n)+name, func(b *testing.B) {
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := unpack(p, n); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
