//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// An attack is what some clients do, again and again.
type attack struct {
	name    string
	clients int           // at the same time
	pause   time.Duration // of each, between two attempts
	open    func(*client) (net.Conn, error)
	start   func(*client, net.Conn) error // one attempt, on what open returned; nil for none
}

var attacks = []attack{
	{name: "nothing"},
	{"50 never read what comes fast", 50, time.Second, (*client).upgrade, neverRead},
	{"one sends random bytes, and returns at once", 1, 0, (*client).upgrade, garbage},
	{"one opens 10,000 subscriptions, and returns at once", 1, 0, (*client).upgrade, greedy},
	{"2,000 connect and say nothing", 2000, 10 * time.Second, (*client).dial, silent},
	{"2,000 send their handshake a byte at a time", 2000, 10 * time.Second, (*client).dial, slowly},
}

// A client is one attacker.
type client struct {
	ctx     context.Context
	address string
}

// begin has a process of its own attack, with the least priority, until end, which
// returns how many attempts there were.
func (a attack) begin(ctx context.Context, address string) (end func() int64, err error) {
	if a.start == nil {
		return func() int64 { return 0 }, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	which := slices.IndexFunc(attacks, func(b attack) bool { return b.name == a.name })
	cmd := exec.CommandContext(ctx, "nice", "-n", "19", self, "-attack", strconv.Itoa(which), "-address", address)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Second) // it is at full strength
	return func() int64 {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		n, _ := strconv.ParseInt(strings.TrimSpace(out.String()), 10, 64)
		return n
	}, nil
}

// run attacks until ctx is done, and returns how many attempts there were.
func (a attack) run(ctx context.Context, address string) int64 {
	var all sync.WaitGroup
	var attempts atomic.Int64
	for i := range a.clients {
		all.Go(func() {
			c := &client{ctx, address}
			c.wait(a.pause * time.Duration(i) / time.Duration(a.clients)) // not all at once
			for ctx.Err() == nil {
				attempts.Add(1)
				if conn, err := a.open(c); err == nil {
					a.start(c, conn) // how the server ends it is its own affair
					conn.Close()
				}
				c.wait(a.pause)
			}
		})
	}
	all.Wait()
	return attempts.Load()
}

func (c *client) wait(d time.Duration) {
	select {
	case <-c.ctx.Done():
	case <-time.After(d):
	}
}

// dial connects; the connection ends with the attack.
func (c *client) dial() (net.Conn, error) {
	conn, err := net.Dial("tcp4", c.address)
	if err == nil {
		context.AfterFunc(c.ctx, func() { conn.Close() })
	}
	return conn, err
}

// upgrade connects and shakes hands.
func (c *client) upgrade() (net.Conn, error) {
	conn, err := c.dial()
	if err != nil {
		return nil, err
	}
	_, _, _, err = (ws.Dialer{NetDial: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}).
		Dial(c.ctx, "ws://"+c.address+"/connection/websocket")
	return conn, err
}

// neverRead subscribes, publishes there what nobody takes, and reads nothing.
func neverRead(c *client, conn net.Conn) error {
	for _, command := range []string{`{"id":1,"connect":{}}`, `{"id":2,"subscribe":{"channel":"chat:flood"}}`} {
		if err := wsutil.WriteClientText(conn, []byte(command)); err != nil {
			return err
		}
	}
	body, err := json.Marshal(map[string]string{"channel": "chat:flood", "data": strings.Repeat("x", 8<<10)})
	if err != nil {
		return err
	}
	for c.ctx.Err() == nil {
		r, err := http.Post("http://"+c.address+"/api/publish", "application/json", bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Body.Close()
		c.wait(time.Second) // of each of 50
	}
	return nil
}

// garbage sends what is no frame, until the server ends the connection.
func garbage(_ *client, conn net.Conn) error {
	b := make([]byte, 4<<10)
	for range 100 {
		rand.Read(b)
		if _, err := conn.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// greedy asks for more subscriptions than anybody may have.
func greedy(_ *client, conn net.Conn) error {
	go func() { // ends with the connection
		for b := make([]byte, 64<<10); ; {
			if _, err := conn.Read(b); err != nil {
				return
			}
		}
	}()
	if err := wsutil.WriteClientText(conn, []byte(`{"id":1,"connect":{}}`)); err != nil {
		return err
	}
	for id := 2; id < 10_002; id++ {
		if err := wsutil.WriteClientText(conn, fmt.Appendf(nil, `{"id":%d,"subscribe":{"channel":"chat:%d"}}`, id, id)); err != nil {
			return err
		}
	}
	return nil
}

// silent connects, and waits for the server to end it.
func silent(_ *client, conn net.Conn) error {
	_, err := conn.Read(make([]byte, 1))
	return err
}

// slowly sends a handshake that does not end.
func slowly(c *client, conn net.Conn) error {
	request := "GET /connection/websocket HTTP/1.1\r\nHost: " + c.address + "\r\nX-Long: " + strings.Repeat("x", 1000)
	for i := range len(request) {
		if _, err := conn.Write([]byte{request[i]}); err != nil {
			return err
		}
		c.wait(time.Second)
	}
	return nil
}
