package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/surewire/surewire"
)

// TestRegression sends one value both ways. By gorilla's WriteJSON it fails,
// and what its browser gets is an empty text frame; each field alone fails or is
// misstated. By Surewire it arrives, and the report says what was repaired.
func TestRegression(t *testing.T) {
	session := newSession()

	text, err := byGorilla(t, session)
	if err == nil || text != "" {
		t.Fatalf("gorilla: WriteJSON of the whole returned %v, and the client got %q; want an error and an empty frame", err, text)
	}
	for _, tt := range []struct {
		field string
		value any
		text  string // what the client gets; "" if WriteJSON fails
	}{
		{"state", session.State, `{"state":1}`},                      // misstated: 1 is not a name
		{"err", session.Err, `{"err":{}}`},                           // misstated: nothing of the error is left
		{"load", session.Load, ""},                                   // lost
		{"peer", session.Peer, ""},                                   // lost
		{"since", session.Since, `{"since":"2026-01-02T03:04:05Z"}`}, // right
		{"labels", session.Labels, `{"labels":null}`},                // right
		{"tabs", session.Tabs, `{"tabs":2}`},                         // right
	} {
		text, err := byGorilla(t, map[string]any{tt.field: tt.value})
		if strings.TrimSpace(text) != tt.text || (err == nil) != (tt.text != "") {
			t.Errorf("gorilla: %s alone: WriteJSON returned %v, and the client got %q; want %q", tt.field, err, text, tt.text)
		}
	}

	data, receipt := bySurewire(t, session)
	want := `{"id":"s-17","state":"connected","since":"2026-01-02T03:04:05Z","labels":null,"err":"upstream closed the stream","load":null,"peer":null,"tabs":2}`
	if data != want {
		t.Errorf("Surewire: the client got\n%s, want\n%s", data, want)
	}
	var repairs []string
	for _, r := range receipt.Report.Repairs {
		repairs = append(repairs, r.Pointer+" "+r.GoType+" "+r.Reason.String()+" "+r.Wrote)
	}
	if want := []string{"/load float64 non-finite null", "/peer *main.Session cycle null"}; !slices.Equal(repairs, want) {
		t.Errorf("Surewire: repairs %q, want %q", repairs, want)
	}
}

// byGorilla returns the text frame that a client gets, and WriteJSON's error.
func byGorilla(t *testing.T, v any) (string, error) {
	t.Helper()
	var failed error // written before the frame is flushed to the client, or not at all
	done := make(chan struct{})
	h := writeJSON(v, func(err error) { failed = err })
	conn := dial(t, "/", httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		h(w, r)
	})))
	kind, text, err := conn.ReadMessage()
	if err != nil || kind != websocket.TextMessage {
		t.Fatalf("the client got kind %d and error %v, want a text frame", kind, err)
	}
	conn.Close()
	<-done
	return string(text), failed
}

// bySurewire subscribes, publishes v, and returns what the client gets.
func bySurewire(t *testing.T, v any) (string, surewire.Receipt) {
	t.Helper()
	a := newApp()
	t.Cleanup(func() { _ = a.close(context.Background()) })
	conn := dial(t, "/connection/websocket", httptest.NewServer(a.handler()))
	commands := `{"id":1,"connect":{}}` + "\n" + `{"id":2,"subscribe":{"channel":"` + channel + `"}}`
	if err := conn.WriteMessage(websocket.TextMessage, []byte(commands)); err != nil {
		t.Fatal(err)
	}
	replies := &replies{t: t, conn: conn}
	for !replies.next().has("subscribe") {
	}
	receipt, err := a.publisher.Publish(t.Context(), channel, v)
	if err != nil {
		t.Fatal(err)
	}
	for {
		var push struct {
			Pub struct{ Data json.RawMessage }
		}
		if r := replies.next(); r.has("push") {
			if err := json.Unmarshal(r["push"], &push); err != nil {
				t.Fatal(err)
			}
			return string(push.Pub.Data), receipt
		}
	}
}

// A reply is one object of the client protocol.
type reply map[string]json.RawMessage

func (r reply) has(key string) bool { _, ok := r[key]; return ok }

// replies reads a connection: a frame holds one reply, or several in lines.
type replies struct {
	t    *testing.T
	conn *websocket.Conn
	rest []string
}

func (r *replies) next() reply {
	r.t.Helper()
	for len(r.rest) == 0 {
		_, frame, err := r.conn.ReadMessage()
		if err != nil {
			r.t.Fatal(err)
		}
		r.rest = slices.DeleteFunc(strings.Split(string(frame), "\n"), func(s string) bool { return s == "" })
	}
	var out reply
	if err := json.Unmarshal([]byte(r.rest[0]), &out); err != nil {
		r.t.Fatalf("%v in %s", err, r.rest[0])
	}
	r.rest = r.rest[1:]
	return out
}

// dial opens a WebSocket to path of s, and ends both with the test.
func dial(t *testing.T, path string, s *httptest.Server) *websocket.Conn {
	t.Helper()
	t.Cleanup(s.Close)
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.URL, "http")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}
