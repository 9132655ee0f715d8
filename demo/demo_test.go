package demo

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/wire"
)

// newDemo returns the handler, over an engine in memory.
func newDemo(t *testing.T) (http.Handler, surewire.Engine) {
	t.Helper()
	engine := memengine.New(memengine.Config{})
	t.Cleanup(func() { _ = engine.Close(context.Background()) })
	return Handler(&surewire.Publisher{Engine: engine}), engine
}

// do sends a request and reads the answer as JSON into out, unless out is nil.
func do(t *testing.T, h http.Handler, method, path string, out any, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if out != nil {
		if got := w.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("%s %s: Content-Type %q", method, path, got)
		}
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
		}
	}
	return w
}

type receipt struct {
	Name   string
	Go     string
	Offset uint64
	Epoch  string
	Report struct {
		Repairs []struct {
			Pointer, Reason, Wrote, Detail string
			GoType                         string `json:"go_type"`
		}
		Total int
	}
}

// TestPublish publishes each value, and compares the JSON that the engine keeps
// and the places of the repairs.
func TestPublish(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		repairs    []string // "pointer reason"
	}{
		{"enum", `{"user":"ada","state":"connected","tabs":2}`, nil},
		{"enum-key", `{"by_state":{"connected":7,"draining":1},"room":"lobby","total":8}`, nil},
		{"nan", `{"count":0,"max":null,"mean":null,"sensor":"t-17"}`, []string{"/max non-finite", "/mean non-finite"}},
		{"cycle", `{"online":true,"peers":{"name":"ada","next":{"name":"bob","next":null}}}`, []string{"/peers/next/next cycle"}},
		{"channel", `{"cancel":null,"done":null,"job":"import","rows":1250}`, []string{"/cancel unsupported", "/done unsupported"}},
		{"error", `{"error":"upstream closed the stream","step":"fetch","tries":3}`, nil},
		{"panic", `{"before":"fine","payload":null,"zafter":[1,2,3]}`, []string{"/payload method-panic"}},
		{"big-integer", `{"lines":4,"next":"9223372036854775809","order":"9223372036854775808"}`, []string{"/next big-integer", "/order big-integer"}},
		{"everything", `{"user":"ada","state":"connected","rooms":{"connecting":2},"load":[0.5,null,null,0.25],"ring":{"name":"ada","next":null},` +
			`"done":null,"retry":null,"err":"no route to model","payload":null,"id":"9223372036854775808","since":"2026-01-02T03:04:05Z","note":"still here"}`,
			[]string{"/done unsupported", "/id big-integer", "/load/1 non-finite", "/load/2 non-finite", "/payload method-panic", "/retry unsupported", "/ring/next cycle"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, engine := newDemo(t)
			var got receipt
			if w := do(t, h, "POST", "/demo/hostile/"+tt.name, &got); w.Code != http.StatusOK {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			kept, err := engine.History(t.Context(), Channel, surewire.Position{}, 10)
			if err != nil || len(kept.Messages) != 1 {
				t.Fatalf("engine has %d messages, error %v", len(kept.Messages), err)
			}
			m := kept.Messages[0]
			if string(m.Data) != tt.want {
				t.Errorf("engine has\n%s, want\n%s", m.Data, tt.want)
			}
			if m.Tags["value"] != tt.name || got.Name != tt.name || got.Offset != 1 || got.Epoch != m.Position.Epoch || got.Epoch == "" {
				t.Errorf("tags %v, answer %+v", m.Tags, got)
			}
			var places []string
			for _, r := range got.Report.Repairs {
				places = append(places, r.Pointer+" "+r.Reason)
				if r.GoType == "" || r.Wrote == "" {
					t.Errorf("repair %+v lacks a word", r)
				}
			}
			slices.Sort(places)
			if !slices.Equal(places, tt.repairs) || got.Report.Total != len(tt.repairs) {
				t.Errorf("repairs %q (total %d), want %q", places, got.Report.Total, tt.repairs)
			}
		})
	}
}

func TestRepairsAreAnArray(t *testing.T) {
	h, _ := newDemo(t)
	if w := do(t, h, "POST", "/demo/hostile/enum", nil); !strings.Contains(w.Body.String(), `"repairs":[]`) {
		t.Errorf("a page that loops over the repairs would fail on %s", w.Body)
	}
}

func TestList(t *testing.T) {
	h, engine := newDemo(t)
	var got struct {
		Values []struct {
			Name, Title, Go string
			Stdlib          struct{ Outcome, Text, Note string }
		}
	}
	do(t, h, "GET", "/demo/hostile", &got)
	want := map[string][2]string{ // outcome and what the text contains
		"enum":        {"json", `"state":1`},
		"enum-key":    {"json", `{"1":7,"2":1}`},
		"nan":         {"error", "unsupported value"},
		"cycle":       {"error", "cycle"},
		"channel":     {"error", "unsupported type"},
		"error":       {"json", `"error":{}`},
		"panic":       {"panic", "the marshaler blew up"},
		"big-integer": {"json", "9223372036854775808"},
		"everything":  {"error", "json: "},
	}
	if len(got.Values) != len(want) {
		t.Errorf("%d values, want %d", len(got.Values), len(want))
	}
	for _, v := range got.Values {
		w := want[v.Name]
		if v.Stdlib.Outcome != w[0] || !strings.Contains(v.Stdlib.Text, w[1]) {
			t.Errorf("%s: encoding/json is said to give %+v, want %q", v.Name, v.Stdlib, w)
		}
		if v.Title == "" || v.Stdlib.Note == "" || !strings.Contains(v.Go, "return ") || strings.Contains(v.Go, "\t") || strings.Contains(v.Go, "func "+v.Name) {
			t.Errorf("%s: title %q, note %q, source\n%s", v.Name, v.Title, v.Stdlib.Note, v.Go)
		}
	}
	if kept, err := engine.History(t.Context(), Channel, surewire.Position{}, 1); err != nil || len(kept.Messages) != 0 {
		t.Errorf("listing published %d messages, error %v", len(kept.Messages), err)
	}
}

func TestUnknownValue(t *testing.T) {
	h, _ := newDemo(t)
	var got struct {
		Error string
		Names []string
	}
	if w := do(t, h, "POST", "/demo/hostile/nothing", &got); w.Code != http.StatusNotFound {
		t.Errorf("status %d", w.Code)
	}
	if got.Error == "" || !slices.Equal(got.Names, names()) {
		t.Errorf("answer %+v", got)
	}
}

func TestOnlyPostPublishes(t *testing.T) {
	h, engine := newDemo(t)
	for _, tt := range [][2]string{
		{"GET", "/demo/hostile/nan"}, {"HEAD", "/demo/hostile/nan"}, {"PUT", "/demo/hostile/nan"}, {"DELETE", "/demo/hostile/nan"},
		{"POST", "/demo/hostile"}, {"POST", "/"}, {"PUT", "/app.js"},
	} {
		w := do(t, h, tt[0], tt[1], nil)
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
			t.Errorf("%s %s: status %d, Allow %q", tt[0], tt[1], w.Code, w.Header().Get("Allow"))
		}
	}
	if kept, err := engine.History(t.Context(), Channel, surewire.Position{}, 1); err != nil || len(kept.Messages) != 0 {
		t.Errorf("%d messages were published, error %v", len(kept.Messages), err)
	}
}

// TestOtherSites sends what a browser sends when a page of another site posts
// to this server.
func TestOtherSites(t *testing.T) {
	h, _ := newDemo(t)
	for site, want := range map[string]int{"cross-site": http.StatusForbidden, "same-site": http.StatusForbidden, "same-origin": http.StatusOK} {
		if w := do(t, h, "POST", "/demo/hostile/enum", nil, "Sec-Fetch-Site", site); w.Code != want {
			t.Errorf("%s: status %d, want %d", site, w.Code, want)
		}
	}
}

// failing is an engine that cannot store.
type failing struct{ surewire.Engine }

func (failing) Publish(context.Context, string, surewire.Publication) (surewire.Published, error) {
	return surewire.Published{}, surewire.ErrUnavailable
}

func TestEngineFails(t *testing.T) {
	var got struct{ Error string }
	h := Handler(&surewire.Publisher{Engine: failing{}})
	if w := do(t, h, "POST", "/demo/hostile/enum", &got); w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d", w.Code)
	}
	if got.Error != surewire.ErrUnavailable.Error() {
		t.Errorf("error %q", got.Error)
	}
}

func TestPages(t *testing.T) {
	h, _ := newDemo(t)
	for path, contentType := range map[string]string{
		"/": "text/html; charset=utf-8", "/index.html": "text/html; charset=utf-8", "/app.js": "text/javascript; charset=utf-8",
		"/style.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml", "/licenses.txt": "text/plain; charset=utf-8",
	} {
		w := do(t, h, "GET", path, nil)
		header := w.Header()
		if w.Code != http.StatusOK || w.Body.Len() == 0 || header.Get("Content-Type") != contentType {
			t.Errorf("%s: status %d, %d bytes of %q", path, w.Code, w.Body.Len(), header.Get("Content-Type"))
		}
		if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: header %v", path, header)
		}
		again := do(t, h, "GET", path, nil, "If-None-Match", header.Get("ETag"))
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s: asked again with %q: status %d", path, header.Get("ETag"), again.Code)
		}
		if head := do(t, h, "HEAD", path, nil); head.Code != http.StatusOK || head.Body.Len() != 0 {
			t.Errorf("HEAD %s: status %d, %d bytes", path, head.Code, head.Body.Len())
		}
	}
	for _, path := range []string{"/nothing", "/dist/app.js", "/../demo.go", "/demo/hostile/nan/x"} {
		if w := do(t, h, "GET", path, nil); w.Code == http.StatusOK {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
}

// TestPageObeysItsPolicy looks for what the policy would block.
func TestPageObeysItsPolicy(t *testing.T) {
	h, _ := newDemo(t)
	html := do(t, h, "GET", "/", nil).Body.String()
	for _, bad := range []string{"<style", " style=", " onclick=", "javascript:", "http://", "https://", "<script>"} {
		if strings.Contains(html, bad) {
			t.Errorf("index.html contains %s", bad)
		}
	}
	js := do(t, h, "GET", "/app.js", nil).Body.String()
	for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"} {
		if strings.Contains(js, bad) {
			t.Errorf("app.js contains %s", bad)
		}
	}
}

func TestConnStateNames(t *testing.T) {
	for state, want := range map[ConnState]string{Connecting: "connecting", Closed: "closed", 9: "ConnState(9)", -1: "ConnState(-1)"} {
		if got := state.String(); got != want {
			t.Errorf("ConnState(%d) is %q, want %q", int(state), got, want)
		}
	}
}

func TestEveryFileHasAType(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a file without a content type is served")
		}
	}()
	newPages(fstest.MapFS{"dist/page.wasm": {}})
}

// TestHandlers asks what the page relies on: that typing is not kept, and that
// an rpc answers.
func TestHandlers(t *testing.T) {
	h := Handlers()
	for channel, ephemeral := range map[string]bool{"typing:lobby": true, "chat:lobby": false, "typing": false} {
		p := surewire.Publication{Data: []byte(`1`)}
		if err := h.Publish(t.Context(), access.Client{}, channel, &p); err != nil || p.Ephemeral != ephemeral || string(p.Data) != `1` {
			t.Errorf("%s: error %v, publication %+v", channel, err, p)
		}
	}
	if got, err := h.RPC(t.Context(), access.Client{}, "echo", []byte(`{"a":1}`)); err != nil || string(got.(json.RawMessage)) != `{"a":1}` {
		t.Errorf("echo: %s, error %v", got, err)
	}
	if _, err := h.RPC(t.Context(), access.Client{}, "other", nil); err != wire.ErrMethodNotFound {
		t.Errorf("other: error %v", err)
	}
}
