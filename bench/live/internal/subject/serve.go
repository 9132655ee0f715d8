//go:build linux

package subject

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/surewire/surewire/bench/live/internal/control"
	live "github.com/surewire/surewire/bench/live/internal/message"
)

// Serve is the main function of a server's process: it serves as the subject of
// that name, over TLS if the name ends with [Secure], on a port of 127.0.0.1, and
// does what the control socket asks until that is closed.
func Serve(name string) error {
	name, secure := strings.CutSuffix(name, Secure)
	all := All()
	i := slices.IndexFunc(all, func(s Subject) bool { return s.Name == name })
	if i < 0 {
		return fmt.Errorf("there is no server %q", name)
	}
	child, err := control.Inherited()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	if secure {
		if l, err = secured(l); err != nil {
			return err
		}
	}
	s, err := all[i].start(l)
	if err != nil {
		return err
	}
	d := &driver{server: s}
	if err := child.Answer(control.Reply{Address: address}); err != nil {
		return err
	}
	for {
		r, err := child.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		err = d.do(r)
		if r.Do == control.Burst {
			if err != nil {
				return err
			}
			continue
		}
		reply := control.Reply{Published: d.published}
		if err != nil {
			reply.Error = err.Error()
		}
		if err := child.Answer(reply); err != nil {
			return err
		}
	}
}

// A driver publishes what is asked for.
type driver struct {
	server    server
	channels  []channel
	published uint64
	batch     []message // for the next call; kept for its room
	profile   *os.File  // being written; nil if none
}

type channel struct {
	name string
	n    uint64 // of the newest message
}

func (d *driver) do(r control.Request) error {
	for len(d.channels) < r.Channels {
		d.channels = append(d.channels, channel{name: Channel(len(d.channels))})
	}
	switch r.Do {
	case control.Burst:
		return d.burst(r.Channels, r.Messages)
	case control.Pace:
		return d.pace(r.Channels, r.Rate, r.For)
	case control.Alone:
		return d.alone(r.Channels, r.For)
	case control.Measure:
		return nil
	case control.Settle:
		control.Free()
		return nil
	case control.Profile:
		return d.profileCPU(r.File)
	case control.Heap:
		return profileHeap(r.File)
	}
	return fmt.Errorf("there is no request %q", r.Do)
}

// burst publishes so many messages on each of the first channels.
func (d *driver) burst(channels, messages int) error {
	for i := range d.channels[:channels] {
		if err := d.publish(i, messages, time.Now().UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// publish publishes the next messages of channel i, which are due at a time.
func (d *driver) publish(i, messages int, due int64) error {
	ch := &d.channels[i]
	d.batch = d.batch[:0]
	for range messages {
		ch.n++
		d.batch = append(d.batch, message{ch.n, live.New(ch.n, due)})
	}
	d.published += uint64(messages)
	return d.server.publish(ch.name, d.batch)
}

// tick is how often pace looks what is due: so seldom that looking costs little
// beside what is published then.
const tick = 2 * time.Millisecond

// pace publishes at a rate, channel by channel. A message says when it was due:
// a server that is late for one does not get its time back.
func (d *driver) pace(channels int, rate float64, length time.Duration) error {
	start, next := time.Now(), 0
	for all := int(rate * length.Seconds()); next < all; {
		due := start.Add(time.Duration(float64(next) / rate * float64(time.Second)))
		if wait := time.Until(due); wait > 0 {
			time.Sleep(max(wait, tick))
			continue
		}
		if err := d.publish(next%channels, 1, due.UnixMicro()); err != nil {
			return err
		}
		next++
	}
	return nil
}

// alone publishes for a time, channel by channel.
func (d *driver) alone(channels int, length time.Duration) error {
	for start := time.Now(); time.Since(start) < length; {
		if err := d.burst(channels, 1); err != nil {
			return err
		}
	}
	return nil
}

func (d *driver) profileCPU(file string) error {
	if d.profile != nil {
		pprof.StopCPUProfile()
		if err := d.profile.Close(); err != nil {
			return err
		}
		d.profile = nil
	}
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	d.profile = f
	return pprof.StartCPUProfile(f)
}

func profileHeap(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	runtime.GC()
	return errors.Join(pprof.Lookup("heap").WriteTo(f, 0), f.Close())
}
