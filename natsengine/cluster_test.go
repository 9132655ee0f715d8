package natsengine_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/enginetest"
	"github.com/surewire/surewire/natsembed"
	"github.com/surewire/surewire/natsengine"
)

var failovers = flag.Int("failovers", 1, "how often TestNodeKilled kills a node, and TestRollingRestart restarts all")

// members returns what three nodes on this machine need to find each other.
func members(t testing.TB) (out []*natsembed.Cluster) {
	t.Helper()
	var peers []string
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // once all have another port
		peers = append(peers, l.Addr().String())
	}
	for i, p := range peers {
		out = append(out, &natsembed.Cluster{Node: fmt.Sprint("node-", i), Listen: p, Peers: peers, Secret: "secret"})
	}
	return out
}

var cluster = flag.Bool("cluster", false, "run the contract on three nodes, kill them and restart them: minutes")

// startCluster runs three servers in this process.
func startCluster(t *testing.T) (servers []*natsembed.Server) {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	for _, m := range members(t) {
		s, err := natsembed.Start(natsembed.Config{Dir: t.TempDir(), MinFree: -1, Cluster: m, Logger: logger})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close(context.Background()) })
		servers = append(servers, s)
	}
	return servers
}

func TestClusterContract(t *testing.T) {
	servers := startCluster(t)
	prefix := 0
	open := func(t *testing.T, c natsengine.Config, node int) *natsengine.Engine {
		c.InProcess, c.Replicas, c.Shared = servers[node], 3, true
		c.Prefix = fmt.Sprint("test", prefix)
		c.PublishTimeout = time.Minute // the first streams wait for the election of a leader
		c.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		e, err := natsengine.Open(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close(context.Background()) })
		return e
	}
	t.Run("AcrossNodes", func(t *testing.T) { acrossNodes(t, open(t, natsengine.Config{}, 0), open(t, natsengine.Config{}, 1)) })
	t.Run("Current", func(t *testing.T) { nodesGetCurrent(t, servers) })
	if !*cluster {
		return // the contract takes a minute on three nodes: make cluster
	}
	t.Run("OneNode", func(t *testing.T) {
		enginetest.Run(t, func(t *testing.T) surewire.Engine {
			prefix++
			return open(t, natsengine.Config{}, prefix%3)
		})
	})
	t.Run("Bounded", func(t *testing.T) {
		enginetest.RunBounded(t, func(t *testing.T, b enginetest.Bounds) surewire.Engine {
			prefix++
			return open(t, bounds(b), prefix%3)
		})
	})
}

// acrossNodes publishes on one node and reads on another.
func acrossNodes(t *testing.T, a, b *natsengine.Engine) {
	got := make(chan *surewire.Message, 100)
	head, cancel, err := b.Subscribe(t.Context(), "x:1", sink{got})
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	for i := range 30 {
		from := a
		if i%3 == 2 {
			from = b
		}
		p := surewire.Publication{Data: fmt.Append(nil, i), ID: fmt.Sprint("id-", i), Ephemeral: i == 10}
		done, err := from.Publish(t.Context(), "x:1", p)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := b.Publish(t.Context(), "x:1", p); err != nil || !p.Ephemeral && again != (surewire.Published{Position: done.Position, Duplicate: true}) {
			t.Fatalf("the same ID on the other node: %+v, %v, want %v", again, err, done.Position)
		}
	}
	offset := uint64(0)
	for offset < 29 {
		select {
		case m := <-got:
			if m == nil {
				t.Fatal("Lost was called, though nothing was")
			}
			if m.Ephemeral {
				continue
			}
			offset++
			if m.Position != (surewire.Position{Epoch: head.Epoch, Offset: offset}) {
				t.Fatalf("got %v, want offset %d of epoch %s, which was told before there was a message", m.Position, offset, head.Epoch)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%d of 29 messages have come", offset)
		}
	}
}

// Each node has what the others have, after a while; one that is closed has nothing.
func nodesGetCurrent(t *testing.T, servers []*natsembed.Server) {
	for i, s := range servers {
		for began := time.Now(); s.Current() != nil; time.Sleep(50 * time.Millisecond) {
			if time.Since(began) > time.Minute {
				t.Fatalf("node %d: %v", i, s.Current())
			}
		}
	}
	closed, err := natsembed.Start(natsembed.Config{Dir: t.TempDir(), MinFree: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Current(); err != nil {
		t.Errorf("a server that is alone: %v", err)
	}
	closed.Close(t.Context())
	if err := closed.Current(); !errors.Is(err, surewire.ErrUnavailable) {
		t.Errorf("one that is closed: %v", err)
	}
}

// A sink hands on what it gets, and nil for Lost.
type sink struct{ got chan<- *surewire.Message }

func (s sink) Deliver(_ string, m *surewire.Message) { s.got <- m }
func (s sink) Lost(string)                           { s.got <- nil }

// launchAll starts three nodes with writers of their own.
func launchAll(t *testing.T, b *book) (nodes []node, children []*child, writers [][]string) {
	t.Helper()
	return launchOn(t, b, members(t), func(*node) {})
}

// A node that is killed under load, each in turn, takes nothing with it.
func TestNodeKilled(t *testing.T) {
	if !*cluster {
		t.Skip("three nodes and their elections take minutes: make cluster")
	}
	b := newBook()
	nodes, children, writers := launchAll(t, b)
	time.Sleep(time.Second)
	b.longest()
	for round := range *failovers {
		i := round % 3
		before := time.Now()
		children[i].kill()
		time.Sleep(time.Duration(9+rand.IntN(4)) * time.Second)
		t.Logf("round %d: node %d was killed; the longest pause of a writer of the others was %v", round, i, b.longestOf(i).Round(time.Millisecond))
		children[i] = launch(t, nodes[i], b, writers[i])
		children[i].wait(t, "ready", 2*time.Minute)
		t.Logf("round %d: it was back %v after its end", round, time.Since(before).Round(time.Millisecond))
		time.Sleep(2 * time.Second)
		b.longest()
	}
	for _, c := range children {
		c.tell(t, "quiet", "quiet")
	}
	children[0].judge(t)
}

// Nodes that are restarted one after the other, as an update does, are not missed.
func TestRollingRestart(t *testing.T) {
	if !*cluster {
		t.Skip("three nodes and their elections take minutes: make cluster")
	}
	b := newBook()
	nodes, children, writers := launchAll(t, b)
	for range *failovers {
		for i := range children {
			time.Sleep(2 * time.Second)
			b.longest()
			children[i].tell(t, "exit", "gone")
			children[i].kill()
			children[i] = launch(t, nodes[i], b, writers[i])
			children[i].wait(t, "ready", 2*time.Minute)
			t.Logf("node %d was restarted; the longest pause of a writer of the others was %v", i, b.longestOf(i).Round(time.Millisecond))
		}
	}
	time.Sleep(2 * time.Second)
	for _, c := range children {
		c.tell(t, "quiet", "quiet")
	}
	children[0].judge(t)
}
