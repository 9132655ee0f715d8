package main

import (
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"surewire": main}) }

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer l.Close()
			internal, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer internal.Close()
			e.Setenv("INTERNAL", internal.Addr().String())
			e.Setenv("ADDRESS", l.Addr().String())
			e.Setenv("SUREWIRE_URL", "http://"+l.Addr().String())
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"ready": ready, "big": big},
	})
}

// ready waits until the server at $SUREWIRE_URL answers.
func ready(ts *testscript.TestScript, _ bool, _ []string) {
	for stop := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(ts.Getenv("SUREWIRE_URL"))
		if err == nil {
			resp.Body.Close()
			return
		}
		if time.Now().After(stop) {
			ts.Fatalf("the server is not there: %v", err)
		}
	}
}

// big writes a body of 2 MiB to a file.
func big(ts *testscript.TestScript, _ bool, args []string) {
	body := `{"channel":"chat:1","data":"` + strings.Repeat("x", 2<<20) + `"}`
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(body), 0o666))
}

func TestParsePosition(t *testing.T) {
	for in, want := range map[string]string{"": "nil", "0": ":0", "7": ":7", "e:7": "e:7", "e:f:7": "e:f:7", "e": "", "e:": "", "-1": "", "e:x": "", "99999999999999999999": ""} {
		p, err := parsePosition(in)
		got := ""
		switch {
		case err != nil:
		case p == nil:
			got = "nil"
		default:
			got = positionText(*p)
		}
		if got != want {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "localhost": true, "::1": true, "[::1]": true, "127.1.2.3": true,
		"": false, "0.0.0.0": false, "10.0.0.1": false, "example.com": false, "localhost.example.com": false, "127.0.0.1.example.com": false,
	} {
		if got := isLoopback(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestExpectedDeliveries(t *testing.T) {
	for _, c := range []struct{ connections, channels, published, want int64 }{
		{10, 1, 3, 30}, {10, 10, 3, 3}, {10, 4, 1, 3}, {10, 4, 2, 6}, {10, 4, 3, 8}, {10, 4, 4, 10}, {10, 4, 5, 13},
	} {
		l := &load{benchCmd: &benchCmd{Connections: int(c.connections), Channels: int(c.channels)}}
		l.published.Store(c.published)
		if got := l.expected(); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
