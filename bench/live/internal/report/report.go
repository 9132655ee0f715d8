package report

import (
	"fmt"
	"strings"
	"time"
)

// The lines around the part that other documents quote.
const (
	ExcerptBegin = "<!-- excerpt -->"
	ExcerptEnd   = "<!-- /excerpt -->"
)

// Results is what a report is written from.
type Results struct {
	Command  string   // what to type to get such a report
	Machine  []string // facts about the machine and the toolchain
	Notes    []string // what the reader must know besides, such as what failed
	Rounds   int
	Took     time.Duration
	Checked  uint64 // messages that clients have checked
	Message  int    // bytes of a message
	Subjects []Subject
	Steps    []Step
	Samples  map[Key][]Sample
}

// A Subject is a column of the tables.
type Subject struct {
	Name, About, Module, Version string
	Limit                        bool // the others are compared with it
}

// A Step is a row of a table, of one or of several.
type Step struct {
	Name  string // as the command's -cases has it
	About string
	Kind  Kind
}

// A Kind says what the units of a step are, and which table it goes to.
type Kind uint8

// The kinds of steps.
const (
	Deliveries   Kind = iota // as fast as they arrive
	Paced                    // deliveries at a rate: delays mean something
	Handshakes               // connections
	Idle                     // connections that do nothing: memory alone means something
	Storm                    // connections that return: time means something
	Publications             // nobody reads them
)

// A section is a table of one metric or more.
type section struct {
	title, caption string
	rows           []row
}

// A row shows one metric of all steps of some kinds.
type row struct {
	kinds  []Kind
	label  string // after the step's own words; may be empty
	metric metric
	format func(float64) string
	ratio  bool // to the limit
}

var delivered = []Kind{Deliveries, Paced}

var processorTime = section{
	"Processor time of a delivery",
	"Microseconds that the server's process takes for one message to one client, user and system time, the kernel's work for both ends of the connection included; and how many times that of `limit`. The same number is seconds for a million deliveries.",
	[]row{{delivered, "", cpu, small, true}},
}

var sections = []section{
	{
		"The part in user space",
		"Microseconds of a delivery that are the server's own code and its runtime, not the kernel's: the processor is sampled for that, so a short measurement is rough.",
		[]row{{delivered, "", user, small, false}},
	}, {
		"Delays",
		"Milliseconds from when a message was due to when the client has read it. The server looks every 2 ms what is due. One loop reads for all clients, and 1,000 reads take it some milliseconds.",
		[]row{{[]Kind{Paced}, ": half are faster than", p50, small, false}, {[]Kind{Paced}, ": 99 % are faster than", p99, small, false}},
	}, {
		"Connections",
		"Memory is what the process has more than before, after a garbage collection; what the kernel keeps for sockets is not in it. A handshake is all until the answer to the subscription, if there is one.",
		[]row{
			{[]Kind{Idle}, ": bytes", memory, whole, false}, {[]Kind{Idle}, ": of them, in objects", heap, whole, false},
			{[]Kind{Idle}, ": of them, in stacks", stacks, whole, false}, {[]Kind{Idle}, ": goroutines", goroutines, small, false},
			{[]Kind{Handshakes}, ": µs of processor time", cpu, whole, true}, {[]Kind{Handshakes}, ": allocations", allocs, whole, false},
		},
	}, {
		"All clients return at once",
		"Every connection is cut off, 10 messages are published to each client, and all connect again, at most 512 at a time. The time is from the first connect until every client has exactly what it missed, the clients' own work included; the processor time is the server's for one client, from the cut on.",
		[]row{{[]Kind{Storm}, ": seconds", seconds, small, false}, {[]Kind{Storm}, ": µs of processor time for each", cpu, whole, false}},
	}, {
		"Publishing where nobody reads",
		"One goroutine publishes to one channel, which keeps 1,000 messages.",
		[]row{
			{[]Kind{Publications}, ": a second", rate, whole, false}, {[]Kind{Publications}, ": µs of processor time", cpu, small, false},
			{[]Kind{Publications}, ": allocations", allocs, small, false},
		},
	}, {
		"Allocations of a delivery",
		"",
		[]row{{delivered, "", allocs, fine, false}},
	}, {
		"How many messages come at once",
		"Messages that a client gets by one read. More than one means that the server has joined them, or that the client was late.",
		[]row{{delivered, "", joined, small, false}},
	}, {
		"Bytes on the wire for a delivery",
		"",
		[]row{{delivered, "", wire, whole, false}},
	},
}

// Markdown returns the whole report.
func (r Results) Markdown() string {
	var b strings.Builder
	b.WriteString("# A whole server among others\n\nWritten by `" + r.Command + "`; see [README.md](README.md).\n\n")
	b.WriteString(ExcerptBegin + "\n" + r.Excerpt() + ExcerptEnd + "\n\n")
	r.writeMethod(&b)
	r.writeSection(&b, processorTime)
	for _, s := range sections {
		r.writeSection(&b, s)
	}
	spread := r.table([]row{{delivered, "", cpu, small, false}, {[]Kind{Handshakes, Storm, Publications}, "", cpu, small, false}}, r.spreadCell)
	if spread != "" {
		b.WriteString("## Spread\n\nProcessor time of the cheapest and of the dearest round, in microseconds:\n\n" + spread)
	}
	return b.String()
}

// Excerpt returns the table for other documents, with its caption.
func (r Results) Excerpt() string {
	t := r.table(append(processorTime.rows,
		row{[]Kind{Paced}, ": ms, 99 %", p99, small, false},
		row{[]Kind{Idle}, ": bytes", memory, whole, false},
		row{[]Kind{Handshakes}, ": µs", cpu, whole, true},
		row{[]Kind{Storm}, ": seconds", seconds, small, false},
	), r.medianCell)
	return fmt.Sprintf("Microseconds of the server's processor time for one delivery, and how many times those of a bare loop of write(2), unless a row says otherwise. Medians of %d rounds; %s.\n\n%s",
		r.Rounds, strings.Join(r.Machine, ", "), t)
}

func (r Results) writeMethod(b *strings.Builder) {
	fmt.Fprintf(b, "Each server runs in a process of its own, with as many threads as there are cores; one event loop in another process is the clients of all. All is on one machine and on its loopback interface: clients and server share the processor. In each of %d rounds the servers take turns; the run took %v. A message is %d bytes of JSON. Clients send connect and subscribe in one frame. They have checked each of %s messages: it came once, whole, in order, and with its offset.\n\n",
		r.Rounds, r.Took.Round(time.Second), r.Message, whole(float64(r.Checked)))
	b.WriteString("\"n on their way\" means that the next message is published when one has reached all readers, so that n are published and not everywhere: with 1 there is nothing to join, with 64 there always is.\n\n")
	for _, n := range r.Notes {
		fmt.Fprintf(b, "Note: %s\n\n", n)
	}
	for _, s := range r.Subjects {
		fmt.Fprintf(b, "- `%s`: ", s.Name)
		if s.Module != "" {
			fmt.Fprintf(b, "%s %s, ", s.Module, s.Version)
		}
		b.WriteString(s.About + "\n")
	}
	b.WriteString("\n")
}

func (r Results) writeSection(b *strings.Builder, s section) {
	t := r.table(s.rows, r.medianCell)
	if t == "" {
		return
	}
	fmt.Fprintf(b, "## %s\n\n", s.title)
	if s.caption != "" {
		b.WriteString(s.caption + "\n\n")
	}
	b.WriteString(t + "\n")
}
