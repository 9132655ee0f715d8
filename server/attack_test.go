package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/server"
	"github.com/surewire/surewire/surejson"
)

// handlers are those that surewire logs with, at the level that tells the most.
func handlers(w io.Writer) map[string]slog.Handler {
	return map[string]slog.Handler{
		"text": slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}),
		"json": surejson.NewHandler(w, &surejson.HandlerOptions{Level: slog.LevelDebug}),
	}
}

// whileLogging runs f against a server for each handler, and returns what is
// logged.
func whileLogging(t *testing.T, c server.Config, f func(h http.Handler, url string)) map[string]string {
	t.Helper()
	all := make(map[string]string)
	var book logbook
	for name, h := range handlers(&book) {
		c.Logger = slog.New(h)
		s, web := open(t, c)
		f(s, web.URL)
		all[name] = book.String()
		book.reset()
	}
	return all
}

// A page of another origin opens nothing, whatever else it sends.
func TestOtherOrigins(t *testing.T) {
	_, web := open(t, server.Config{Authorizer: access.AllowAll{}, APIKey: "k", Origins: []string{"https://app.example"}, TrustedProxies: loopback})
	host := strings.TrimPrefix(web.URL, "http://")
	for _, header := range []http.Header{
		{"Origin": {"https://evil.example"}},
		{"Origin": {"https://app.example.evil"}}, {"Origin": {"https://app.example:8443"}}, {"Origin": {"http://app.example"}},
		{"Origin": {"https://app.example/"}}, {"Origin": {"null"}}, {"Origin": {"file://"}}, {"Origin": {" "}}, {"Origin": {"%"}},
		{"Origin": {"http://" + host + ".evil.example"}}, {"Origin": {"http://evil@" + host + "x"}},
		{"Origin": {"https://evil.example"}, "X-Forwarded-Host": {"evil.example"}}, // only Host counts
		{"Origin": {"https://evil.example"}, "Forwarded": {"host=evil.example"}},
		{"Origin": {"https://app.example", "https://evil.example"}}, {"Origin": {"https://evil.example", "https://app.example"}},
		{"Origin": {"https://evil.example"}, "Referer": {"https://app.example/"}, "Sec-Fetch-Site": {"same-origin"}},
	} {
		if resp, _ := shake(t, web.URL, header); resp.StatusCode != http.StatusForbidden {
			t.Errorf("WebSocket of %q: %s", header, resp.Status)
		}
		header.Set("X-API-Key", "k")
		if status, _ := post(t, web.URL, `{"channel":"c","data":1}`, header); status != http.StatusForbidden {
			t.Errorf("API of %q: %d", header, status)
		}
	}
	// What a page may send without asking (CORS) does not have a key, and a question
	// is not answered.
	req, err := http.NewRequest(http.MethodOptions, web.URL+"/api/publish", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Origin": {"https://app.example"}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"x-api-key"}}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode == 200 || resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight: %s %v", resp.Status, resp.Header)
	}
}

// A key or token in a URL opens nothing, and no log has it, nor one in a header.
func TestSecretsAreNeitherTakenFromURLsNorLogged(t *testing.T) {
	const secret = "s3cr3t-s3cr3t"
	config := server.Config{APIKey: secret, Authorizer: access.Funcs{
		OnConnect: func(_ context.Context, r access.ConnectRequest) (access.Session, error) {
			if r.Token != "" || len(r.Peer.Header) != 0 {
				t.Errorf("the authorizer gets %+v", r)
			}
			return access.Session{}, fmt.Errorf("no token")
		},
	}}
	logged := whileLogging(t, config, func(_ http.Handler, url string) {
		for _, query := range []string{"api_key=", "apikey=", "key=", "token=", "access_token=", "X-API-Key="} {
			resp, err := http.Post(url+"/api/publish?"+query+secret, "application/json", strings.NewReader(`{"channel":"c","data":1}`))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("?%s…: %s", query, resp.Status)
			}
		}
		for _, header := range []http.Header{
			{"X-Api-Key": {secret + "x"}}, {"Authorization": {"Bearer " + secret}}, {"Authorization": {secret}}, {"Authorization": {"apikey  " + secret}},
			{"Cookie": {"X-API-Key=" + secret}}, {"X-Api-Key": {"", secret}},
		} {
			if status, _ := post(t, url, `{"channel":"c","data":1}`, header); status != http.StatusUnauthorized {
				t.Errorf("%q: %d", header, status)
			}
		}
		for _, path := range []string{"?token=" + secret, "?cf_connect=%7B%22token%22%3A%22" + secret + "%22%7D"} {
			resp, conn := shakeAt(t, url, "/connection/websocket"+path, http.Header{"Cookie": {"token=" + secret}, "Authorization": {"Bearer " + secret}})
			if resp.StatusCode != 101 {
				t.Fatalf("%s: %s", path, resp.Status)
			}
			connect(t, conn, "")
		}
		// Handshakes and origins that fail are logged too.
		shakeAt(t, url, "/connection/websocket?token="+secret, http.Header{"Sec-Websocket-Version": {"7"}})
		shakeAt(t, url, "/connection/websocket?token="+secret, http.Header{"Origin": {"https://evil.example"}})
	})
	for name, text := range logged {
		if strings.Contains(text, "s3cr3t") || !strings.Contains(text, "api_key") || !strings.Contains(text, "handshake failed") {
			t.Errorf("%s: the log has\n%s", name, text)
		}
	}
}

// What anybody may send stays on one line of the log, and cannot pass for a field.
func TestLogInjection(t *testing.T) {
	const forged = "level=ERROR msg=forged"
	config := server.Config{APIKey: "k", Authorizer: access.AllowAll{}, TrustedProxies: loopback}
	said := []string{"request refused origin", "request refused api_key", "value repaired "}
	quoted := regexp.MustCompile(`^time=\S+ level=WARN msg="(request refused|value repaired)"( [a-z]+=([^" ]+|"([^"\\]|\\.)*"))+$`)
	requests := 0
	logged := whileLogging(t, config, func(h http.Handler, _ string) {
		requests = 0
		for _, evil := range []string{
			"https://evil\u2028" + forged, "https://evil\u0085" + forged, "\x1b[2J" + forged, "\" " + forged, `" reason="forged`, `","reason":"forged`,
			"\\n" + forged, "https://evil\t" + forged, "\xff\xfe" + forged, strings.Repeat("x", 5000) + forged,
		} {
			// Bad channel names and users, beside a value whose repair is logged.
			r := httptest.NewRequest(http.MethodPost, "/api/publish", strings.NewReader(fmt.Sprintf(`{"channel":%q,"data":9007199254740993}`, strings.ToValidUTF8(evil, ""))))
			r.Header.Set("X-API-Key", "k")
			h.ServeHTTP(httptest.NewRecorder(), r)
			requests++
			// net/http takes no line break in a header, but a handler may be called by others.
			for _, prefix := range []string{"", "\n", "\r\n", "\x00"} {
				r := httptest.NewRequest(http.MethodGet, "/connection/websocket", nil)
				r.Header.Set("Origin", prefix+evil)
				r.Header.Set("X-Forwarded-For", prefix+evil)
				r.Host = prefix + evil + "x"
				r.RemoteAddr = prefix + evil
				h.ServeHTTP(httptest.NewRecorder(), r)
				r = httptest.NewRequest(http.MethodPost, "/api/publish", strings.NewReader("{}"))
				r.Header.Set("X-API-Key", prefix+evil)
				h.ServeHTTP(httptest.NewRecorder(), r)
				requests += 2
			}
		}
	})
	for name, text := range logged {
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(lines) < 20 || len(lines) > requests {
			t.Errorf("%s: there are %d lines of %d requests", name, len(lines), requests)
		}
		for _, line := range lines {
			if strings.ContainsAny(line, "\r\x00\x1b\u2028\u0085") || len(line) > 2000 {
				t.Errorf("%s: a line is %q", name, line)
			}
			if name == "json" {
				var fields struct{ Msg, Level, Reason string }
				if err := json.Unmarshal([]byte(line), &fields); err != nil || fields.Level != "WARN" || !slices.Contains(said, fields.Msg+" "+fields.Reason) {
					t.Errorf("a line is %s: %+v, %v", line, fields, err)
				}
			} else if !strings.HasPrefix(line, "time=") || !quoted.MatchString(line) {
				t.Errorf("a line is %s", line)
			}
		}
	}
}

// The key is compared by digests of one length, in constant time, and in no other way.
func TestTheKeyIsComparedInConstantTime(t *testing.T) {
	set := token.NewFileSet()
	packages, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, name := range packages {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				text := types.ExprString(n)
				if text == "subtle.ConstantTimeCompare(got[:], s.apiKey[:])" {
					compared++
				} else if strings.Contains(text, "APIKey") && text != "sha256.Sum256([]byte(c.APIKey))" && text != "[]byte(c.APIKey)" {
					if _, isLit := n.Fun.(*ast.FuncLit); !isLit {
						t.Errorf("%v: %s has the key", set.Position(n.Pos()), text)
					}
				}
			case *ast.BinaryExpr:
				// That there is one is no secret.
				text := types.ExprString(n)
				if strings.Contains(text, "APIKey") && !strings.HasPrefix(text, `s.config.APIKey == "" ||`) && text != `s.config.APIKey == ""` {
					t.Errorf("%v: the key is compared: %s", set.Position(n.Pos()), text)
				}
			}
			return true
		})
	}
	if compared != 1 {
		t.Errorf("the key's digest is compared in %d places, want 1", compared)
	}
}

// Ten thousand wrong keys from many connections at once: all are refused, and who
// has the key gets every answer.
func TestAFloodOfWrongKeys(t *testing.T) {
	s, web := open(t, server.Config{APIKey: "right"})
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	defer transport.CloseIdleConnections()
	flood := &http.Client{Transport: transport}
	var all sync.WaitGroup
	var wrong atomic.Int64
	done := make(chan bool)
	for i := range 16 {
		all.Go(func() {
			for n := range 625 {
				req, err := http.NewRequest(http.MethodPost, web.URL+"/api/publish", strings.NewReader(`{"channel":"c","data":1}`))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("X-API-Key", fmt.Sprint("right", i, n))
				resp, err := flood.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode == http.StatusUnauthorized {
					wrong.Add(1)
				}
			}
		})
	}
	began := time.Now()
	go func() { all.Wait(); close(done) }() // ends with the flood
	var slowest time.Duration
	for n := 0; ; n++ {
		called := time.Now()
		if status, answer := post(t, web.URL, `{"channel":"c","data":1}`, http.Header{"X-Api-Key": {"right"}}); status != 200 {
			t.Errorf("the right key: %d %s", status, answer)
		}
		slowest = max(slowest, time.Since(called))
		select {
		case <-done:
			t.Logf("10,000 wrong keys in %v, and %d calls with the right one, of which the slowest took %v", time.Since(began), n, slowest)
			if wrong.Load() != 10_000 {
				t.Errorf("%d wrong keys were refused", wrong.Load())
			}
			hasLine(t, s, `surewire_refused_total{reason="api_key"} 10000`)
			return
		default:
		}
	}
}

// Bodies that are too long or too deep are refused with the place, and nothing of
// them is stored.
func TestHostileBodies(t *testing.T) {
	engine := memengine.New(memengine.Config{})
	defer engine.Close(context.Background())
	_, web := open(t, server.Config{Engine: engine, InsecureAPI: true, MaxPublication: 1 << 20})
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct {
		name, method, body string
		status             int
		want               string
	}{
		{"deep", "publish", `{"channel":"c","data":` + deep(10_001) + `}`, 400, "line 1, column 10022"},
		{"deep in a batch", "batch", `{"commands":[{"publish":{"channel":"c","data":` + deep(10_001) + `}}]}`, 400, "exceeded max depth"},
		{"deep in tags", "publish", `{"channel":"c","data":1,"tags":{"a":` + deep(5000) + `}}`, 400, `field \"tags`},
		{"deep in base64", "publish", `{"channel":"c","b64data":"` + strings.Repeat("W1tb", 100_000) + `"}`, 400, "does not hold one JSON value"},
		{"long", "publish", `{"channel":"c","data":"` + strings.Repeat("x", 1<<21) + `"}`, 413, "longer than"},
		{"long in a batch", "batch", `{"commands":[{"publish":{"channel":"c","data":"` + strings.Repeat("x", 9<<20) + `"}}]}`, 413, "longer than"},
		{"many channels", "broadcast", `{"data":1,"channels":[` + strings.Repeat(`"c",`, 1<<19) + `"c"]}`, 413, "longer than"},
		{"a long method", strings.Repeat("x", 5000), `{}`, 404, "method not found"},
	} {
		status, answer := call(t, web.URL, c.method, c.body)
		if status != c.status || !strings.Contains(answer, c.want) || len(answer) > 1000 {
			t.Errorf("%s: %d %.300s, want %d with %q", c.name, status, answer, c.status, c.want)
		}
	}
	if status, answer := call(t, web.URL, "history", `{"channel":"c"}`); status != 200 || !strings.Contains(answer, `"offset":0`) {
		t.Errorf("of what was refused there is %s", answer)
	}
	// What is too deep for readers, but not for JSON, is repaired, and the answer says so.
	if status, answer := call(t, web.URL, "publish", `{"channel":"c","data":`+deep(5000)+`}`); status != 200 || !strings.Contains(answer, `"reason":"too-deep"`) {
		t.Errorf("%d %.300s", status, answer)
	}
}
