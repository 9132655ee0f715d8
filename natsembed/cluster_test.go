package natsembed_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire/natsembed"
)

func TestClusterIsChecked(t *testing.T) {
	for name, c := range map[string]natsembed.Cluster{
		"no name":      {Listen: "127.0.0.1:1", Peers: []string{"127.0.0.1:2"}},
		"no peers":     {Node: "a", Listen: "127.0.0.1:1"},
		"no port":      {Node: "a", Listen: "127.0.0.1", Peers: []string{"127.0.0.1:2"}},
		"port 0":       {Node: "a", Listen: "127.0.0.1:0", Peers: []string{"127.0.0.1:2"}},
		"a named port": {Node: "a", Listen: "127.0.0.1:1", Peers: []string{"127.0.0.1:http"}},
	} {
		cfg := config(t, t.TempDir())
		cfg.Cluster = &c
		if s, err := natsembed.Start(cfg); err == nil {
			s.Close(t.Context())
			t.Errorf("%s: it was started", name)
		}
	}
}

// A node listens for its peers. Clients from outside of the process are refused.
func TestNodeRefusesClients(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	cfg := config(t, t.TempDir())
	cfg.Cluster = &natsembed.Cluster{Node: "a", Listen: l.Addr().String(), Peers: []string{l.Addr().String(), "127.0.0.1:1"}}
	before := listeners(t)
	s := start(t, cfg)
	asked := 0
	for address := range listeners(t) {
		if before[address] || address == l.Addr().String() {
			continue
		}
		asked++
		if got := hello(t, dial(t, address)); strings.Contains(got, "PONG") {
			t.Errorf("a client at %s was admitted: %s", address, got)
		}
	}
	if asked == 0 {
		t.Skip("the system does not tell what listens")
	}
	own, err := s.InProcessConn()
	if err != nil {
		t.Fatal(err)
	}
	if got := hello(t, own); !strings.Contains(got, "PONG") {
		t.Errorf("a client in the process was not admitted: %s", got)
	}
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// hello greets a server as a client does, and returns what it says.
func hello(t *testing.T, c net.Conn) (got string) {
	t.Helper()
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	r := bufio.NewReader(c)
	r.ReadString('\n') // INFO
	if _, err := c.Write([]byte("CONNECT {\"verbose\":false}\r\nPING\r\n")); err != nil {
		return err.Error()
	}
	got, _ = r.ReadString('\n')
	return got
}

// listeners returns the ports on which something of this machine listens.
func listeners(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Skip("the system does not tell what listens")
	}
	out := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) > 3 && f[3] == "0A" && strings.HasPrefix(f[1], "0100007F:") {
			port, err := strconv.ParseUint(f[1][9:], 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			out[fmt.Sprint("127.0.0.1:", port)] = true
		}
	}
	return out
}
