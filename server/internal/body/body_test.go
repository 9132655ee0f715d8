package body

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A pipe listens for the one connection that it is made of.
type pipe struct {
	conns chan net.Conn
}

func (p pipe) Accept() (net.Conn, error) {
	if c, ok := <-p.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipe) Close() error   { return nil }
func (p pipe) Addr() net.Addr { return &net.TCPAddr{} }

// serve runs an HTTP server of h for one connection, and returns that.
func serve(t *testing.T, h http.HandlerFunc) net.Conn {
	ours, theirs := net.Pipe()
	p := pipe{make(chan net.Conn, 1)}
	p.conns <- theirs
	web := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan error, 1)
	go func() { done <- web.Serve(p) }() // ends with close(p.conns)
	t.Cleanup(func() {
		ours.Close()
		close(p.conns)
		<-done
		web.Close()
	})
	return ours
}

// A caller that sends a byte now and then is cut off, with an answer.
func TestSlowBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took, got := make(chan time.Duration, 1), make(chan error, 1)
		conn := serve(t, func(w http.ResponseWriter, r *http.Request) {
			began := time.Now()
			_, err := Read(w, r, 1000)
			took <- time.Since(began)
			got <- err
			if err != nil {
				http.Error(w, err.Error(), http.StatusRequestTimeout)
			}
		})
		ended := make(chan bool)
		go func() { // ends when the connection is closed
			defer close(ended)
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
			for {
				if _, err := conn.Write([]byte(" ")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err, d := <-got, <-took; err != ErrTimeout || d != timeout {
			t.Errorf("after %v the body was read with %v", d, err)
		}
		if resp.StatusCode != http.StatusRequestTimeout || !resp.Close {
			t.Errorf("the caller is told %s", resp.Status)
		}
		conn.Close()
		<-ended
	})
}

// What comes after the body may take as long as it likes, also in the next request.
func TestTheTimeoutEndsWithTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := serve(t, func(w http.ResponseWriter, r *http.Request) {
			text, err := Read(w, r, 1000)
			select {
			case <-time.After(10 * timeout):
			case <-r.Context().Done():
				t.Error("the request was cut off after its body")
			}
			fmt.Fprint(w, string(text), err)
		})
		answers := bufio.NewReader(conn)
		for range 2 {
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
			resp, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(resp.Body); string(b) != "{}<nil>" || err != nil {
				t.Errorf("%s, %v", b, err)
			}
			time.Sleep(10 * timeout)
		}
		conn.Close()
		synctest.Wait()
	})
}

func TestBodiesThatAreCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan error, 1)
		conn := serve(t, func(w http.ResponseWriter, r *http.Request) {
			_, err := Read(w, r, 1000)
			got <- err
		})
		fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
		conn.Close()
		if err := <-got; !errors.Is(err, ErrBad) {
			t.Errorf("%v, want one that is the caller's fault", err)
		}
		synctest.Wait()
	})
}

type point struct {
	X int             `json:"x"`
	Y json.RawMessage `json:"y"`
	depth
	At *depth `json:"at"`
}

type depth struct {
	Z  int `json:"z"`
	At *struct {
		depthless
		Of *point `json:"of"`
	} `json:"in"`
}

type depthless struct {
	None string `json:"none"`
}

var errNegative = errors.New("x is negative")

func (p *point) Check() error {
	if p.X < 0 {
		return errNegative
	}
	return nil
}

func TestDecode(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"right", `{"x":1,"y":[]}`, ""},
		{"nothing", ``, "line 1, column 1"},
		{"deep", `{"x":1,"y":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`, ""},
		{"too deep", "{\n\"y\":" + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001) + `}`, "line 2, column 10004: invalid character '[' exceeded max depth"},
		{"far too deep, and open", `{"y":` + strings.Repeat("[", 1<<20), "column 10005: invalid character '[' exceeded max depth"},
		{"far too deep, of objects", strings.Repeat(`{"y":`, 1<<20), "exceeded max depth"},
		{"too deep outside of a field", strings.Repeat("[", 20_000), "exceeded max depth"},
		{"not UTF-8", "{\"y\":\n\"\xff\"}", "not UTF-8 at line 2, column 2"},
		{"unknown", `{"a":1}`, `unknown field "a"; fields are x, y, z, in, at`},
		{"unknown, and long", `{"` + strings.Repeat("é", 10_000) + `":1}`, `éé…; fields are x, y`},
		{"a wrong type", `{"x":"1"}`, `field "x" at line 1, column 9 cannot be a JSON string`},
		{"in an embedded struct", `{"z":"1"}`, `field "z" at`},
		{"further down", `{"at":{"z":"1"}}`, `field "at.z" at`},
		{"far down", `{"in":{"of":{"at":{"in":{"none":1}}}}}`, `field "in.of.at.in.none" at`},
		{"too large a number", `{"x":1e400}`, `field "x" at line 1, column 11 cannot be a JSON number`},
		{"two values", `{} {}`, "line 1, column 4"},
		{"checked", `{"x":-1}`, "x is negative"},
	} {
		err := Decode([]byte(c.body), new(point))
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		case err != nil && !errors.Is(err, ErrBad) && err != errNegative:
			t.Errorf("%s: %v is not ErrBad", c.name, err)
		case err != nil && len(err.Error()) > 300:
			t.Errorf("%s: the error has %d bytes", c.name, len(err.Error()))
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"x":1,"y":[]}`))
	f.Add([]byte("{\"\xff\":1}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		err := Decode(text, new(point))
		if err == nil && !json.Valid(text) {
			t.Errorf("%q was taken", text)
		}
		if err != nil && !errors.Is(err, ErrBad) && err != errNegative {
			t.Errorf("%q: %v", text, err)
		}
	})
}
