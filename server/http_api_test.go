package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/auth"
	"github.com/surewire/surewire/client"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/memengine"
)

// varies is what differs from run to run in a transcript.
var varies = regexp.MustCompile(`[A-Z0-9]{26}|"epoch":"[^"]+"|"uptime":\d+|"name":"[^"]*"`)

// machine is what names the one that the tests run on.
var machine = regexp.MustCompile(`"name":"[^"]*"`)

// fence finds the blocks of a document.
var fence = regexp.MustCompile("(?ms)^```(console|python)\n(.*?)^```$")

// The commands of docs/http-api.md give the answers that are there, with -update
// those that it gives are written.
func TestHTTPAPIDocument(t *testing.T) {
	const document = "../docs/http-api.md"
	doc, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	const url = "http://localhost:8000" // in the document
	web, ended := serveDocument(t)
	dir := t.TempDir()
	ran := ""
	got := fence.ReplaceAllStringFunc(string(doc), func(block string) string {
		parts := fence.FindStringSubmatch(block)
		if parts[1] == "python" {
			if err := os.WriteFile(filepath.Join(dir, "backend.py"), []byte(parts[2]), 0o666); err != nil {
				t.Fatal(err)
			}
			return block
		}
		var b strings.Builder
		b.WriteString("```console\n")
		for _, command := range commandsOf(parts[2]) {
			ran += command
			cmd := exec.CommandContext(t.Context(), "bash", "-c", strings.ReplaceAll(command, url, web))
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "SUREWIRE_API_KEY=a key", "SUREWIRE_URL="+web, "no_proxy=*")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", command, err, out)
			}
			b.WriteString("$ " + command)
			b.Write(machine.ReplaceAll(out, []byte(`"name":"host"`)))
		}
		return b.String() + "```"
	})
	if *update {
		if err := os.WriteFile(document, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		doc = []byte(got)
	}
	want, is := strings.Split(varies.ReplaceAllString(string(doc), "…"), "\n"), strings.Split(varies.ReplaceAllString(got, "…"), "\n")
	for i := range min(len(want), len(is)) {
		if want[i] != is[i] {
			t.Errorf("line %d is\n%s\nand is written\n%s", i+1, is[i], want[i])
			break
		}
	}
	for name := range methods {
		if !strings.Contains(ran, url+"/api/"+name+" ") {
			t.Errorf("%s is not shown", name)
		}
	}
	// What the page does was done: by curl, and by the script.
	for user, why := range map[string]surewire.Disconnect{
		"42": surewire.DisconnectForceNoReconnect, "43": surewire.DisconnectInvalidToken, "44": surewire.DisconnectForceNoReconnect,
	} {
		select {
		case err := <-ended[user]:
			if !errors.Is(err, why) {
				t.Errorf("user %s was told %v", user, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("user %s is still connected", user)
		}
	}
}

// commandsOf returns the commands of a console block, without what they wrote.
func commandsOf(block string) (all []string) {
	more := false
	for line := range strings.Lines(block) {
		command, ok := strings.CutPrefix(line, "$ ")
		switch {
		case ok:
			all = append(all, command)
		case more:
			all[len(all)-1] += line
		default:
			continue
		}
		more = strings.HasSuffix(line, "\\\n")
	}
	return all
}

// serveDocument starts the server that the document talks to, with the users it
// names, and returns how each of them ends.
func serveDocument(t *testing.T) (url string, ended map[string]chan error) {
	engine := memengine.New(memengine.Config{})
	s := New(Config{
		Engine: engine, APIKey: "a key", Logger: slog.New(slog.DiscardHandler),
		Hub:         hub.Config{PingInterval: time.Hour}, // a client that is away for a moment would miss what is to end it
		Revocations: auth.NewRevocations(auth.RevocationsConfig{}),
		Ticket: func(context.Context, string, time.Duration) (string, error) {
			return "", fmt.Errorf("%w: for the test", auth.ErrInvalid)
		},
		Authorizer: access.Funcs{
			OnConnect: func(_ context.Context, r access.ConnectRequest) (access.Session, error) {
				return access.Session{User: r.Token, TokenTime: time.Now().Add(-time.Hour)}, nil
			},
			OnSubscribe: access.AllowAll{}.Subscribe,
		},
	})
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Shutdown(context.Background())
		web.Close()
		engine.Close(context.Background())
	})
	ended = make(map[string]chan error)
	for user, channel := range map[string]string{"42": "user:42", "43": "chat:lobby", "44": "chat:lobby"} {
		ready, end := make(chan bool, 8), make(chan error, 1)
		ended[user] = end
		go func() { // ends with the test, at the latest
			c := &client.Client{Endpoint: web.URL, Token: user, OnSubscribed: func(string, surewire.Position) { ready <- true }}
			for _, err := range c.Tail(t.Context(), channel, nil) {
				if err != nil {
					end <- err
				}
			}
		}()
		<-ready
	}
	return web.URL, ended
}
