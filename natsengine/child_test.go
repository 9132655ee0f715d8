package natsengine_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsembed"
	"github.com/surewire/surewire/natsengine"
)

// childVariable has the test binary be a node instead: see node.
const childVariable = "NATSENGINE_NODE"

func TestMain(m *testing.M) {
	if text := os.Getenv(childVariable); text != "" {
		var n node
		if err := json.Unmarshal([]byte(text), &n); err != nil {
			panic(err)
		}
		if err := n.run(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// A node is a process with an engine, whose writers publish as fast as they can
// and say on the standard output what they are told. It obeys the words "quiet",
// "dump" and "exit" on the standard input.
type node struct {
	Dir      string
	Cluster  *natsembed.Cluster
	Channels []string
	Writers  map[string]uint64 // by name, the number to begin with; each has one channel, by turns
	Pause    time.Duration     // of a writer, between publications
	Readers  bool              // each channel has a reader too
}

// channelOf returns the channel of a writer.
func (n node) channelOf(writer string) string {
	var k int
	fmt.Sscan(writer[strings.IndexByte(writer, 'w')+1:], &k)
	return n.Channels[k%len(n.Channels)]
}

func (n node) config() (natsembed.Config, natsengine.Config) {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	embed := natsembed.Config{Dir: n.Dir, MinFree: -1, Cluster: n.Cluster, Logger: logger}
	c := natsengine.Config{Logger: logger, Profile: func(string) natsengine.Profile {
		return natsengine.Profile{Retention: surewire.Retention{Size: 10_000_000}}
	}}
	if n.Cluster != nil {
		c.Replicas, c.Shared = 3, true
	}
	return embed, c
}

func (n node) run(in io.Reader, out io.Writer) error {
	embed, c := n.config()
	server, err := natsembed.Start(embed)
	if err != nil {
		return err
	}
	c.InProcess, c.Guard, c.Current, c.Generation = server, server.Healthy, server.Current, server.Generation()
	opening, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	e, err := natsengine.Open(opening, c)
	if err != nil {
		return err
	}
	say := &sayer{out: out}
	ctx, quiet := context.WithCancel(context.Background())
	defer quiet()
	var writers sync.WaitGroup
	for _, name := range n.Channels {
		w := &watcher{say: say}
		for {
			head, _, err := e.Subscribe(opening, name, w)
			if err == nil {
				w.begin(head)
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	if n.Readers {
		for _, name := range n.Channels {
			r := reader{engine: e, say: say, name: n.Cluster.Node, channel: name}
			go r.run(context.Background()) // ends with the process
		}
	}
	for name, next := range n.Writers {
		writers.Go(func() { n.write(ctx, e, say, name, next) })
	}
	for e.Healthy(opening) != nil {
		if opening.Err() != nil {
			return fmt.Errorf("it does not get ready: %w", e.Healthy(context.Background()))
		}
		time.Sleep(20 * time.Millisecond)
	}
	say.line("ready")
	for words := bufio.NewScanner(in); words.Scan(); {
		switch words.Text() {
		case "quiet":
			quiet()
			writers.Wait()
			say.line("quiet")
		case "dump":
			if err := n.dump(e, say); err != nil {
				say.line("bad the dump failed: %v", err)
			}
			say.line("dumped")
		case "exit":
			quiet()
			writers.Wait()
			e.Close(context.Background())
			server.Close(context.Background())
			say.line("gone")
			return nil
		}
	}
	return nil
}

// write publishes, and what is in doubt again, until ctx is done.
func (n node) write(ctx context.Context, e surewire.Engine, say *sayer, name string, next uint64) {
	channel := n.channelOf(name)
	for ctx.Err() == nil {
		id := fmt.Sprintf("%s-%d", name, next)
		done, err := e.Publish(context.WithoutCancel(ctx), channel, surewire.Publication{Data: []byte(`"` + strings.Repeat("x", 254) + `"`), ID: id})
		if err != nil {
			say.line("err %v", err)
			time.Sleep(20 * time.Millisecond)
			continue
		}
		say.line("ack %s %s %s %d", channel, id, done.Position.Epoch, done.Position.Offset)
		next++
		time.Sleep(n.Pause)
	}
}

// dump says what is in the channels.
func (n node) dump(e surewire.Engine, say *sayer) error {
	for _, c := range n.Channels {
		at := surewire.Position{}
		for {
			h, err := e.History(context.Background(), c, at, 1000)
			if err != nil {
				return err
			}
			if !h.Complete {
				say.line("bad %s is not complete after %v", c, at)
			}
			for _, m := range h.Messages {
				say.line("has %s %s %s %d", c, m.ID, m.Position.Epoch, m.Position.Offset)
				at = m.Position
			}
			if len(h.Messages) == 0 {
				break
			}
		}
	}
	return nil
}

// A sayer writes whole lines.
type sayer struct {
	mu  sync.Mutex
	out io.Writer
}

func (s *sayer) line(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, format+"\n", args...)
}

// A watcher is a sink that looks whether anything is missing.
type watcher struct {
	say  *sayer
	mu   sync.Mutex
	last surewire.Position
	held []surewire.Position // from before the head was known
}

func (w *watcher) begin(head surewire.Position) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = head
	for _, p := range w.held {
		w.see(p)
	}
	w.held = nil
}

func (w *watcher) see(p surewire.Position) {
	if p.Epoch != w.last.Epoch || p.Offset != w.last.Offset+1 {
		w.say.line("bad a subscription got %v after %v", p, w.last)
	}
	w.last = p
}

func (w *watcher) Deliver(_ string, m *surewire.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last.Epoch == "" {
		w.held = append(w.held, m.Position)
		return
	}
	w.see(m.Position)
}

func (w *watcher) Lost(channel string) {
	w.say.line("bad a subscription of %s was told that it is lost", channel)
}

// A child is a running node.
type child struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string // of what it says, besides acknowledgements; closed at its end
	book  *book
}

// A book is what all children were told.
type book struct {
	mu     sync.Mutex
	told   []place
	next   map[string]uint64    // by writer
	acked  map[string]time.Time // by writer: the last
	pauses map[string]time.Duration
	errs   map[string]int
	bad    []string
	newest map[string]uint64 // by channel: the last offset acknowledged

	got     map[string][]place           // by reader
	reached map[string]map[string]uint64 // by reader and channel: the last offset
}

func newBook() *book {
	return &book{
		next: map[string]uint64{}, acked: map[string]time.Time{}, pauses: map[string]time.Duration{}, errs: map[string]int{},
		newest: map[string]uint64{}, got: map[string][]place{}, reached: map[string]map[string]uint64{},
	}
}

func (b *book) enter(line string) (other bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch word, rest, _ := strings.Cut(line, " "); word {
	case "ack":
		p := parsePlace(rest)
		b.told = append(b.told, p)
		b.newest[p.channel] = max(b.newest[p.channel], p.at.Offset)
		writer, n := number(p.id)
		b.next[writer] = n + 1
		now := time.Now()
		if before, ok := b.acked[writer]; ok {
			b.pauses[writer] = max(b.pauses[writer], now.Sub(before))
		}
		b.acked[writer] = now
	case "got":
		b.read(rest)
	case "err":
		b.errs[rest[max(0, strings.LastIndex(rest, ": ")):]]++
	case "bad":
		b.bad = append(b.bad, rest)
	default:
		return true
	}
	return false
}

func parsePlace(text string) place {
	f := strings.Fields(text)
	offset, _ := strconv.ParseUint(f[3], 10, 64)
	return place{f[0], f[1], surewire.Position{Epoch: f[2], Offset: offset}}
}

// launch starts n as a process, with the writers of the names where the book
// says they are.
func launch(t *testing.T, n node, b *book, writers []string) *child {
	t.Helper()
	n.Writers = map[string]uint64{}
	b.mu.Lock()
	for _, w := range writers {
		n.Writers[w] = max(b.next[w], 1)
	}
	b.mu.Unlock()
	text, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.Command(os.Args[0]), lines: make(chan string, 1<<20), book: b}
	c.cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	c.cmd.Stderr = t.Output()
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		c.cmd.Wait()
	})
	go func() { // ends with the child
		defer close(c.lines)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if b.enter(lines.Text()) {
				c.lines <- lines.Text()
			}
		}
	}()
	return c
}

// wait returns the lines up to the one that is word.
func (c *child) wait(t *testing.T, word string, d time.Duration) (lines []string) {
	t.Helper()
	deadline := time.After(d)
	for {
		select {
		case line, ok := <-c.lines:
			if !ok {
				t.Fatalf("the node ended before it said %q", word)
			}
			if line == word {
				return lines
			}
			lines = append(lines, line)
		case <-deadline:
			t.Fatalf("the node did not say %q within %v", word, d)
		}
	}
}

// tell says a word to the child, and waits for its answer.
func (c *child) tell(t *testing.T, word, answer string) []string {
	t.Helper()
	if _, err := io.WriteString(c.in, word+"\n"); err != nil {
		t.Fatal(err)
	}
	return c.wait(t, answer, time.Minute)
}

// kill ends the child as a crash does, and waits until all it said is heard.
func (c *child) kill() {
	c.cmd.Process.Kill()
	for range c.lines {
	}
	c.cmd.Wait()
}

// judge has the child stop and say what there is, and compares.
func (c *child) judge(t *testing.T) {
	t.Helper()
	var found []place
	for _, line := range c.tell(t, "dump", "dumped") {
		found = append(found, parsePlace(strings.TrimPrefix(line, "has ")))
	}
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	faults := append(audit(c.book.told, found), c.book.bad...)
	for _, f := range faults[:min(len(faults), 20)] {
		t.Error(f)
	}
	t.Logf("%d publications were acknowledged, %d are there; %d faults; errors: %v", len(c.book.told), len(found), len(faults), c.book.errs)
	if len(c.book.told) == 0 {
		t.Error("nothing was acknowledged")
	}
}

// longest returns the longest pause of a writer, and forgets all.
func (b *book) longest() time.Duration { return b.longestOf(-1) }

// longestOf is longest without the writers of a node: one that still waits is
// counted too.
func (b *book) longestOf(dead int) (d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for w, at := range b.acked {
		if !strings.HasPrefix(w, fmt.Sprint("n", dead, "w")) {
			d = max(d, b.pauses[w], time.Since(at))
		}
	}
	clear(b.pauses)
	return d
}

// count returns how many publications were acknowledged.
func (b *book) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.told)
}

func names(prefix string, n int) (out []string) {
	for i := range n {
		out = append(out, prefix+strconv.Itoa(i))
	}
	return out
}
