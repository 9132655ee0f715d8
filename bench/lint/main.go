// Lint runs surevet and other analyzers on surevet's corpus of 65 cases and prints,
// as a table, what each finds of what is wanted and what it says besides.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const corpus = "../../surevet/testdata/corpus"

// A tool is one analyzer, as it is run.
type tool struct {
	name string   // as the table has it
	bin  string   // of go tool; empty means the go command itself
	args []string // before the packages
}

// sends are patterns by which forbidigo knows direct sends, written by hand.
var sends = []string{
	`{p: ^websocket\.Conn\.(WriteJSON|WriteMessage|NextWriter)$, pkg: ^github\.com/gorilla/websocket$}`,
	`{p: ^websocket\.NewPreparedMessage$, pkg: ^github\.com/gorilla/websocket$}`,
	`{p: ^wsjson\.Write$, pkg: ^github\.com/coder/websocket/wsjson$}`,
	`{p: ^websocket\.Conn\.Write$, pkg: ^github\.com/coder/websocket$}`,
	`{p: ^wsutil\.WriteServer(Text|Message)$, pkg: ^github\.com/gobwas/ws/wsutil$}`,
	`{p: ^gws\.Conn\.Write(Message|String)$, pkg: ^github\.com/lxzan/gws$}`,
	`{p: ^websocket\.Codec\.Send$, pkg: ^golang\.org/x/net/websocket$}`,
	`{p: ^melody\.Melody\.Broadcast$, pkg: ^github\.com/olahol/melody$}`,
}

var tools = []tool{
	{"go vet", "", []string{"vet"}},
	{"staticcheck", "staticcheck", []string{"-checks=SA*", "-tests=false"}},
	{"errchkjson", "errchkjson", nil},
	{"musttag", "musttag", nil},
	{"forbidigo, 8 typed patterns", "forbidigo", append([]string{"-analyze_types", "-set_exit_status=false"}, sends...)},
	{"surevet", "surevet", []string{"-send=on", "-sink=lintcorpus/surewire.Hub.Publish:1:surewire,lintcorpus/surewire.Encode:0:surewire"}},
}

func main() {
	log.SetFlags(0)
	wanted, marked := expectations()
	fmt.Println("| tool | direct sends | enums | values | said where nothing is wanted |")
	fmt.Println("|---|---|---|---|---|")
	for _, t := range tools {
		hits, err := t.run()
		if err != nil {
			log.Fatalf("%s: %v", t.name, err)
		}
		fmt.Printf("| %s |", t.name)
		for _, group := range []byte("abc") {
			all, part, of := score(wanted, hits, group)
			fmt.Printf(" %d of %d", all, of)
			if part > 0 {
				fmt.Printf(", %d in part", part)
			}
			fmt.Print(" |")
		}
		noise := 0
		for line := range hits {
			if !marked[line] {
				noise++
			}
		}
		fmt.Printf(" %d lines |\n", noise)
	}
}

var (
	want  = regexp.MustCompile(`// want "(?:SW\d|directive)`)
	mark  = regexp.MustCompile(`// (?:want|strict) "`)
	found = regexp.MustCompile(`(?m)(?:^(?:vet: )?| at )(\S+?\.go):(\d+):\d+(?:$|: [^\t])`) // not what relates to a finding
)

// expectations returns the lines on which the corpus wants something of surevet by
// default, by case, and all lines on which it expects anything of any tool.
func expectations() (wanted map[string][]string, marked map[string]bool) {
	wanted, marked = map[string][]string{}, map[string]bool{}
	files, err := filepath.Glob(corpus + "/[abc][0-9]*/*.go")
	deeper, err2 := filepath.Glob(corpus + "/[abc][0-9]*/*/*.go")
	if err := errors.Join(err, err2); err != nil {
		log.Fatal(err)
	}
	for _, name := range append(files, deeper...) {
		source, err := os.ReadFile(name)
		if err != nil {
			log.Fatal(err)
		}
		rel, err := filepath.Rel(corpus, name)
		if err != nil {
			log.Fatal(err)
		}
		rel = filepath.ToSlash(rel)
		for i, text := range strings.Split(string(source), "\n") {
			line := fmt.Sprintf("%s:%d", rel, i+1)
			if mark.MatchString(text) {
				marked[line] = true
			}
			if want.MatchString(text) {
				c, _, _ := strings.Cut(rel, "/")
				wanted[c] = append(wanted[c], line)
			}
		}
	}
	return wanted, marked
}

// run returns the lines on which the tool says something, whatever it is. A tool
// that says nothing shows on standard error how it went.
func (t tool) run() (map[string]bool, error) {
	path, args := "go", append(t.args, "./...")
	if t.bin != "" {
		out, err := exec.Command("go", "tool", "-n", t.bin).Output()
		if err != nil {
			return nil, fmt.Errorf("go tool: %w", err)
		}
		path = strings.TrimSpace(string(out))
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = corpus
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	root, err := filepath.Abs(corpus)
	if err != nil {
		return nil, err
	}
	hits := map[string]bool{}
	out = bytes.ReplaceAll(out, []byte(root+"/"), nil)
	for _, m := range found.FindAllSubmatch(out, -1) {
		hits[strings.TrimPrefix(string(m[1]), "./")+":"+string(m[2])] = true
	}
	if len(hits) == 0 {
		fmt.Fprintf(os.Stderr, "%s says nothing: %.300s\n", t.name, out)
	}
	return hits, nil
}

// score counts the cases of a group of which all wanted lines are hit, and some.
func score(wanted map[string][]string, hits map[string]bool, group byte) (all, part, of int) {
	for c, lines := range wanted {
		if c[0] != group {
			continue
		}
		of++
		n := 0
		for _, l := range lines {
			if hits[l] {
				n++
			}
		}
		switch {
		case n == len(lines):
			all++
		case n > 0:
			part++
		}
	}
	return all, part, of
}
