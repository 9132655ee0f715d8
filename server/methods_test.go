package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/client"
	"github.com/surewire/surewire/server"
)

// call posts body to a method of the API and returns the answer.
func call(t *testing.T, url, method, body string) (int, string) {
	t.Helper()
	resp, err := http.Post(url+"/api/"+method, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(b))
}

// random is what differs from run to run in an answer.
var random = regexp.MustCompile(`[A-Z0-9]{26}|"epoch":"[^"]+"|"uptime":\d+|"name":"[^"]*"`)

func TestAPI(t *testing.T) {
	_, web := open(t, server.Config{InsecureAPI: true, Authorizer: access.Funcs{
		OnConnect: func(_ context.Context, r access.ConnectRequest) (access.Session, error) {
			return access.Session{User: r.Token, Info: map[string]int{"n": 1}}, nil
		},
		OnSubscribe: access.AllowAll{}.Subscribe,
	}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan string, 2)
	ready, retried := make(chan bool, 8), make(chan error, 8)
	for _, user := range []string{"ada", "bob"} {
		go func() {
			c := &client.Client{Endpoint: web.URL, Token: user, OnSubscribed: func(string, surewire.Position) { ready <- true },
				OnRetry: func(err error, _ time.Duration) { retried <- err }}
			for _, err := range c.Tail(ctx, "chat:1", nil) {
				if err != nil {
					ended <- fmt.Sprint(user, ": ", err)
				}
			}
			ended <- user
		}()
		<-ready
	}
	document := describe(t, server.OpenAPI())
	for _, c := range []struct {
		method, body string
		status       int
		want         string // the answer, without what is random; or part of it, after …
	}{
		{"publish", `{"channel":"chat:1","data":{"a":1},"tags":{"k":"v"}}`, 200, `{"result":{"offset":1,EPOCH}}`},
		{"publish", `{"channel":"chat:1","b64data":"eyJhIjoyfQ=="}`, 200, `{"result":{"offset":2,EPOCH}}`},
		{"publish", `{"channel":"chat:1","b64data":"eyJh"}`, 400, `…does not hold one JSON value`},
		{"publish", `{"channel":"chat:1","b64data":"?"}`, 400, `…is not base64`},
		{"broadcast", `{"channels":["chat:1","a b","x"],"data":3}`, 200, `{"result":{"responses":[{"result":{"offset":3,EPOCH}},` +
			`{"error":{"code":107,"message":"bad channel name: U+0020 at offset 1 is not allowed"}},{"result":{"offset":1,EPOCH}}]}}`},
		{"broadcast", `{"channels":[],"data":3}`, 400, `…\"channels\" is missing`},
		{"history", `{"channel":"chat:1","limit":2}`, 200, `{"result":{"publications":[{"data":{"a":1},"offset":1,"tags":{"k":"v"}},{"data":{"a":2},"offset":2}],EPOCH,"offset":3}}`},
		{"history", `{"channel":"chat:1","limit":2,"reverse":true}`, 200, `{"result":{"publications":[{"data":3,"offset":3},{"data":{"a":2},"offset":2}],EPOCH,"offset":3}}`},
		{"history", `{"channel":"chat:1","limit":-1,"reverse":true,"since":{"offset":2,"epoch":""}}`, 200, `{"result":{"publications":[{"data":{"a":1},"offset":1,"tags":{"k":"v"}}],EPOCH,"offset":3}}`},
		{"history", `{"channel":"chat:1"}`, 200, `{"result":{"publications":[],EPOCH,"offset":3}}`},
		{"history", `{"channel":"chat:1","limit":1,"since":{"offset":1,"epoch":"other"}}`, 200, `{"error":{"code":112,"message":"unrecoverable position"}}`},
		{"history", `{"channel":"chat:1","limit":1,"reverse":true,"since":{"offset":0}}`, 400, `…nothing is before offset 0`},
		{"history", `{"channel":""}`, 400, `…bad channel name`},
		{"presence_stats", `{"channel":"chat:1"}`, 200, `{"result":{"num_clients":2,"num_users":2}}`},
		{"presence", `{"channel":"chat:1"}`, 200, `…"user":"ada","client":"ID","conn_info":{"n":1}`},
		{"presence", `{"channel":"nobody"}`, 200, `{"result":{"presence":{}}}`},
		{"channels", `{}`, 200, `{"result":{"channels":{"chat:1":{"num_clients":2}}}}`},
		{"channels", `{"pattern":"*:1"}`, 200, `{"result":{"channels":{"chat:1":{"num_clients":2}}}}`},
		{"channels", `{"pattern":"c*x*"}`, 200, `{"result":{"channels":{}}}`},
		{"info", `{}`, 200, `{"result":{"nodes":[{"uid":"ID",NAME,"version":"","num_clients":2,"num_users":2,"num_channels":1,"num_subs":2,UPTIME}]}}`},
		{"subscribe", `{"user":"ada","channel":"more","data":{"x":1},"info":2,"override":{"presence":{"value":true}}}`, 200, `{"result":{}}`},
		{"presence", `{"channel":"more"}`, 200, `…"user":"ada","client":"ID","conn_info":{"n":1},"chan_info":2`},
		{"subscribe", `{"user":"ada","channel":"a b"}`, 400, `…bad channel name`},
		{"unsubscribe", `{"user":"ada","channel":"more"}`, 200, `{"result":{}}`},
		{"channels", `{"pattern":"more"}`, 200, `{"result":{"channels":{}}}`},
		{"refresh", `{"user":"ada","expire_at":9999999999}`, 200, `{"result":{}}`},
		{"disconnect", `{"user":"ada","disconnect":{"code":1000,"reason":""}}`, 400, `…a disconnect has a code from 3000 to 4999`},
		{"disconnect", `{"user":"ada","session":"s"}`, 200, `…"code":108`},
		{"batch", `{"commands":[{"publish":{"channel":"b","data":1}},{"presence_stats":{"channel":"chat:1"}},{"nope":{}},{"publish":{"channel":"b"}}]}`, 200,
			`{"replies":[{"publish":{"offset":1,EPOCH}},{"presence_stats":{"num_clients":2,"num_users":2}},` +
				`{"error":{"code":107,"message":"bad request: a command has one member, a method's name and its request"}},` +
				`{"error":{"code":107,"message":"bad request: field \"data\" is missing: give one JSON value"}}]}`},
		{"history_remove", `{"channel":"nope nope"}`, 400, `…bad channel name`},
		{"nope", `{}`, 404, `…there are batch, broadcast, channels`},
		{"presence", `{"chanel":"c"}`, 400, `…unknown field \"chanel\"; fields are channel`},
		{"disconnect", `{"user":"ada"}`, 200, `{"result":{}}`},
	} {
		status, got := call(t, web.URL, c.method, c.body)
		if status != http.StatusNotFound {
			document.holds(t, c.method, c.body, status, got)
		}
		got = random.ReplaceAllStringFunc(got, func(s string) string {
			switch {
			case strings.HasPrefix(s, `"epoch"`):
				return "EPOCH"
			case strings.HasPrefix(s, `"uptime"`):
				return "UPTIME"
			case strings.HasPrefix(s, `"name"`):
				return "NAME"
			}
			return "ID"
		})
		part, isPart := strings.CutPrefix(c.want, "…")
		if status != c.status || !isPart && got != c.want || isPart && !strings.Contains(got, part) {
			t.Errorf("%s %s:\n got %d %s\nwant %d %s", c.method, c.body, status, got, c.status, c.want)
		}
		if !json.Valid([]byte(got)) && status != 200 {
			t.Errorf("%s: %s", c.method, got)
		}
	}
	if got := <-ended; got != "ada: disconnect 3503: force disconnect" {
		t.Errorf("the first to end: %s", got)
	}
	<-ended
	if status, got := call(t, web.URL, "refresh", `{"user":"bob","expired":true}`); status != 200 {
		t.Errorf("refresh: %s", got)
	}
	if err := <-retried; !errors.Is(err, surewire.DisconnectExpired) {
		t.Errorf("after refresh the other was told %v", err)
	}
	cancel()
	<-ended
}

func FuzzAPI(f *testing.F) {
	for _, seed := range [][2]string{
		{"publish", `{"channel":"c","data":1,"tags":{"a":"b"}}`}, {"broadcast", `{"channels":["a","b"],"data":1}`},
		{"history", `{"channel":"c","limit":3,"since":{"offset":1,"epoch":"e"},"reverse":true}`}, {"batch", `{"commands":[{"info":{}}]}`},
		{"disconnect", `{"user":"u","disconnect":{"code":4500,"reason":"x"},"whitelist":["a"]}`}, {"subscribe", `{"user":"u","channel":"c","override":null}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, method, body string) {
		if strings.ContainsAny(method, "/?#%. ") || method == "" || len(method) > 20 {
			return
		}
		_, web := open(t, server.Config{InsecureAPI: true})
		req, err := http.NewRequest(http.MethodPost, web.URL+"/api/"+method, strings.NewReader(body))
		if err != nil {
			return
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return
		}
		defer resp.Body.Close()
		answer, _ := io.ReadAll(resp.Body)
		if resp.StatusCode >= 500 || !json.Valid(answer) {
			t.Errorf("%s %q: %d %s", method, body, resp.StatusCode, answer)
		}
	})
}
