package natsengine_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/surewire/surewire/natsembed"
)

// launchOn starts a node for each member, with writers of their own.
func launchOn(t *testing.T, b *book, members []*natsembed.Cluster, change func(*node)) (nodes []node, children []*child, writers [][]string) {
	t.Helper()
	dir := t.TempDir()
	for i, m := range members {
		n := node{Dir: filepath.Join(dir, m.Node), Cluster: m, Channels: names("c:", 6), Pause: 2 * time.Millisecond}
		change(&n)
		nodes = append(nodes, n)
		writers = append(writers, names(fmt.Sprint("n", i, "w"), 4))
		children = append(children, launch(t, n, b, writers[i]))
	}
	for _, c := range children {
		c.wait(t, "ready", 2*time.Minute)
	}
	return nodes, children, writers
}

// darkness is how long a node is cut off: others have elected leaders meanwhile.
const darkness = 16 * time.Second

// Links between nodes are slow, break, and go dark. Nobody is told a wrong thing
// for it, and once they are whole again everybody has everything.
func TestNetworkFaults(t *testing.T) {
	if !*cluster {
		t.Skip("three nodes and their elections take minutes: make cluster")
	}
	b := newBook()
	n := newNetwork(t)
	_, children, _ := launchOn(t, b, n.nodes, func(n *node) { n.Readers, n.Pause = true, 10*time.Millisecond })
	phase := func(name string, dark int, fn func(), heal func()) {
		b.longest()
		before := b.count()
		fn()
		others, all := b.longestOf(dark), b.count()-before
		healed := time.Now()
		heal()
		writers, readers := b.recover(t, healed)
		t.Logf("%s: %d acknowledged, the longest pause of a writer elsewhere %v; once it was over, all writers went on after %v, all readers had all after %v; errors: %v",
			name, all, others.Round(time.Millisecond), writers.Round(time.Millisecond), readers.Round(time.Millisecond), b.takeErrs())
	}
	whole := func() { n.delay(0, 0) }
	slow := func() { n.delay(50*time.Millisecond, 200*time.Millisecond) }
	cuts := func(d time.Duration) (cut int) {
		for end := time.Now().Add(d); time.Now().Before(end); {
			time.Sleep(time.Duration(200+rand.IntN(800)) * time.Millisecond)
			cut += n.cutSome()
		}
		return cut
	}
	phase("no faults", -1, func() { time.Sleep(5 * time.Second) }, whole)
	phase("50-200 ms on all links", -1, func() { slow(); time.Sleep(15 * time.Second) }, whole)
	phase("connections cut", -1, func() { t.Logf("%d were cut", cuts(15*time.Second)) }, whole)
	for i := range 3 {
		late := i%2 == 0
		phase(fmt.Sprintf("node %d in the dark, what was held comes late: %v", i, late), i, func() {
			n.each(i, (*link).darken)
			time.Sleep(darkness)
		}, func() { n.each(i, func(l *link) { l.heal(late) }) })
		time.Sleep(2 * time.Second)
	}
	i := rand.IntN(3)
	phase(fmt.Sprintf("all at once, node %d in the dark", i), i, func() {
		slow()
		n.each(i, (*link).darken)
		cuts(darkness)
	}, func() { whole(); n.each(i, func(l *link) { l.heal(true) }) })
	for _, c := range children {
		c.tell(t, "quiet", "quiet")
	}
	b.recover(t, time.Time{}) // the readers
	b.judgeReaders(t, len(children))
	children[0].judge(t)
}
