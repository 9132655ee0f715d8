package hook_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hook"
)

// A browser's message reaches a backend, which knows the browser by its cookie.
func Example() {
	// The backend, in any language, with handlers written for Centrifugo.
	backend := http.NewServeMux()
	backend.HandleFunc("POST /connect", func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("session"); err == nil && c.Value == "ada's" {
			io.WriteString(w, `{"result": {"user": "ada", "channels": ["news"]}}`)
			return
		}
		io.WriteString(w, `{"disconnect": {"code": 4501, "reason": "log in first"}}`)
	})
	backend.HandleFunc("POST /message", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println("the backend hears", string(body))
		io.WriteString(w, `{}`)
	})
	web := httptest.NewServer(backend)
	defer web.Close()

	open := func(path string) *hook.Client {
		c, err := hook.New(hook.Config{
			URL: web.URL + path, Secret: "shared with the backend", PassHeaders: []string{"Cookie"}, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			log.Fatal(err)
		}
		return c
	}
	connect, message := open("/connect"), open("/message")
	defer connect.Close()
	defer message.Close()

	browser := access.ConnectRequest{Client: access.Client{ID: "c1"}}
	_, err := connect.Connect(context.Background(), browser)
	fmt.Println(err)

	browser.Peer.Header = http.Header{"Cookie": {"session=ada's"}}
	session, err := connect.Connect(context.Background(), browser)
	if err != nil {
		log.Fatal(err)
	}
	ada := access.Client{ID: "c1", User: session.User}
	if err := message.Message(context.Background(), ada, []byte(`{"text":"hello"}`)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(message.Stats().State)

	// Output:
	// disconnect 4501: log in first
	// the backend hears {"client":"c1","transport":"websocket","protocol":"json","encoding":"json","user":"ada","data":{"text":"hello"}}
	// closed
}
