package hook

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/wire"
)

var (
	ada   = access.Client{ID: "c1", User: "ada", Info: []byte(`{"name":"Ada"}`)}
	opens = `{"client":"c1","transport":"websocket","protocol":"json","encoding":"json"`
	raw   = func(s string) json.RawMessage { return json.RawMessage(s) }
	b64   = func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
)

// calls are the events as they are asked, each with data of its own.
var calls = map[string]func(ctx context.Context, c *Client) (any, error){
	"connect": func(ctx context.Context, c *Client) (any, error) {
		return c.Connect(ctx, access.ConnectRequest{
			Client: access.Client{ID: "c1"}, Token: "a token", Data: raw(`{"n":9007199254740993}`), Name: "js", Version: "5.7.1",
		})
	},
	"connect bare": func(ctx context.Context, c *Client) (any, error) {
		return c.Connect(ctx, access.ConnectRequest{Client: access.Client{ID: "c1"}})
	},
	"refresh": func(ctx context.Context, c *Client) (any, error) {
		return c.Refresh(ctx, access.ConnectRequest{Client: ada, Refresh: true})
	},
	"subscribe": func(ctx context.Context, c *Client) (any, error) {
		return c.Subscribe(ctx, ada, access.SubscribeRequest{Channel: "chat:1", Token: "sub token", Data: raw(`[1, 2]`)})
	},
	"sub_refresh": func(ctx context.Context, c *Client) (any, error) {
		return c.SubRefresh(ctx, ada, access.SubscribeRequest{Channel: "chat:1", Refresh: true})
	},
	"publish": func(ctx context.Context, c *Client) (any, error) {
		p := surewire.Publication{Data: raw(`"<hi>"`), ID: "own", Tags: map[string]string{"a": "b"}}
		err := c.Publish(ctx, ada, "chat:1", &p)
		return p, err
	},
	"rpc": func(ctx context.Context, c *Client) (any, error) {
		return c.RPC(ctx, ada, "sum", raw(`{"of":[1,2]}`))
	},
	"rpc bare": func(ctx context.Context, c *Client) (any, error) { return c.RPC(ctx, access.Client{ID: "c1"}, "", nil) },
	"message": func(ctx context.Context, c *Client) (any, error) {
		return nil, c.Message(ctx, ada, raw(`{"text":"hello"}`))
	},
}

func TestRequests(t *testing.T) {
	for name, want := range map[string]string{
		"connect":      opens + `,"data":{"n":9007199254740993},"name":"js","version":"5.7.1"}`,
		"connect bare": opens + `}`,
		"refresh":      opens + `,"user":"ada"}`,
		"subscribe":    opens + `,"user":"ada","channel":"chat:1","token":"sub token","data":[1, 2]}`,
		"sub_refresh":  opens + `,"user":"ada","channel":"chat:1"}`,
		"publish":      opens + `,"user":"ada","channel":"chat:1","data":"<hi>"}`,
		"rpc":          opens + `,"user":"ada","method":"sum","data":{"of":[1,2]}}`,
		"rpc bare":     opens + `,"user":""}`,
		"message":      opens + `,"user":"ada","data":{"text":"hello"}}`,
	} {
		var got, kind, method string
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			got, kind, method = string(body), r.Header.Get("Content-Type"), r.Method
			io.WriteString(w, `{"result":{}}`)
		}))
		c := newClient(t, Config{URL: web.URL})
		if _, err := calls[name](t.Context(), c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		c.Close()
		web.Close()
		if got != want && compact(got) != compact(want) {
			t.Errorf("%s sends\n%s, want\n%s", name, got, want)
		}
		if kind != "application/json" || method != http.MethodPost {
			t.Errorf("%s: %s with Content-Type %s", name, method, kind)
		}
	}
}

func compact(s string) string { return strings.ReplaceAll(s, " ", "") }

// None is what a call returns beside an error.
func none(event string) any {
	switch event {
	case "connect", "connect bare", "refresh":
		return access.Session{}
	case "subscribe", "sub_refresh":
		return access.Grant{}
	case "publish":
		return surewire.Publication{Data: raw(`"<hi>"`), ID: "own", Tags: map[string]string{"a": "b"}}
	}
	return nil
}

// All calls of a channel begin with this.
func defaults(channel string) access.Grant {
	return access.Grant{Presence: channel != "quiet", Joins: channel == "loud"}
}

var answers = []struct {
	event, answer string
	want          any // nil: as none says
	err           error
}{
	{"connect", `{"result":{"user":"ada"}}`, access.Session{User: "ada"}, nil},
	{"connect", `{"result":{"user":""}}`, access.Session{}, nil},
	{"connect", `{"result":{}}`, access.Session{}, nil},
	{"connect", ` {"result" : {"user":"ada","expire_at":1900000000,"info":{"a":1},"data":[true],"meta":{"x":1},"labels":{}}} `,
		access.Session{User: "ada", Expires: time.Unix(1900000000, 0), Info: raw(`{"a":1}`), Data: raw(`[true]`)}, nil},
	{"connect", `{"result":{"user":"ada","info":null,"data":null,"expire_at":null,"channels":null,"subs":null},"error":null,"disconnect":null}`,
		access.Session{User: "ada"}, nil},
	{"connect", `{"result":{"user":"ada","info":{"no":1},"b64info":"` + b64(`{"yes":1}`) + `","b64data":"` + b64(`"d"`) + `"}}`,
		access.Session{User: "ada", Info: raw(`{"yes":1}`), Data: raw(`"d"`)}, nil},
	{"connect", `{"result":{"user":"ada","channels":["news","quiet"],"subs":{"loud":{"override":{"join_leave":{"value":false}}},
		"quiet":{"expire_at":1900000000,"info":1,"data":"x","override":{"presence":{"value":true},"join_leave":{"value":true},"force_recovery":{"value":true}}}}}}`,
		access.Session{User: "ada", Subs: map[string]access.Grant{
			"news": {Presence: true}, "loud": {Presence: true},
			"quiet": {Expires: time.Unix(1900000000, 0), Info: raw("1"), Data: raw(`"x"`), Presence: true, Joins: true},
		}}, nil},
	{"connect", `{}`, nil, wire.ErrUnauthorized},
	{"connect", `{"result":null}`, nil, wire.ErrUnauthorized},
	{"connect", `{"error":{"code":1000,"message":"no","temporary":true}}`, nil, &wire.Error{Code: 1000, Message: "no", Temporary: true}},
	{"connect", `{"disconnect":{"code":4501,"reason":"unauthorized"}}`, nil, surewire.Disconnect{Code: 4501, Reason: "unauthorized"}},
	{"connect", `{"disconnect":{"code":3000},"error":{"code":100},"result":{"user":"ada"}}`, nil, surewire.Disconnect{Code: 3000}},
	{"connect", `{"error":{"code":100},"result":{"user":"ada"}}`, nil, &wire.Error{Code: 100}},

	{"refresh", `{"result":{"expire_at":1900000000}}`,
		access.Session{User: "ada", Info: raw(`{"name":"Ada"}`), Expires: time.Unix(1900000000, 0)}, nil},
	{"refresh", `{"result":{"info":{"name":"Countess"}}}`, access.Session{User: "ada", Info: raw(`{"name":"Countess"}`)}, nil},
	{"refresh", `{"result":{"b64info":"` + b64("2") + `"}}`, access.Session{User: "ada", Info: raw("2")}, nil},
	{"refresh", `{"result":{"expired":true,"expire_at":1900000000}}`, nil, surewire.DisconnectExpired},
	{"refresh", `{}`, nil, surewire.DisconnectExpired},
	{"refresh", `{"error":{"code":109,"message":"token expired"}}`, nil, &wire.Error{Code: 109, Message: "token expired"}},

	{"subscribe", `{"result":{}}`, access.Grant{Presence: true}, nil},
	{"subscribe", `{}`, access.Grant{Presence: true}, nil},
	{"subscribe", `{"result":{"expire_at":1900000000,"info":"i","data":{"d":[]},"override":{"presence":{"value":false},"join_leave":{"value":true}}}}`,
		access.Grant{Expires: time.Unix(1900000000, 0), Info: raw(`"i"`), Data: raw(`{"d":[]}`), Joins: true}, nil},
	{"subscribe", `{"result":{"override":{"presence":null}}}`, access.Grant{Presence: true}, nil},
	{"subscribe", `{"result":{"b64info":"` + b64(`"i"`) + `","b64data":"` + b64(`"d"`) + `"}}`,
		access.Grant{Info: raw(`"i"`), Data: raw(`"d"`), Presence: true}, nil},
	{"subscribe", `{"error":{"code":403,"message":"permission denied"}}`, nil, &wire.Error{Code: 403, Message: "permission denied"}},
	{"subscribe", `{"disconnect":{"code":4000,"reason":"later"}}`, nil, surewire.Disconnect{Code: 4000, Reason: "later"}},

	{"sub_refresh", `{"result":{"expire_at":1900000000,"info":{}}}`,
		access.Grant{Expires: time.Unix(1900000000, 0), Info: raw(`{}`), Presence: true}, nil},
	{"sub_refresh", `{"result":{"expired":true}}`, nil, wire.ErrExpired},
	{"sub_refresh", `{}`, nil, wire.ErrExpired},

	{"publish", `{"result":{}}`, nil, nil},
	{"publish", `{}`, nil, nil},
	{"publish", `{"result":{"data":{"clean":true},"skip_history":true,"tags":{"by":"x"},"idempotency_key":"k","delta":true,"version":7}}`,
		surewire.Publication{Data: raw(`{"clean":true}`), ID: "k", Tags: map[string]string{"by": "x"}, Ephemeral: true}, nil},
	{"publish", `{"result":{"data":null,"tags":null,"skip_history":false,"idempotency_key":""}}`, nil, nil},
	{"publish", `{"result":{"b64data":"` + b64("[1]") + `","tags":{}}}`,
		surewire.Publication{Data: raw(`[1]`), ID: "own", Tags: map[string]string{}}, nil},
	{"publish", `{"error":{"code":1999,"message":"rude"}}`, nil, &wire.Error{Code: 1999, Message: "rude"}},
	{"publish", `{"disconnect":{"code":4999,"reason":"banned"}}`, nil, surewire.Disconnect{Code: 4999, Reason: "banned"}},

	{"rpc", `{"result":{"data":{"sum":3}}}`, raw(`{"sum":3}`), nil},
	{"rpc", `{"result":{"b64data":"` + b64(`3`) + `"}}`, raw(`3`), nil},
	{"rpc", `{"result":{"data":null}}`, nil, nil},
	{"rpc", `{}`, nil, nil},
	{"rpc", `{"error":{"code":404,"message":"no such method"}}`, nil, &wire.Error{Code: 404, Message: "no such method"}},

	{"message", `{}`, nil, nil},
	{"message", `{"result":{"what":"ever"}}`, nil, nil},
	{"message", `{"disconnect":{"code":4500,"reason":"` + strings.Repeat("é", 100) + `"}}`, nil,
		surewire.Disconnect{Code: 4500, Reason: strings.Repeat("é", 61)}},
}

func TestAnswers(t *testing.T) {
	for _, a := range answers {
		if err := answered(t, a.event, a.answer, a.want, a.err); err != nil {
			t.Errorf("%s answers %s: %v", a.event, a.answer, err)
		}
	}
}

// answered returns how a call that gets answer differs from what is wanted.
func answered(t *testing.T, event, answer string, want any, wantErr error) error {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, answer) }))
	defer web.Close()
	c := newClient(t, Config{URL: web.URL, Defaults: defaults})
	defer c.Close()
	got, err := calls[event](t.Context(), c)
	if want == nil {
		want = none(event)
	}
	var refused, wantRefused *wire.Error
	if errors.As(err, &refused) && errors.As(wantErr, &wantRefused) {
		err, wantErr = fmt.Errorf("%+v", *refused), fmt.Errorf("%+v", *wantRefused)
	}
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		return fmt.Errorf("error is %v, want %v", err, wantErr)
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("it gives\n%#v, want\n%#v", got, want)
	}
	if s := c.Stats(); s.Calls != 1 || s.Failures != 0 && wantErr == nil {
		return fmt.Errorf("stats are %+v", s)
	}
	return nil
}

// What is wrong is a temporary error to the client, alters nothing, and is named
// in the log without a word of the backend's.
func TestWrongAnswers(t *testing.T) {
	for _, a := range []struct{ event, answer, log string }{
		{"connect", ``, "not a JSON object"},
		{"connect", `null`, "not a JSON object"},
		{"subscribe", `null`, "not a JSON object"},
		{"subscribe", `[]`, "not a JSON object"},
		{"subscribe", `true`, "not a JSON object"},
		{"subscribe", `"{}"`, "not a JSON object"},
		{"subscribe", `{}{}`, "not a JSON object"},
		{"subscribe", `{"result":{}`, "not a JSON object"},
		{"subscribe", `{"result":{}} secret`, "not a JSON object"},
		{"subscribe", "{\"result\":{\"info\":\"secret\xff\"}}", "UTF-8"},
		{"subscribe", `<html><body>secret</body></html>`, "not a JSON object"},
		{"subscribe", strings.Repeat(`{"result":`, 20000) + strings.Repeat(`}`, 20000), "not a JSON object"},
		{"subscribe", `{"detail":"secret"}`, "neither a result nor an error nor a disconnect"},
		{"publish", `{"ok":true}`, "neither"},
		{"subscribe", `{"result":"secret"}`, "result, at offset"},
		{"subscribe", `{"result":[]}`, "result, at offset"},
		{"subscribe", `{"result":{"override":{"presence":true}}}`, "result.override.presence, at offset"},
		{"connect", `{"result":{"user":56}}`, "result.user, at offset 20 of the answer, is no string"},
		{"connect", `{"result":{"user":"ada","channels":"secret"}}`, "result.channels"},
		{"connect", `{"result":{"user":"ada","subs":[]}}`, "result.subs"},
		{"connect", `{"result":{"user":"ada","expire_at":"1900000000"}}`, "result.expire_at"},
		{"connect", `{"result":{"user":"ada","expire_at":1900000000.5}}`, "result.expire_at"},
		{"connect", `{"result":{"user":"ada","expire_at":1e400}}`, "result.expire_at"},
		{"connect", `{"result":{"user":"ada","expire_at":99999999999999999999}}`, "result.expire_at"},
		{"connect", `{"result":{"user":"ada","expire_at":9223372036854775807}}`, "expire_at is not a time in Unix seconds"},
		{"connect", `{"result":{"user":"ada","expire_at":1900000000000}}`, "expire_at is not a time in Unix seconds"},
		{"connect", `{"result":{"user":"ada","expire_at":-1}}`, "expire_at is not a time in Unix seconds"},
		{"connect", `{"result":{"user":"ada","subs":{"x":{"expire_at":-1}}}}`, "expire_at is not a time in Unix seconds"},
		{"refresh", `{"result":{"expire_at":-1}}`, "expire_at is not a time in Unix seconds"},
		{"sub_refresh", `{"result":{"expire_at":-1}}`, "expire_at is not a time in Unix seconds"},
		{"connect", `{"result":{"user":"ada","b64info":"secret!"}}`, "result.b64info is not base64"},
		{"connect", `{"result":{"user":"ada","b64data":"` + b64("secret") + `"}}`, "result.b64data is base64 of what is not JSON"},
		{"connect", `{"result":{"user":"ada","b64data":"` + b64("\"\xff\"") + `"}}`, "result.b64data is base64 of what is not JSON"},
		{"refresh", `{"result":{"b64info":"!"}}`, "result.b64info is not base64"},
		{"publish", `{"result":{"b64data":"!","tags":{"x":"y"},"skip_history":true}}`, "result.b64data is not base64"},
		{"publish", `{"result":{"tags":{"x":1}}}`, "result.tags"},
		{"rpc", `{"result":{"b64data":"!"}}`, "result.b64data is not base64"},
		{"rpc", `{"error":{"code":99,"message":"secret"}}`, "error.code 99 is not within 100 and 1999"},
		{"rpc", `{"error":{"code":2000}}`, "error.code 2000"},
		{"rpc", `{"error":{"code":-1}}`, "error.code -1"},
		{"rpc", `{"error":{"code":4294967396}}`, "error.code 4294967396"}, // 100, in 32 bits
		{"rpc", `{"error":{}}`, "error.code 0"},
		{"rpc", `{"error":"secret"}`, "error, at offset"},
		{"rpc", `{"error":{"code":100,"message":["secret"]}}`, "error.message"},
		{"rpc", `{"disconnect":{"code":2999}}`, "disconnect.code 2999 is not within 3000 and 4999"},
		{"rpc", `{"disconnect":{"code":5000}}`, "disconnect.code 5000"},
		{"rpc", `{"disconnect":{"code":69536}}`, "disconnect.code 69536"}, // 4000, in 16 bits
		{"rpc", `{"disconnect":{}}`, "disconnect.code 0"},
		{"message", `<!doctype html>`, "not a JSON object"},
	} {
		var log logLines
		c := newClient(t, Config{Logger: log.logger(), Retries: -1, Transport: backend(func(*http.Request) (*http.Response, error) {
			return says(200, a.answer), nil
		})})
		got, err := calls[a.event](t.Context(), c)
		if err != error(wire.ErrInternal) {
			t.Errorf("%s answers %.100s: error is %v", a.event, a.answer, err)
		}
		if want := none(a.event); !reflect.DeepEqual(got, want) {
			t.Errorf("%s answers %.100s: it gives %#v", a.event, a.answer, got)
		}
		if text := log.String(); !strings.Contains(text, a.log) || strings.Contains(text, "secret") || strings.Count(text, "\n") != 1 {
			t.Errorf("%s answers %.100s: the log has %s", a.event, a.answer, text)
		}
	}
}

// Data that is not JSON would be approved in another form than it is published.
func TestDataThatIsNotJSONIsNotSent(t *testing.T) {
	c := newClient(t, Config{Transport: backend(func(*http.Request) (*http.Response, error) {
		t.Error("a request was made")
		return says(200, "{}"), nil
	})})
	for _, data := range []string{"{", "nope", "\"\xff\"", "1 2"} {
		p := surewire.Publication{Data: []byte(data)}
		var refused *wire.Error
		if err := c.Publish(t.Context(), ada, "chat", &p); !errors.As(err, &refused) || refused.Code != wire.ErrBadRequest.Code {
			t.Errorf("%q: %v", data, err)
		}
	}
	if _, err := c.RPC(t.Context(), access.Client{ID: "c1", User: "ad\xffa"}, "m", nil); err == nil {
		t.Error("a user that is not UTF-8 was made another")
	}
}
