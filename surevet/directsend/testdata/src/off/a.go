// Package off does not use surewire: direct sends are its own affair, empty frames
// are not.
package off

import (
	"encoding/json"

	"github.com/gorilla/websocket"
)

func send(c *websocket.Conn, v any) {
	c.WriteJSON(v)
	b, _ := json.Marshal(v)
	c.WriteMessage(websocket.TextMessage, b) // want `the client gets an empty text frame`
}
