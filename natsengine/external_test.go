package natsengine_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine"
)

// external runs a NATS server that asks for TLS and a password.
func external(t *testing.T) (url string, trust *tls.Config) {
	t.Helper()
	https := httptest.NewTLSServer(nil) // for its certificate, and who trusts it
	t.Cleanup(https.Close)
	pool := https.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	n := &restarted{t: t, options: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
		Username: "surewire", Password: "secret", TLS: true, TLSConfig: https.TLS, TLSTimeout: 10,
	}}
	n.run()
	return n.server.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "example.com"}
}

func TestExternal(t *testing.T) {
	address, trust := external(t)
	c := natsengine.Config{
		URLs: []string{"tls://surewire:secret@127.0.0.1:1", "tls://surewire:secret@" + address}, TLS: trust, // the first is down
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	e, err := natsengine.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(context.Background())
	done, err := e.Publish(t.Context(), "a.b*>c", surewire.Publication{Data: []byte("1")})
	if err != nil || done.Position.Offset != 1 {
		t.Errorf("Publish: %v, %v", done, err)
	}
	if h, err := e.History(t.Context(), "a.b*>c", surewire.Position{}, 10); err != nil || len(h.Messages) != 1 || !h.Complete {
		t.Errorf("History: %+v, %v", h, err)
	}
	// More than the server takes, which is 1 MiB.
	if _, err := e.Publish(t.Context(), "c", surewire.Publication{Data: make([]byte, 2<<20)}); !errors.Is(err, surewire.ErrTooLarge) {
		t.Errorf("Publish of 2 MiB returned %v", err)
	}
	wrong := c
	wrong.URLs = []string{"tls://surewire:wrong@" + address}
	if e, err := natsengine.Open(t.Context(), wrong); err == nil {
		e.Close(context.Background())
		t.Error("a wrong password is taken")
	}
	distrust := c
	distrust.TLS = nil
	if e, err := natsengine.Open(t.Context(), distrust); err == nil {
		e.Close(context.Background())
		t.Error("a certificate that nobody trusts is taken")
	}
	if _, err := natsengine.Open(t.Context(), natsengine.Config{}); err == nil {
		t.Error("no server at all is taken")
	}
}

// A restarted is a NATS server, which can go away and come back.
type restarted struct {
	t       *testing.T
	options server.Options
	server  *server.Server
}

// restartable returns such a one, and an engine on it.
func restartable(t *testing.T) (*restarted, *natsengine.Engine) {
	t.Helper()
	n := &restarted{t: t, options: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
	}}
	n.run()
	e, err := natsengine.Open(t.Context(), natsengine.Config{URLs: []string{n.server.ClientURL()}, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(context.Background()) })
	return n, e
}

func (n *restarted) run() {
	n.t.Helper()
	s, err := server.NewServer(&n.options)
	if err != nil {
		n.t.Fatal(err)
	}
	s.Start()
	n.server = s
	n.t.Cleanup(n.stop)
	if !s.ReadyForConnections(20 * time.Second) {
		n.t.Fatal("the server is not ready")
	}
	n.options.Port = s.Addr().(*net.TCPAddr).Port
}

func (n *restarted) stop() {
	n.server.Shutdown()
	n.server.WaitForShutdown()
}

// What is on its way when NATS goes away arrives once it is back: once, in order.
func TestPublishAsyncWhileAway(t *testing.T) {
	n, e := restartable(t)
	const channels, each = 5, 200
	var told sync.WaitGroup
	for i := range channels * each {
		if i == channels*each/2 {
			n.stop()
		}
		told.Add(1)
		err := e.PublishAsync(t.Context(), fmt.Sprint("c", i%channels), surewire.Publication{Data: []byte(strconv.Itoa(i / channels))}, func(d surewire.Published, err error) {
			defer told.Done()
			if err != nil || d.Duplicate || d.Position.Offset != uint64(i/channels+1) {
				t.Errorf("publication %d: %+v, %v", i, d, err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	n.run()
	told.Wait()
	for c := range channels {
		h, err := e.History(t.Context(), fmt.Sprint("c", c), surewire.Position{}, 2*each)
		if err != nil || len(h.Messages) != each {
			t.Fatalf("channel %d has %d messages: %v", c, len(h.Messages), err)
		}
		for i, m := range h.Messages {
			if string(m.Data) != strconv.Itoa(i) {
				t.Fatalf("channel %d: message %d is %s", c, i, m.Data)
			}
		}
	}
}

// Whom Close overtakes is told.
func TestCloseWhilePublishingAsync(t *testing.T) {
	n, e := restartable(t)
	if _, err := e.Publish(t.Context(), "c", surewire.Publication{Data: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	n.stop()
	var told atomic.Int64
	for range 10 {
		err := e.PublishAsync(t.Context(), "c", surewire.Publication{Data: []byte("2")}, func(_ surewire.Published, err error) {
			told.Add(1)
			if !errors.Is(err, surewire.ErrClosed) && !errors.Is(err, surewire.ErrUnknown) {
				t.Errorf("it was told %v", err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := told.Load(); n != 10 {
		t.Errorf("after Close %d of 10 have been told", n)
	}
}

// A NATS that comes back without its streams gets them again, though nobody
// publishes: who reads is answered.
func TestStreamsAreMadeAgain(t *testing.T) {
	n, e := restartable(t)
	if _, err := e.Publish(t.Context(), "c", surewire.Publication{Data: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	n.stop()
	n.options.StoreDir = t.TempDir()
	n.run()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		h, err := e.History(t.Context(), "c", surewire.Position{}, 10)
		if err == nil {
			if len(h.Messages) > 0 || h.Complete {
				t.Errorf("what is gone is told to be there: %+v", h)
			}
			break
		}
		if time.Since(began) > 30*time.Second {
			t.Fatalf("history is not answered: %v", err)
		}
	}
	if done, err := e.Publish(t.Context(), "c", surewire.Publication{Data: []byte("2")}); err != nil || done.Position.Offset != 2 {
		t.Errorf("Publish: %+v, %v", done, err)
	}
}
