package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// machine returns the facts without which a time says nothing.
func machine() []string {
	target := runtime.GOOS + "/" + runtime.GOARCH
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "GOAMD64" || s.Key == "GOARM64" {
				target += " " + s.Value
			}
		}
	}
	return []string{
		fmt.Sprintf("%s %s", strings.Fields(runtime.Version())[0], target), processor(),
		fmt.Sprintf("%d cores", runtime.NumCPU()), fmt.Sprintf("GOMAXPROCS %d", runtime.GOMAXPROCS(0)),
	}
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
