package socket

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
)

// A message that never ends is given up, however it comes.
func TestMessageTimeout(t *testing.T) {
	const first, more = byte(ws.OpText), byte(ws.OpContinuation)
	long := masked(text, strings.Repeat("x", 1000))
	for name, pieces := range map[string][]string{
		"one byte and no more":    {long[:1]},
		"header and no more":      {long[:6]},
		"byte by byte":            chop(long, 1),
		"pong byte by byte":       chop(masked(pongs, strings.Repeat("x", 125)), 1),
		"empty fragments":         append([]string{masked(first, "")}, repeat(masked(more, ""), 1000)...),
		"pings inside a message":  append([]string{masked(first, "x")}, repeat(masked(pongs, ""), 1000)...),
		"after a whole message":   {masked(text, "whole") + long[:1]},
		"after others in pieces":  {masked(text, "whole")[:3], masked(text, "whole")[3:] + long[:9]},
		"fragment and no more":    {masked(first, "x")},
		"rest of a pong in vain":  {masked(first, "x") + masked(pongs, "y")[:1], masked(pongs, "y")[1:]},
		"compressed byte by byte": chop(masked(packed, strings.Repeat("x", 1000)), 1),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, cl := pipe(t)
				c.parser.deflate = true
				read := echoNothing(c)
				<-time.After(time.Hour) // an idle connection has all the time
				begin := time.Now()
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					for _, b := range pieces {
						if _, err := cl.Write([]byte(b)); err != nil {
							return
						}
						<-time.After(time.Second)
					}
				}()
				f, err := cl.next()
				if err != nil || f.op != ws.OpClose || f.code() != 1008 {
					t.Fatalf("got %s, %v; want close frame 1008", f, err)
				}
				// The message begins with the first piece, or the second.
				if d := time.Since(begin); d < defaultMessageTimeout || d > defaultMessageTimeout+time.Second {
					t.Errorf("it ended after %v", d)
				}
				cl.Close()
				<-sent
				if e := new(ProtocolError); !errors.As(<-read, &e) || e.Code != 1008 {
					t.Errorf("Read: %v", e)
				}
			})
		})
	}
}

func repeat(s string, n int) (all []string) {
	for range n {
		all = append(all, s)
	}
	return all
}

// The time is each message's own, though there is never a moment without part of one.
func TestMessageTimeoutIsPerMessage(t *testing.T) {
	for name, m := range map[string]string{"messages": masked(text, "slow"), "pings": masked(pongs, "slow"), "fragments": masked(byte(ws.OpText), "sl") + masked(fin, "ow")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, cl := pipe(t)
				read := echoNothing(c)
				cl.send(m[:3])
				for range 10 {
					<-time.After(defaultMessageTimeout - time.Second)
					cl.send(m[3:] + m[:3])
				}
				cl.send(m[3:])
				synctest.Wait()
				if c.limited {
					t.Error("the idle connection has a timer")
				}
				<-time.After(time.Hour)
				cl.send(masked(byes, code(1000, "")))
				cl.wantClose(1000)
				cl.Close()
				if e := new(CloseError); !errors.As(<-read, &e) || e.Code != 1000 {
					t.Errorf("Read: %v", e)
				}
			})
		})
	}
}
