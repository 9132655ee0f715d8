package engine

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// nats runs a NATS server, and returns its address.
func nats(t *testing.T, o server.Options) string {
	t.Helper()
	o.Host, o.Port, o.NoSigs, o.NoLog, o.StoreDir = "127.0.0.1", server.RANDOM_PORT, true, true, t.TempDir()
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server is not ready")
	}
	return s.Addr().String()
}

// What is wrong with a NATS is said, with what to do, and without a password.
func TestTryNATS(t *testing.T) {
	https := httptest.NewTLSServer(nil) // for its certificate
	defer https.Close()
	open := nats(t, server.Options{JetStream: true})
	guarded := nats(t, server.Options{JetStream: true, Username: "u", Password: "secret"})
	encrypted := nats(t, server.Options{JetStream: true, TLS: true, TLSConfig: https.TLS, TLSTimeout: 10})
	plain := nats(t, server.Options{})
	for _, c := range []struct {
		name, url, credentials string
		want                   string // of the error
		says                   string
	}{
		{name: "good", url: "nats://" + open, says: "it answers, and has JetStream"},
		{name: "no scheme", url: "u:secret@" + guarded, says: "nats://u:xxxxx@" + guarded},
		{name: "a password", url: "nats://u:secret@" + guarded, says: "nats://u:xxxxx@" + guarded},
		{name: "a wrong password", url: "nats://u:secrets@" + guarded, want: "give --nats-credentials"},
		{name: "no password", url: "nats://" + guarded, want: "give --nats-credentials"},
		{name: "no such credentials", url: "nats://" + open, credentials: filepath.Join(t.TempDir(), "none"), want: "--nats-credentials names no file"},
		{name: "a certificate of nobody", url: "tls://" + encrypted, want: "must trust who signed"},
		{name: "no JetStream", url: "nats://" + plain, want: "start that server with JetStream"},
		{name: "nothing there", url: "nats://127.0.0.1:1", want: "let this machine reach its port"},
		{name: "no URL", url: "nats://u:secret@%zz", want: "want URLs such as"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			f := Flags{Engine: "jetstream", NATS: []string{c.url}, Credentials: c.credentials}
			err := f.Check()
			if err == nil {
				err = f.Try(t.Context(), &out)
			}
			if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) || !strings.Contains(out.String(), c.says) {
				t.Errorf("it says %q, and fails with %v", out.String(), err)
			}
			if strings.Contains(out.String(), "secret") || err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the password is shown: %q, %v", out.String(), err)
			}
			t.Logf("%s%v", out.String(), err)
		})
	}
}
