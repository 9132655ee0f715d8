// Surevet reports Go code that sends browsers something other than it says.
//
//	surevet [flags] [packages]
//
// It is a tool for go vet, and runs it: results are cached, and the exit code is
// that of go vet. These are the same:
//
//	surevet ./...
//	go tool surevet ./...
//	go vet -vettool=$(which surevet) ./...
//
// See "surevet help" for analyzers and flags.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/surewire/surewire/surevet"
	"github.com/surewire/surewire/surevet/internal/profile"
)

func main() {
	if !underVet(os.Args[1:]) {
		os.Exit(vet(os.Args[1:]))
	}
	profile.FactsOnly = factsOnly(os.Args[len(os.Args)-1])
	profile.Register(flag.CommandLine)
	unitchecker.Main(surevet.Analyzers...)
}

// underVet reports whether the arguments are those of the protocol between go vet
// and its tools, or ask for help.
func underVet(args []string) bool {
	if len(args) == 0 {
		return false
	}
	first, last := args[0], args[len(args)-1]
	return first == "help" || first == "-V=full" || first == "-flags" || strings.HasSuffix(last, ".cfg")
}

// factsOnly reports whether go vet wants only to know what a dependency has in it.
func factsOnly(config string) bool {
	data, err := os.ReadFile(config)
	if err != nil {
		return false // what follows reports it
	}
	var c struct{ VetxOnly bool }
	return json.Unmarshal(data, &c) == nil && c.VetxOnly
}

// vet runs go vet with this program as its tool, and returns its exit code.
func vet(args []string) int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "surevet:", err)
		return 2
	}
	cmd := exec.Command("go", append([]string{"vet", "-vettool=" + self}, args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil:
		fmt.Fprintln(os.Stderr, "surevet:", err)
		return 2
	}
	return 0
}
