//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

// clockTick is what /proc/stat counts in, on every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// A machine knows what it does besides the measurement.
type machine struct {
	start, last usage
	others      []float64 // cores that others kept busy, while each server was measured
}

// usage is processor time since some beginning.
type usage struct {
	at        time.Time
	all, ours time.Duration // of the machine; of this process and of those that have ended
}

func (m *machine) begin() (err error) {
	m.start, err = machineUsage()
	m.last = m.start
	return err
}

// look notes what others did since the last look.
func (m *machine) look() {
	if now, err := machineUsage(); err == nil {
		m.others = append(m.others, now.others(m.last))
		m.last = now
	}
}

func (m *machine) end() (err error) {
	m.last, err = machineUsage()
	return err
}

// took is how long it has been.
func (m *machine) took() time.Duration { return m.last.at.Sub(m.start.at) }

// others is how many cores others have kept busy since before.
func (u usage) others(before usage) float64 {
	busy := (u.all - before.all) - (u.ours - before.ours)
	return max(0, busy.Seconds()/u.at.Sub(before.at).Seconds())
}

// note says what others did.
func (m *machine) note() string {
	worst := 0.0
	if len(m.others) > 0 {
		worst = slices.Max(m.others)
	}
	return fmt.Sprintf("meanwhile other processes kept %.2f of %d cores busy, %.2f at the worst time.", m.last.others(m.start), runtime.NumCPU(), worst)
}

func machineUsage() (u usage, err error) {
	u.at = time.Now()
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return u, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	var user, nice, system, idle, wait, irq, softirq int64
	if _, err := fmt.Sscanf(line, "cpu %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &wait, &irq, &softirq); err != nil {
		return u, fmt.Errorf("/proc/stat: %w", err)
	}
	u.all = time.Duration(user+nice+system+irq+softirq) * clockTick
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if err := syscall.Getrusage(who, &r); err != nil {
			return u, os.NewSyscallError("getrusage", err)
		}
		u.ours += time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	return u, nil
}

// facts are those without which a figure says nothing.
func facts() []string {
	return []string{
		fmt.Sprintf("%s %s/%s", strings.Fields(runtime.Version())[0], runtime.GOOS, runtime.GOARCH), processor(),
		fmt.Sprintf("%d cores", runtime.NumCPU()), "Linux " + kernel(),
	}
}

func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "of an unknown version"
	}
	return strings.TrimSpace(string(text))
}

// processor returns the name that Linux gives the processor.
func processor() string {
	const unknown = "unknown processor"
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return unknown
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}

// version returns the version of a module that is in this binary.
func version(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == module {
				return m.Version
			}
		}
	}
	return ""
}
