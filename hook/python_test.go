package hook

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/wire"
)

const secret = "shared with Python"

// A python is a process of testdata/backend.py.
type python struct {
	t    *testing.T
	cmd  *exec.Cmd
	port string // once it has run
}

func startPython(t *testing.T) *python {
	t.Helper()
	p := &python{t: t}
	p.start()
	t.Cleanup(p.kill)
	return p
}

// start starts the process, on the port that it had before.
func (p *python) start() {
	p.t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		p.t.Fatal("python3 is missing: this test needs it, for it shows that a backend in Python works; install the package python3")
	}
	for tries := 0; ; tries++ {
		p.cmd = exec.Command(path, "testdata/backend.py")
		if p.port != "" {
			p.cmd.Args = append(p.cmd.Args, p.port)
		}
		p.cmd.Env = append(os.Environ(), "HOOK_SECRET="+secret)
		var complaints bytes.Buffer
		p.cmd.Stderr = &complaints
		out, err := p.cmd.StdoutPipe()
		if err != nil {
			p.t.Fatal(err)
		}
		if err := p.cmd.Start(); err != nil {
			p.t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err == nil {
			p.port = strings.TrimSpace(line)
			return
		}
		p.kill()
		if p.port == "" || tries == 50 { // else another process has the port for a moment
			p.t.Fatalf("the backend did not start: %v\n%s", err, &complaints)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// kill ends the process as a crash does.
func (p *python) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

func (p *python) url(path string) string { return "http://127.0.0.1:" + p.port + path }

func (p *python) client(path string, cfg Config) *Client {
	cfg.URL = p.url(path)
	cfg.Timeout = time.Minute // the machine may be busy
	if cfg.Secret == "" {
		cfg.Secret = secret
	}
	return newClient(p.t, cfg)
}

func TestPythonAnswers(t *testing.T) {
	p := startPython(t)
	ctx := t.Context()
	c := p.client("/connect", Config{PassHeaders: []string{"Cookie"}})
	r := access.ConnectRequest{Client: access.Client{ID: "c1"}, Peer: access.Peer{Header: http.Header{"Cookie": {"a=b; session=ada"}}}}
	session, err := c.Connect(ctx, r)
	want := access.Session{User: "ada", Info: raw(`{"name": "Ada"}`), Subs: map[string]access.Grant{"news": {}}}
	if err != nil || !reflect.DeepEqual(session, want) {
		t.Errorf("connect: %+v, %v", session, err)
	}
	r.Peer.Header = nil
	if _, err := c.Connect(ctx, r); err != error(surewire.Disconnect{Code: 4501, Reason: "log in first"}) {
		t.Errorf("connect without a session: %v", err)
	}

	c = p.client("/subscribe", Config{})
	if g, err := c.Subscribe(ctx, ada, access.SubscribeRequest{Channel: "user:ada"}); err != nil || !g.Presence {
		t.Errorf("subscribe: %+v, %v", g, err)
	}
	_, err = c.Subscribe(ctx, ada, access.SubscribeRequest{Channel: "user:bob"})
	isRefusal(t, err, 403)

	c = p.client("/publish", Config{})
	pub := surewire.Publication{Data: raw(`{"text": "grüß dich"}`)}
	if err := c.Publish(ctx, ada, "chat", &pub); err != nil || string(pub.Data) != `{"text": "GR\u00dcSS DICH"}` || pub.Tags["by"] != "ada" {
		t.Errorf("publish: %s, %v, %v", pub.Data, pub.Tags, err)
	}
	pub = surewire.Publication{Data: raw(`{"text":"damn"}`)}
	isRefusal(t, c.Publish(ctx, ada, "chat", &pub), 400)

	c = p.client("/rpc", Config{})
	if sum, err := c.RPC(ctx, ada, "sum", raw(`[9007199254740993, 1]`)); err != nil || !reflect.DeepEqual(sum, raw("9007199254740994")) {
		t.Errorf("rpc: %s, %v", sum, err)
	}
	_, err = c.RPC(ctx, ada, "product", raw(`[]`))
	isRefusal(t, err, 404)

	if err := p.client("/message", Config{}).Message(ctx, ada, raw(`{"text":"hello from a browser"}`)); err != nil {
		t.Errorf("message: %v", err)
	}
	res, err := http.Get(p.url("/heard"))
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer res.Body.Close()
	if heard, _ := io.ReadAll(res.Body); string(heard) != `[{"text": "hello from a browser"}]` {
		t.Errorf("Python heard %s", heard)
	}
}

func isRefusal(t *testing.T, err error, code uint32) {
	t.Helper()
	var e *wire.Error
	if !errors.As(err, &e) || e.Code != code || e.Temporary {
		t.Errorf("error is %#v, want code %d", err, code)
	}
}

func TestPythonVerifiesSignatures(t *testing.T) {
	p := startPython(t)
	for range 10 {
		c := p.client("/rpc", Config{Secret: "another"})
		if _, err := c.RPC(t.Context(), ada, "sum", raw("[1]")); err != error(wire.ErrInternal) {
			t.Fatalf("a request signed with another secret was answered: %v", err)
		}
	}
	defer http.DefaultClient.CloseIdleConnections()
	body := `{"client":"c1","user":"ada","method":"sum","data":[1]}`
	now := time.Now()
	good := sign(secret, now, []byte(body))
	for name, c := range map[string]struct {
		signature, body string
		status          int
	}{
		"genuine":         {good, body, 200},
		"none":            {"", body, 401},
		"another body":    {good, strings.Replace(body, "ada", "bob", 1), 401},
		"old":             {sign(secret, now.Add(-301*time.Second), []byte(body)), body, 401},
		"of the future":   {sign(secret, now.Add(400*time.Second), []byte(body)), body, 401},
		"another time":    {strings.Replace(good, "t=1", "t=2", 1), body, 401},
		"cut":             {good[:len(good)-1], body, 401},
		"not ASCII":       {good[:len(good)-1] + "é", body, 401},
		"of another form": {"v1", body, 401},
	} {
		r, _ := http.NewRequest(http.MethodPost, p.url("/rpc"), strings.NewReader(c.body))
		r.Header.Set(SignatureHeader, c.signature)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		res.Body.Close()
		if res.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d", name, res.StatusCode, c.status)
		}
	}
}

// What the documentation tells Python to do is what the tests have done.
func TestTheDocumentationIsRun(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	ran, err := os.ReadFile("testdata/backend.py")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(doc), "//\tdef genuine")
	function, _, _ := strings.Cut(after, "//\n")
	if function = "def genuine" + strings.ReplaceAll(function, "//\t", ""); !ok || strings.Count(function, "\n") != 4 || !strings.Contains(string(ran), function) {
		t.Errorf("testdata/backend.py does not have\n%s", function)
	}
}

// A backend that is killed in mid-use costs its callers temporary errors and
// nobody else anything; the breaker opens, and closes when it is back.
func TestPythonIsKilledInMidUse(t *testing.T) {
	p, well := startPython(t), startPython(t)
	c := p.client("/rpc", Config{OpenFor: 100 * time.Millisecond})
	other := well.client("/rpc", Config{})
	stop := make(chan struct{})
	var callers sync.WaitGroup
	defer callers.Wait()
	defer close(stop)
	use := func(c *Client, check func(any, error)) {
		for {
			select {
			case <-stop:
				return
			default:
				check(c.RPC(t.Context(), ada, "sum", raw("[1,2]")))
				time.Sleep(time.Millisecond)
			}
		}
	}
	const users = 8
	for range users {
		callers.Go(func() { // ends with stop
			use(c, func(sum any, err error) {
				if err != error(wire.ErrInternal) && (err != nil || !reflect.DeepEqual(sum, raw("3"))) {
					t.Errorf("%s, %v", sum, err)
				}
			})
		})
	}
	callers.Go(func() { // ends with stop
		use(other, func(sum any, err error) {
			if err != nil {
				t.Errorf("another backend: %v", err)
			}
		})
	})
	await := func(what string, ok func(Stats) bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !ok(c.Stats()); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: not within a minute: %+v", what, c.Stats())
			}
		}
	}
	await("use", func(s Stats) bool { return s.Calls > 50 })
	if s := c.Stats(); s.Failures != 0 {
		t.Fatalf("before: %+v", s)
	}
	for n := range uint64(2) {
		p.kill()
		opened := c.Stats().Opened
		await("open", func(s Stats) bool { return s.State == Open && s.Opened > opened+3 && s.Rejected > 0 })
		asked := other.Stats().Calls
		await("the other goes on", func(Stats) bool { return other.Stats().Calls > asked+20 })
		p.start()
		await("closed", func(s Stats) bool { return s.State == Closed })
		before := c.Stats()
		await("use again", func(s Stats) bool { return s.Calls > before.Calls+50 })
		if s := c.Stats(); s.Failures > before.Failures+users || s.State != Closed { // a call each may have been refused just before
			t.Errorf("round %d, afterwards: %+v, then %+v", n, before, s)
		}
	}
}
