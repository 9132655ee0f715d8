//go:build linux

package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Child is the other end: in the server's process.
type Child struct {
	conn    net.Conn
	receive *json.Decoder
	send    *json.Encoder
}

// Inherited returns the control socket that this process was started with.
func Inherited() (*Child, error) {
	f := os.NewFile(socketFile, "control")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, errors.Join(errors.New(Argument+" is for the command itself, which runs its servers by it"), err)
	}
	return &Child{conn, json.NewDecoder(conn), json.NewEncoder(conn)}, nil
}

// Next returns the next request, or io.EOF when the other process has gone.
func (c *Child) Next() (r Request, err error) {
	err = c.receive.Decode(&r)
	return r, err
}

// Answer completes r with what the process uses and has, and sends it.
func (c *Child) Answer(r Reply) error {
	var err error
	if r.Usage, r.Memory, err = self(); err != nil {
		return err
	}
	return c.send.Encode(r)
}

// Free gives back all memory that the process can do without. Pools let go of
// what they have in the second collection.
func Free() {
	for range 3 {
		runtime.GC()
	}
	debug.FreeOSMemory()
}

func self() (u Usage, m Memory, err error) {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return u, m, fmt.Errorf("getrusage: %w", err)
	}
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:objects"}, {Name: "/gc/heap/tiny/allocs:objects"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"},
		{Name: "/sched/goroutines:goroutines"},
	}
	metrics.Read(samples)
	value := func(i int) uint64 { return samples[i].Value.Uint64() }
	u = Usage{time.Duration(ru.Utime.Nano()), time.Duration(ru.Stime.Nano()), value(0) + value(1)}
	m = Memory{Heap: value(2), Stacks: value(3), Goroutines: value(4)}
	m.Resident, err = residentAnonymous()
	return u, m, err
}

// residentAnonymous returns the memory of this process that no file backs.
func residentAnonymous() (uint64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("/proc/self/status has no RssAnon")
}
