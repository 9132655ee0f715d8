package telemetry_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"go.uber.org/goleak"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hook"
	"github.com/surewire/surewire/hub"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/server"
	"github.com/surewire/surewire/telemetry"
	"github.com/surewire/surewire/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	caller  = "b7ad6b7169203331"
	sampled = "00-" + traceID + "-" + caller + "-01"
	apiKey  = "the-key-of-the-api"
)

// A world is a server whose publications are traced, and a collector.
type world struct {
	*testing.T
	*collector
	engine *memengine.Engine
	url    string
}

// newWorld starts a server, over backends at the URL backend if it is not empty.
func newWorld(t *testing.T, c telemetry.Config, backend string) *world {
	w := &world{T: t, collector: newCollector(t), engine: memengine.New(memengine.Config{})}
	c.Endpoint, c.Logger = w.collector.URL, quiet
	traces, err := telemetry.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	w.traces = traces
	p := &surewire.Publisher{Engine: w.engine, Logger: quiet}
	config := server.Config{Engine: w.engine, Publisher: p, Authorizer: access.AllowAll{}, APIKey: apiKey, Logger: quiet}
	traces.Publisher(p)
	traces.Hub(&config.Hub)
	if backend != "" {
		h, err := hook.New(hook.Config{URL: backend, Secret: "the-secret-of-the-hook", Wrap: traces.Transport, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(h.Close)
		config.Handlers = hub.Handlers{Publish: h.Publish, RPC: h.RPC}
	}
	s := server.New(config)
	web := httptest.NewServer(traces.API(s))
	w.url = web.URL
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown of the server: %v", err)
		}
		web.Close()
		if err := traces.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		w.engine.Close(context.Background())
		http.DefaultClient.CloseIdleConnections()
	})
	return w
}

// call calls a method of the API.
func call(t *testing.T, url, key, method, body, traceparent string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url+"/api/"+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-API-Key", key)
	if traceparent != "" {
		r.Header.Set("traceparent", traceparent)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// publish publishes data to channel through the API.
func (w *world) publish(channel, data, traceparent string) {
	w.T.Helper()
	if status, answer := call(w.T, w.url, apiKey, "publish", `{"channel":"`+channel+`","data":`+data+`}`, traceparent); status != http.StatusOK {
		w.T.Fatalf("%d %s", status, answer)
	}
}

// A reader is a client of the server.
type reader struct {
	*testing.T
	do func(cmds ...wire.Command)
	in <-chan wire.Reply // closed with the connection
}

// read connects a client that reads channel.
func (w *world) read(channel string) *reader {
	w.T.Helper()
	conn, _, _, err := ws.Dial(w.T.Context(), "ws"+strings.TrimPrefix(w.url, "http")+"/connection/websocket")
	if err != nil {
		w.T.Fatal(err)
	}
	in := make(chan wire.Reply, 100)
	go func() { // until conn is closed
		defer close(in)
		for {
			frame, err := wsutil.ReadServerText(conn)
			if err != nil {
				return
			}
			for r, err := range wire.Replies(frame) {
				if err != nil {
					w.T.Error(err)
				}
				in <- r
			}
		}
	}()
	w.T.Cleanup(func() { conn.Close() })
	r := &reader{T: w.T, in: in}
	r.do = func(cmds ...wire.Command) {
		w.T.Helper()
		for _, c := range cmds {
			if err := wsutil.WriteClientText(conn, wire.AppendCommand(nil, c)); err != nil {
				w.T.Fatal(err)
			}
		}
	}
	r.do(wire.Command{ID: 1, Connect: &wire.Connect{}}, wire.Command{ID: 2, Subscribe: &wire.Subscribe{Channel: channel}})
	r.await(func(r wire.Reply) bool { return r.ID == 2 })
	return r
}

// await returns the first reply that is as wanted.
func (r *reader) await(is func(wire.Reply) bool) wire.Reply {
	r.Helper()
	for got := range r.in {
		if is(got) {
			return got
		}
	}
	r.Fatal("the connection has ended")
	return wire.Reply{}
}

func (r *reader) awaitPublication() { r.await(func(r wire.Reply) bool { return r.Publication != nil }) }

// From the caller's span to the last write there is one trace.
func TestAPICall(t *testing.T) {
	w := newWorld(t, telemetry.Config{Service: "chat", Version: "1.2.3"}, "") // what begins here is not recorded
	w.read("c")
	w.publish("c", `{"a":1}`, sampled)
	spans := w.await(3)
	wantTrace(t, spans, traceID, caller+` > POST /api/publish
  publish c
    deliver c
`)
	for name, want := range map[string]string{
		"POST /api/publish": "http.request.method=POST http.response.status_code=200 http.route=/api/publish",
		"publish":           "messaging.destination.name=c messaging.message.body.size=7 messaging.operation.name=publish messaging.system=surewire",
		"deliver":           "messaging.destination.name=c messaging.operation.name=deliver messaging.system=surewire surewire.offset=1 surewire.readers=1",
	} {
		if got := attributes(named(t, spans, name).Attributes); got != want {
			t.Errorf("%s has %s\nwant %s", name, got, want)
		}
	}
	if got := w.about[0]; !strings.Contains(got, "service.name=chat service.version=1.2.3") {
		t.Errorf("the resource is %s", got)
	}
}

// A client's publication is one trace with the backend that is asked about it,
// and with what that does in return.
func TestClientCommand(t *testing.T) {
	var w *world
	heard := make(chan http.Header, 8)
	backend := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		heard <- r.Header
		if status, answer := call(t, w.url, apiKey, "publish", `{"channel":"audit","data":1}`, r.Header.Get("traceparent")); status != 200 {
			t.Errorf("%d %s", status, answer)
		}
		io.WriteString(out, `{"result":{}}`)
	}))
	defer backend.Close()
	w = newWorld(t, telemetry.Config{SampleRatio: 1}, backend.URL)
	r := w.read("c")
	begun := w.await(2) // connect, subscribe
	r.do(wire.Command{ID: 3, Publish: &wire.Publish{Channel: "c", Data: []byte(`"hello"`)}})
	r.awaitPublication()
	spans := w.await(len(begun) + 6)[len(begun):]
	wantTrace(t, spans, "", `client publish
  hook
    POST /api/publish
      publish audit
  publish c
    deliver c
`)
	asked := named(t, spans, "hook")
	if got, want := (<-heard).Get("traceparent"), "00-"+hex.EncodeToString(asked.TraceId)+"-"+hex.EncodeToString(asked.SpanId)+"-01"; got != want {
		t.Errorf("the backend was told %s, want %s", got, want)
	}
	if got := attributes(asked.Attributes); got != "http.request.method=POST http.response.status_code=200 server.address="+strings.TrimPrefix(backend.URL, "http://") {
		t.Errorf("the hook has %s", got)
	}
}

// The span of a call that is answered later ends with the answer.
func TestRPC(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		io.WriteString(out, `{"error":{"code":1234,"message":"not today"}}`)
	}))
	defer backend.Close()
	w := newWorld(t, telemetry.Config{SampleRatio: 1}, backend.URL)
	r := w.read("c")
	begun := w.await(2)
	r.do(wire.Command{ID: 3, RPC: &wire.RPC{Method: "m"}})
	r.await(func(r wire.Reply) bool { return r.ID == 3 })
	spans := w.await(len(begun) + 2)[len(begun):]
	wantTrace(t, spans, "", "client rpc\n  hook\n")
	rpc, asked := named(t, spans, "client rpc"), named(t, spans, "hook")
	if got := attribute(rpc, "error.type"); got != "1234" {
		t.Errorf("error.type is %q", got)
	}
	if rpc.EndTimeUnixNano < asked.EndTimeUnixNano {
		t.Error("the call ended before the backend was asked")
	}
}

// What the caller does not record is not recorded here, whatever the ratio; and
// of what begins here there are as many traces as the ratio says.
func TestSampling(t *testing.T) {
	for _, c := range []struct {
		name, traceparent string
		ratio             float64
		want              int // spans
	}{
		{"the caller records", sampled, 0, 3},
		{"the caller does not", strings.TrimSuffix(sampled, "1") + "0", 1, 0},
		{"there is no trace, and all are recorded", "", 1, 3},
		{"there is no trace, and none is recorded", "", 0, 0},
		{"the header is none", "00-" + traceID + "-xyz-01", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, telemetry.Config{SampleRatio: c.ratio}, "")
			r := w.read("c")
			begun := 2 * int(c.ratio)
			w.await(begun)
			w.publish("c", "1", c.traceparent)
			r.awaitPublication()
			w.publish("other", "1", "00-11111111111111111111111111111111-"+caller+"-01") // the last
			spans := w.await(begun + c.want + 2)
			if got := len(spans) - begun - 2; got != c.want {
				t.Errorf("%d spans, want %d:\n%s", got, c.want, tree(spans))
			}
		})
	}
}

// What an engine brings that is not a trace, or one that is not recorded, begins none.
func TestForeignTraces(t *testing.T) {
	w := newWorld(t, telemetry.Config{SampleRatio: 1}, "")
	r := w.read("c")
	w.await(2)
	for _, parent := range []string{"", "garbage", strings.TrimSuffix(sampled, "1") + "0", sampled} {
		if _, err := w.engine.Publish(t.Context(), "c", surewire.Publication{Data: []byte("1"), Trace: &surewire.Trace{Parent: parent}}); err != nil {
			t.Fatal(err)
		}
		r.awaitPublication()
	}
	wantTrace(t, w.await(3)[2:], traceID, caller+" > deliver c\n")
}

// Who may not call makes no span, and names none.
func TestRefusedCallers(t *testing.T) {
	w := newWorld(t, telemetry.Config{SampleRatio: 1}, "")
	for _, c := range []struct{ key, method string }{{"wrong", "publish"}, {"", "publish"}, {apiKey, "no-such-method"}, {apiKey, "a/b"}} {
		if status, answer := call(t, w.url, c.key, c.method, `{"channel":"c","data":1}`, sampled); status == 200 {
			t.Errorf("%d %s", status, answer)
		}
	}
	if status, _ := call(t, w.url, apiKey, "publish", `{"channel":"c"}`, sampled); status != 400 {
		t.Errorf("a bad request got status %d", status)
	}
	spans := w.await(1)
	wantTrace(t, spans, traceID, caller+" > POST /api/publish\n")
	if got := attribute(spans[0], "http.response.status_code"); got != "400" {
		t.Errorf("the status is %s", got)
	}
}

// A span says what kind of error there was, and quotes nobody.
func TestErrors(t *testing.T) {
	w := newWorld(t, telemetry.Config{SampleRatio: 1}, "")
	w.engine.Close(t.Context())
	if status, _ := call(t, w.url, apiKey, "publish", `{"channel":"c","data":1}`, sampled); status != http.StatusServiceUnavailable {
		t.Errorf("the status is %d", status)
	}
	spans := w.await(2)
	if got := attribute(named(t, spans, "publish"), "error.type"); got != "closed" {
		t.Errorf("error.type is %q", got)
	}
	for _, s := range spans {
		if s.Status.GetCode().String() != "STATUS_CODE_ERROR" || s.Status.GetMessage() != "" || len(s.Events) > 0 {
			t.Errorf("%s: %v, %v", s.Name, s.Status, s.Events)
		}
	}
}

// Nothing that is secret, or of the users, is in what leaves.
func TestNoSecrets(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		io.WriteString(out, `{"error":{"code":4000,"message":"the-words-of-the-backend"}}`)
	}))
	defer backend.Close()
	w := newWorld(t, telemetry.Config{SampleRatio: 1}, backend.URL+"/the-path-of-the-hook?key=the-query-of-the-hook")
	r := w.read("c")
	w.publish("c", `"the-payload"`, sampled)
	r.do(wire.Command{ID: 3, Publish: &wire.Publish{Channel: "c", Data: []byte(`"the-payload"`)}},
		wire.Command{ID: 4, Refresh: &wire.Refresh{Token: "the-token"}})
	w.await(2 + 3 + 2 + 1)
	for _, secret := range []string{"the-", apiKey} {
		if at := bytes.Index(w.raw, []byte(secret)); at >= 0 {
			t.Errorf("%q is in what was exported: …%.60q", secret, w.raw[max(0, at-20):])
		}
	}
	if !bytes.Contains(w.raw, []byte("client refresh")) {
		t.Error("what was exported was not looked at")
	}
}
