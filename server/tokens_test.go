package server_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/auth"
	"github.com/surewire/surewire/client"
	"github.com/surewire/surewire/server"
)

// began is before all that the tests do.
var began = time.Now()

// byToken admits whoever says "user:id:age", with a token of that ID that was so
// many seconds old when the tests began.
var byToken = access.Funcs{
	OnConnect: func(_ context.Context, r access.ConnectRequest) (access.Session, error) {
		user, rest, _ := strings.Cut(r.Token, ":")
		id, age, _ := strings.Cut(rest, ":")
		d, err := time.ParseDuration(age + "s")
		return access.Session{User: user, TokenID: id, TokenTime: began.Add(-d)}, err
	},
	OnSubscribe: access.AllowAll{}.Subscribe,
}

// read reads a channel by a token until it is told to go, and says so.
func read(t *testing.T, url, token string, ready func()) <-chan error {
	ended := make(chan error, 1)
	go func() { // ends with the test, at the latest
		c := &client.Client{Endpoint: url, Token: token, OnSubscribed: func(string, surewire.Position) { ready() }}
		for _, err := range c.Tail(t.Context(), "c", nil) {
			if err != nil {
				ended <- err
				return
			}
		}
	}()
	return ended
}

// told returns why a reader was told to go.
func told(t *testing.T, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(10 * time.Second):
		return errors.New("it was not")
	}
}

func TestRevocation(t *testing.T) {
	for _, c := range []struct {
		method, body string
		out, in      []string // tokens whose connections end, and those whose go on
	}{
		{"revoke_token", `{"uid":"a2"}`, []string{"ada:a2:0", "bob:a2:0"}, []string{"ada:a1:0", "ada::0"}},
		{"invalidate_user_tokens", `{"user":"ada"}`, []string{"ada:a1:0", "ada:a2:100", "ada::0"}, []string{"bob:a1:100", "ada:a3:-3600"}},
		{"invalidate_user_tokens", fmt.Sprintf(`{"user":"ada","issued_before":%d}`, began.Unix()-50), []string{"ada:a2:100"}, []string{"ada:a1:0", "bob:a1:100"}},
		{"revoke_token", fmt.Sprintf(`{"uid":"a1","expire_at":%d}`, time.Now().Unix()-1), nil, []string{"ada:a1:0"}},
	} {
		t.Run(c.method, func(t *testing.T) {
			_, web := open(t, server.Config{Authorizer: byToken, InsecureAPI: true, Revocations: auth.NewRevocations(auth.RevocationsConfig{})})
			ready := make(chan bool, 16)
			var out, in []<-chan error
			for _, token := range c.out {
				out = append(out, read(t, web.URL, token, func() { ready <- true }))
				<-ready
			}
			for _, token := range c.in {
				in = append(in, read(t, web.URL, token, func() { ready <- true }))
				<-ready
			}
			called := time.Now()
			if status, answer := call(t, web.URL, c.method, c.body); status != 200 || answer != `{"result":{}}` {
				t.Fatalf("%d %s", status, answer)
			}
			for i, ended := range out {
				if err := told(t, ended); !errors.Is(err, surewire.DisconnectInvalidToken) {
					t.Errorf("%s ended with %v", c.out[i], err)
				}
			}
			t.Logf("after %v all were told", time.Since(called))
			for i, token := range c.out { // and stay out
				if err := told(t, read(t, web.URL, token, func() { t.Errorf("%s is in again", c.out[i]) })); !errors.Is(err, surewire.DisconnectInvalidToken) {
					t.Errorf("%s came back, and got %v", token, err)
				}
			}
			for i, ended := range in {
				select {
				case err := <-ended:
					t.Errorf("%s ended too, with %v", c.in[i], err)
				default:
				}
			}
		})
	}
}

func TestRevocationRefusals(t *testing.T) {
	full := auth.NewRevocations(auth.RevocationsConfig{Max: 1})
	if err := full.Revoke(auth.Revocation{ID: "x"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		all          *auth.Revocations
		method, body string
		status       int
		want         string
	}{
		{nil, "revoke_token", `{"uid":"a"}`, 200, `"code":108`},
		{full, "revoke_token", `{"uid":"a"}`, 200, `"code":106`},
		{full, "revoke_token", `{}`, 400, `field \"uid\" is missing`},
		{full, "invalidate_user_tokens", `{"issued_before":1}`, 400, `field \"user\" is missing`},
		{full, "invalidate_user_tokens", `{"user":"a","channel":"c"}`, 200, `"code":108`},
		{full, "revoke_token", `{"uid":7}`, 400, `cannot be a JSON number`},
	} {
		_, web := open(t, server.Config{InsecureAPI: true, Revocations: c.all})
		if status, answer := call(t, web.URL, c.method, c.body); status != c.status || !strings.Contains(answer, c.want) {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.body, status, answer, c.status, c.want)
		}
	}
}

func TestUnknownChannels(t *testing.T) {
	_, web := open(t, server.Config{Engine: failing{err: fmt.Errorf("%w: there is no namespace %q", surewire.ErrUnknownChannel, "x")}, InsecureAPI: true})
	if status, answer := post(t, web.URL, `{"channel":"x:1","data":1}`, nil); status != 200 || answer != `{"error":{"code":102,"message":"unknown channel: there is no namespace \"x\""}}` {
		t.Errorf("%d %s", status, answer)
	}
}
