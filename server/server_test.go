package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/client"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open starts a server of config c over an engine in memory.
func open(t *testing.T, c server.Config) (*server.Server, *httptest.Server) {
	t.Helper()
	if c.Engine == nil {
		engine := memengine.New(memengine.Config{})
		t.Cleanup(func() { engine.Close(context.Background()) })
		c.Engine = engine
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := server.New(c)
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		web.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return s, web
}

// post sends body to the publish API and returns the answer.
func post(t *testing.T, url, body string, header http.Header) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url+"/api/publish", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("the answer to %.40s is %s", body, ct)
	}
	return resp.StatusCode, strings.TrimSpace(string(answer))
}

func TestPublishAPI(t *testing.T) {
	_, web := open(t, server.Config{InsecureAPI: true, MaxPublication: 1000})
	for _, c := range []struct {
		name, body string
		status     int
		want       string // in the answer
	}{
		{"published", `{"channel":"c","data":{"a":1}}`, 200, `{"result":{"offset":1,"epoch":"`},
		{"any JSON value", `{"channel":"c","data":null}`, 200, `{"offset":2,`},
		{"with an ID", `{"channel":"c","data":1,"idempotency_key":"k"}`, 200, `"offset":3,`},
		{"the ID again", `{"channel":"c","data":2,"idempotency_key":"k"}`, 200, `"duplicate":true`},
		{"ephemeral", `{"channel":"c","data":1,"skip_history":true}`, 200, `{"result":{"epoch":"`},
		{"tags", `{"channel":"c","data":1,"tags":{"a":"b"}}`, 200, `"offset":4,`},
		{"a number that browsers spoil", `{"channel":"c","data":{"id":9007199254740993}}`, 200, `"pointer":"/id"`},
		{"not JSON", `{"channel":"c","data":{"a":1,}}`, 400, `not JSON at line 1, column 30`},
		{"not JSON, below", "{\"channel\":\"c\",\n \"data\": nope}", 400, `line 2, column 11`},
		{"cut", `{"channel":"c","data":{"a":1}`, 400, `line 1, column 29`},
		{"nothing", ``, 400, `line 1, column 1`},
		{"more than one value", `{"channel":"c","data":1}{}`, 400, `line 1, column 25`},
		{"not UTF-8", "{\"channel\":\"c\",\"data\":\"\xff\"}", 400, `not UTF-8 at line 1, column 24`},
		{"a wrong type", `{"channel":7,"data":1}`, 400, `field \"channel\" at line 1, column 13 cannot be a JSON number`},
		{"an unknown field", `{"chanel":"c","data":1}`, 400, `unknown field \"chanel\"; fields are channel, data`},
		{"an array", `[]`, 400, `cannot be a JSON array`},
		{"no data", `{"channel":"c"}`, 400, `field \"data\" is missing`},
		{"no channel", `{"data":1}`, 400, `bad channel name: it is empty`},
		{"a bad channel", `{"channel":"a b","data":1}`, 400, `U+0020 at offset 1 is not allowed`},
		{"too much data", `{"channel":"c","data":"` + strings.Repeat("x", 1001) + `"}`, 413, `more than 1000 bytes`},
		{"too long a body", `{"channel":"c","data":"` + strings.Repeat("x", 2<<20) + `"}`, 413, `longer than`},
	} {
		status, answer := post(t, web.URL, c.body, nil)
		if status != c.status || !strings.Contains(answer, c.want) {
			t.Errorf("%s: %d %.300s\nwant %d with %s", c.name, status, answer, c.status, c.want)
		}
	}
}

func TestNothingIsStoredOfWhatIsRefused(t *testing.T) {
	engine := memengine.New(memengine.Config{})
	defer engine.Close(context.Background())
	_, web := open(t, server.Config{Engine: engine, InsecureAPI: true, MaxPublication: 100})
	for _, body := range []string{`{"channel":"c","data":`, `{"channel":"c","data":1,"x":1}`, `{"channel":"c","data":"` + strings.Repeat("x", 200) + `"}`} {
		post(t, web.URL, body, nil)
	}
	h, err := engine.History(t.Context(), "c", surewire.Position{}, 10)
	if err != nil || h.Head.Offset != 0 {
		t.Errorf("the channel is at %v, %v", h.Head, err)
	}
}

func TestAPIKey(t *testing.T) {
	const body = `{"channel":"c","data":1}`
	for _, c := range []struct {
		name   string
		config server.Config
		header http.Header
		status int
	}{
		{"no key is configured", server.Config{}, nil, 401},
		{"no key is configured, an empty one sent", server.Config{}, http.Header{"X-Api-Key": {""}}, 401},
		{"the key", server.Config{APIKey: "k"}, http.Header{"X-Api-Key": {"k"}}, 200},
		{"the key in Authorization", server.Config{APIKey: "k"}, http.Header{"Authorization": {"apikey k"}}, 200},
		{"no key", server.Config{APIKey: "k"}, nil, 401},
		{"another key", server.Config{APIKey: "k"}, http.Header{"X-Api-Key": {"kk"}}, 401},
		{"a page of ours", server.Config{APIKey: "k", Origins: []string{"https://app.example"}},
			http.Header{"X-Api-Key": {"k"}, "Origin": {"https://app.example"}}, 200},
		{"a page of others", server.Config{InsecureAPI: true}, http.Header{"Origin": {"https://evil.example"}}, 403},
		{"a page of nowhere", server.Config{InsecureAPI: true}, http.Header{"Origin": {"null"}}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, web := open(t, c.config)
			status, answer := post(t, web.URL, body, c.header)
			if status != c.status {
				t.Errorf("%d %s, want %d", status, answer, c.status)
			}
		})
	}
}

// failing is an engine that cannot publish.
type failing struct {
	surewire.Engine
	err error
}

func (f failing) Publish(context.Context, string, surewire.Publication) (surewire.Published, error) {
	return surewire.Published{}, f.err
}

func TestEngineErrors(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		want   string
	}{
		{surewire.ErrBusy, 503, "busy"}, {surewire.ErrUnavailable, 503, "unavailable"},
		{fmt.Errorf("disk: %w", surewire.ErrUnknown), 503, "retry with the same ID"},
		{errors.New("a secret of the engine"), 500, `"message":"internal server error"`},
	} {
		_, web := open(t, server.Config{Engine: failing{err: c.err}, InsecureAPI: true})
		status, answer := post(t, web.URL, `{"channel":"c","data":1}`, nil)
		if status != c.status || !strings.Contains(answer, c.want) || strings.Contains(answer, "secret") {
			t.Errorf("%v: %d %s", c.err, status, answer)
		}
	}
}

func TestOriginOfConnections(t *testing.T) {
	_, web := open(t, server.Config{Authorizer: access.AllowAll{}, Origins: []string{"https://app.example"}})
	for origin, status := range map[string]int{
		"": 101, web.URL: 101, "https://app.example": 101, "HTTPS://APP.EXAMPLE": 101,
		"https://evil.example": 403, "null": 403, "https://app.example.evil": 403, "http://%zz": 403,
	} {
		req, err := http.NewRequest(http.MethodGet, web.URL+"/connection/websocket", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{
			"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Origin": {origin},
			"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
		}
		if origin == "" {
			req.Header.Del("Origin")
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != status {
			t.Errorf("origin %q: %d, want %d", origin, resp.StatusCode, status)
		}
	}
}

func TestPublishReachesATail(t *testing.T) {
	s, web := open(t, server.Config{Authorizer: access.AllowAll{}})
	if _, err := s.Publish(t.Context(), "c", map[string]int{"n": 0}); err != nil {
		t.Fatal(err)
	}
	c := &client.Client{Endpoint: web.URL}
	n := 0
	for m, err := range c.Tail(t.Context(), "c", &surewire.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`{"n":%d}`, n); string(m.Data) != want || m.Position.Offset != uint64(n)+1 || m.Position.Epoch == "" {
			t.Fatalf("got %s at %v, want %s", m.Data, m.Position, want)
		}
		if n++; n == 100 {
			break
		}
		if _, err := s.Publish(t.Context(), "c", map[string]int{"n": n}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWithoutAnAuthorizerNobodyConnects(t *testing.T) {
	_, web := open(t, server.Config{})
	c := &client.Client{Endpoint: web.URL}
	for m, err := range c.Tail(t.Context(), "c", nil) {
		if m != nil || !errors.Is(err, surewire.DisconnectDenied) {
			t.Errorf("got %v, %v", m, err)
		}
	}
}
