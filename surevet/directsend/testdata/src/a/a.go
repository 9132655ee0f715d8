package a

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	cws "github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/gorilla/websocket"
	"github.com/surewire/surewire/surejson"
)

type msg struct{ Text string }

func direct(ctx context.Context, c *websocket.Conn, d *cws.Conn) {
	c.WriteJSON(msg{"x"})             // want `websocket.Conn.WriteJSON writes JSON to the socket past surewire; use surewire.Publisher.Publish, server.Server.Publish or surejson.Marshal \(SW101\)`
	wsjson.Write(ctx, d, msg{"x"})    // want `wsjson.Write writes JSON to the socket past surewire`
	c.WriteJSON(map[string]float64{}) // want `SW101` `a value that websocket.Conn.WriteJSON fails to encode reaches the client as an empty text frame: encode it first \(SW105\)`
	c.WriteMessage(websocket.PingMessage, []byte{})
	c.WriteMessage(websocket.BinaryMessage, []byte("{"))
}

type embeds struct{ *websocket.Conn }

func (e embeds) hello() { e.WriteJSON(msg{}) } // want `SW101`

type writer interface{ WriteJSON(v any) error }

func through(w writer)                        { w.WriteJSON(1) }     // want `a.writer.WriteJSON writes JSON to the socket past surewire`
func value(c *websocket.Conn) func(any) error { return c.WriteJSON } // want `SW101`

// A wrapper is reported where it sends, not where it is called.
func push(c *websocket.Conn, m msg) { c.WriteJSON(m) } // want `SW101`
func pushes(c *websocket.Conn)      { push(c, msg{}) }

func encoded(c *websocket.Conn, m msg) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	c.WriteMessage(websocket.TextMessage, b)                 // want `these bytes come from json.Marshal at a.go:\d+, not from surejson.Marshal or surejson.Encoder.Append \(SW102\)`
	c.WriteMessage(websocket.TextMessage, append(b, '\n'))   // want `SW102`
	c.WriteMessage(websocket.TextMessage, []byte(string(b))) // want `SW102`
	raw(c, must(m))                                          // want `these bytes come from a.must, json.Marshal at a.go:\d+, not from .*, via a.raw`
	safe, _ := surejson.Marshal(m)
	raw(c, safe)
	c.WriteMessage(websocket.TextMessage, safe)
	var buf bytes.Buffer
	json.NewEncoder(&buf).Encode(m)
	return c.WriteMessage(websocket.TextMessage, buf.Bytes()) // want `these bytes come from json.Encoder.Encode`
}

func raw(c *websocket.Conn, b []byte) { c.WriteMessage(websocket.TextMessage, b) }

func must(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func streamed(c *websocket.Conn, m msg) {
	w, _ := c.NextWriter(websocket.TextMessage)
	json.NewEncoder(w).Encode(m) // want `these bytes come from json.Encoder.Encode`
	b, err := json.Marshal(m)
	if err != nil {
		return
	}
	w.Write(b) // want `these bytes come from json.Marshal`
}

func glued(c *websocket.Conn, name string, n int) {
	c.WriteMessage(websocket.TextMessage, []byte(`{"name":"`+name+`"}`))            // want `JSON text built with \+: values are not escaped \(SW104\)`
	c.WriteMessage(websocket.TextMessage, []byte(fmt.Sprintf(`{"name":%q}`, name))) // want `JSON text built with fmt.Sprintf: values are not escaped`
	c.WriteMessage(websocket.TextMessage, []byte(fmt.Sprintf(`{"n":%d}`, n)))
	c.WriteMessage(websocket.TextMessage, []byte(`{"n":`+strconv.Itoa(n)+`}`))
	c.WriteMessage(websocket.TextMessage, []byte(`{"n":1,}`)) // want `this constant is not valid JSON \(SW104\)`
	c.WriteMessage(websocket.TextMessage, []byte(`{"n":1}`))
	c.WriteMessage(websocket.TextMessage, []byte("hello"))
}

// A failure that sends an empty frame.
func empty(c *websocket.Conn, v any) {
	b, _ := json.Marshal(v)
	c.WriteMessage(websocket.TextMessage, b) // want `when json.Marshal fails, the client gets an empty text frame: its error does not keep websocket.Conn.WriteMessage from sending \(SW105\)` `SW102`
	d, err := json.Marshal(v)
	if err != nil {
		fmt.Println(err)
	}
	c.WriteMessage(websocket.TextMessage, d) // want `SW105` `SW102`
	e, err := json.Marshal(v)
	if err != nil {
		e = []byte("null")
	}
	c.WriteMessage(websocket.TextMessage, e) // want `SW102`
}
