package client_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/client"
)

// misbehaving runs a server that says what frames hold, one after each frame of
// the client's, connection by connection. It returns its URL.
func misbehaving(t *testing.T, frames ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := ws.Upgrade(c); err == nil {
				for _, f := range frames {
					if _, err := wsutil.ReadClientText(c); err != nil || wsutil.WriteServerText(c, []byte(f)) != nil {
						break
					}
				}
				wsutil.ReadClientText(c) // until the client goes, or says more
			}
			c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

const subscribed = `{"id":2,"subscribe":{"recoverable":true,"epoch":"a","offset":1}}` + "\n"

// What a server may not say costs a connection, and never a message or a panic.
func TestTailOfAMisbehavingServer(t *testing.T) {
	for name, frame := range map[string]string{
		"a push before the subscription": `{"push":{"channel":"c","pub":{"data":1,"offset":1}}}`,
		"a gap":                          subscribed + `{"push":{"channel":"c","pub":{"data":5,"offset":5}}}`,
		"a double":                       subscribed + `{"push":{"channel":"c","pub":{"data":1,"offset":1}}}`,
		"an end, each time":              subscribed + `{"push":{"channel":"c","unsubscribe":{"code":2500,"reason":"insufficient state"}}}`,
		"no JSON":                        subscribed + `hello`,
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			retries := 0
			c := &client.Client{Endpoint: misbehaving(t, frame), OnRetry: func(error, time.Duration) { retries++ }}
			since := surewire.Position{Epoch: "a", Offset: 1}
			for m, err := range c.Tail(ctx, "c", &since) {
				if m != nil {
					t.Errorf("got %s at %v", m.Data, m.Position)
				}
				if err != nil && err != client.ErrGap {
					t.Error(err)
				}
			}
			if retries > 12 {
				t.Errorf("%d connections in a second", retries)
			}
			if since.Offset != 1 {
				t.Errorf("the caller's position is %v", since)
			}
		})
	}
}

func TestTailEndsWhereItIsTold(t *testing.T) {
	for name, frame := range map[string]string{
		"unsubscribed":  subscribed + `{"push":{"channel":"c","unsubscribe":{"code":2000,"reason":"server unsubscribe"}}}`,
		"not permitted": `{"id":2,"error":{"code":103,"message":"permission denied"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			c := &client.Client{Endpoint: misbehaving(t, frame)}
			for m, err := range c.Tail(t.Context(), "c", nil) {
				if n++; m != nil || err == nil {
					t.Errorf("got %v, %v", m, err)
				}
			}
			if n != 1 {
				t.Errorf("%d results", n)
			}
		})
	}
}
