//go:build linux

package load

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/surewire/surewire/bench/live/internal/message"
)

const hello = `{"id":1,"connect":{"client":"c"}}` + "\n" + `{"id":2,"subscribe":{"recoverable":true,"epoch":"e"}}`

// push is message n as a server sends it.
func push(n, offset uint64) string {
	return fmt.Sprintf(`{"push":{"channel":"c","pub":{"data":%s,"offset":%d,"time":1}}}`, message.New(n, 1), offset)
}

// serve answers the commands of each client with frames, and then returns what
// it sends that is no pong. It returns where, and what clients have sent.
func serve(t *testing.T, frames ...string) (string, <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	heard := make(chan string, 100)
	go func() { // ends with the test
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // ends with the client
				defer conn.Close()
				if _, err := ws.Upgrade(conn); err != nil {
					return
				}
				commands, err := wsutil.ReadClientText(conn)
				for _, f := range frames {
					if err == nil {
						err = wsutil.WriteServerText(conn, []byte(f))
					}
				}
				for heard <- string(commands); err == nil; {
					if commands, err = wsutil.ReadClientText(conn); err == nil && string(commands) != "{}" {
						err = wsutil.WriteServerText(conn, commands)
					}
					heard <- string(commands)
				}
			}()
		}
	}()
	return l.Addr().String(), heard
}

func open(t *testing.T, address string, clients int) *Load {
	t.Helper()
	l, err := Open(Options{Address: address, Clients: clients, Channel: func(int) string { return "c" }, Recover: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func TestDelivery(t *testing.T) {
	address, heard := serve(t, hello, push(1, 1), push(2, 2)+"\n"+push(3, 3)+"\n{}", push(4, 4))
	l := open(t, address, 20)
	if err := l.Connect(); err != nil {
		t.Fatal(err)
	}
	if err := l.Until(80); err != nil {
		t.Fatal(err)
	}
	if err := l.Quiet(time.Millisecond); err != nil || l.done != 4 || l.Received() != 80 {
		t.Errorf("all have %d messages, %d in all, %v", l.done, l.Received(), err)
	}
	pongs := 0
	for range 40 {
		if said := <-heard; said == "{}" {
			pongs++
		} else if !strings.HasPrefix(said, `{"id":1,"connect":{}}`+"\n"+`{"id":2,"subscribe":{"channel":"c",`) {
			t.Errorf("a client began with %q", said)
		}
	}
	if pongs != 20 {
		t.Errorf("%d pongs", pongs)
	}
}

func TestFaults(t *testing.T) {
	whole := push(1, 1)
	for _, c := range []struct {
		name, frame, want string
	}{
		{"a lost message", push(2, 2), "message 2 came after message 0"},
		{"a message twice", whole + "\n" + whole, "message 1 came after message 1"},
		{"two messages in one object", whole + push(2, 2), "came instead of a message"},
		{"a changed message", strings.Replace(whole, "person", "pers0n", 1), "not as it was published"},
		{"half a message", whole[:200], "not as it was published"},
		{"another offset", push(1, 2), "has no such offset"},
		{"no offset", strings.Replace(whole, `"offset"`, `"offsat"`, 1), "has no such offset"},
		{"something else", `{"push":{"channel":"c","unsubscribe":{"code":2500}}}`, "came instead of a message"},
	} {
		address, _ := serve(t, hello, c.frame)
		l := open(t, address, 1)
		err := l.Connect()
		if err == nil {
			err = l.Until(10)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestWhatWasNotDue(t *testing.T) {
	address, _ := serve(t, hello)
	l := open(t, address, 1)
	if err := l.Connect(); err != nil {
		t.Fatal(err)
	}
	if err := l.Quiet(time.Millisecond); err != nil {
		t.Error(err)
	}
	if err := l.clients[0].sendText([]byte(push(1, 1))); err != nil { // the server returns it
		t.Fatal(err)
	}
	var err error
	for err == nil && l.received == 0 {
		err = l.Quiet(time.Millisecond)
	}
	if err == nil || !strings.Contains(err.Error(), "not due") {
		t.Errorf("a message came, and Quiet says %v", err)
	}
}

func TestReturn(t *testing.T) {
	recovered := func(publications ...string) string {
		return `{"id":2,"subscribe":{"recoverable":true,"epoch":"e","publications":[` + strings.Join(publications, ",") + `],"recovered":true}}`
	}
	pub := func(n uint64) string { return fmt.Sprintf(`{"data":%s,"offset":%d}`, message.New(n, 1), n) }
	for _, c := range []struct {
		name, frame, want string
	}{
		{"what was missed", recovered(pub(8), pub(9)), ""},
		{"too little", recovered(pub(9)), "message 9 came after message 7"},
		{"too much", recovered(pub(7), pub(8), pub(9)), "message 7 came after message 7"},
		{"nothing", hello, "nothing was recovered"},
		{"another log", strings.Replace(recovered(pub(8), pub(9)), `"e"`, `"f"`, 1), "nothing was recovered"},
		{"an error", `{"id":2,"error":{"code":112}}`, "the subscription was answered with"},
	} {
		address, heard := serve(t, c.frame)
		l := open(t, address, 1)
		l.clients[0].got, l.clients[0].epoch, l.done = 7, "e", 7
		err := l.Connect()
		if err == nil {
			err = l.Until(2)
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if said := <-heard; !strings.Contains(said, `"recover":true,"epoch":"e","offset":7}`) {
			t.Errorf("%s: the client asked %q", c.name, said)
		}
	}
}

func TestClosed(t *testing.T) {
	address, _ := serve(t, hello)
	l := open(t, address, 3)
	if err := l.Connect(); err != nil {
		t.Fatal(err)
	}
	sent, most := uint64(0), uint64(0)
	n, err := l.Closed(4, 0, func(messages int) error {
		for range messages { // as if each had come to all at once
			sent++
			for i := range l.clients {
				if err := l.take(&l.clients[i], sent); err != nil {
					return err
				}
			}
			most = max(most, sent-l.done)
		}
		return nil
	})
	if err != nil || n != 4 || sent != 4 || l.done != 4 {
		t.Errorf("%d of %d messages, all have %d, %v", n, sent, l.done, err)
	}
}
