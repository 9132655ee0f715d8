package server_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/auth"
	"github.com/surewire/surewire/client"
	"github.com/surewire/surewire/server"
	"github.com/surewire/surewire/wire"
)

// underRace is whether the race detector is on, which makes each connection cost
// several times as much.
var underRace bool

// try connects with a token and returns the code of the close frame.
func try(ctx context.Context, url, token string) (ws.StatusCode, error) {
	conn, _, _, err := ws.Dial(ctx, "ws"+strings.TrimPrefix(url, "http")+"/connection/websocket")
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	frame := fmt.Appendf(nil, `{"id":1,"connect":{"token":%q}}`, token)
	if err := ws.WriteFrame(conn, ws.MaskFrame(ws.NewTextFrame(frame))); err != nil {
		return 0, err
	}
	for {
		f, err := ws.ReadFrame(conn)
		if err != nil {
			return 0, err
		}
		if f.Header.OpCode == ws.OpClose {
			code, _ := ws.ParseCloseFrameData(f.Payload)
			return code, nil
		}
	}
}

// Ten thousand clients with a forged token, as fast as they can connect: all are
// sent away, and who was let in misses nothing.
func TestAFloodOfWrongTokens(t *testing.T) {
	verifier, err := auth.New(auth.Config{Keys: []auth.Key{{Secret: auth.Secret(strings.Repeat("right", 8))}}})
	if err != nil {
		t.Fatal(err)
	}
	defer verifier.Close()
	forger, err := auth.NewSigner(auth.SignerConfig{Secret: auth.Secret(strings.Repeat("wrong", 8))})
	if err != nil {
		t.Fatal(err)
	}
	forged, err := forger.Connection(auth.Connection{Token: auth.Token{User: "ada", ValidUntil: time.Now().Add(time.Hour)}})
	if err != nil {
		t.Fatal(err)
	}
	s, web := open(t, server.Config{InsecureAPI: true, Authorizer: access.Funcs{
		OnConnect: func(ctx context.Context, r access.ConnectRequest) (access.Session, error) {
			if r.Token == "a friend" {
				return access.Session{User: "friend"}, nil
			}
			if _, err := verifier.Connection(ctx, r.Token); err != nil {
				return access.Session{}, surewire.DisconnectInvalidToken
			}
			return access.Session{}, wire.ErrInternal
		},
		OnSubscribe: access.AllowAll{}.Subscribe,
	}})
	received := make(chan surewire.Position, 1)
	begun := make(chan struct{})
	go func() { // ends with the test
		c := &client.Client{Endpoint: web.URL, Token: "a friend", OnSubscribed: func(string, surewire.Position) { close(begun) }}
		for p, err := range c.Tail(t.Context(), "c", nil) {
			if err != nil {
				return
			}
			received <- p.Position
		}
	}()
	<-begun

	const floods = 16
	each := 625
	if underRace {
		each = 125
	}
	var sentAway atomic.Int64
	var all sync.WaitGroup
	for range floods {
		all.Go(func() {
			for range each {
				switch code, err := try(t.Context(), web.URL, forged); {
				case err != nil:
					t.Error(err)
					return
				case code == ws.StatusCode(surewire.DisconnectInvalidToken.Code):
					sentAway.Add(1)
				}
			}
		})
	}
	over := make(chan struct{})
	go func() { all.Wait(); close(over) }() // ends with the flood
	start := time.Now()
	var slowest time.Duration
	for n := uint64(1); ; n++ {
		published := time.Now()
		if status, answer := post(t, web.URL, `{"channel":"c","data":1}`, http.Header{}); status != http.StatusOK {
			t.Fatalf("publish: %d %s", status, answer)
		}
		if p := <-received; p.Offset != n {
			t.Fatalf("the friend received %v, want offset %d", p, n)
		}
		slowest = max(slowest, time.Since(published))
		select {
		case <-over:
			t.Logf("%d wrong tokens in %v; of %d publications meanwhile the slowest took %v", each*floods, time.Since(start), n, slowest)
			if sentAway.Load() != int64(each*floods) {
				t.Errorf("%d were sent away for their token", sentAway.Load())
			}
			eventually(t, "only the friend's connection is left", func() bool { return s.Hub().Counts().Connections == 1 })
			return
		default:
		}
	}
}
