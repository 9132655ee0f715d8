package strict

import "github.com/gorilla/websocket"

func relay(c *websocket.Conn, text []byte, m map[string][]byte) {
	c.WriteMessage(websocket.TextMessage, text)   // want `text frame of unknown origin \(SW103\)`
	c.WriteMessage(websocket.TextMessage, m["x"]) // want `text frame of unknown origin`
	c.WriteMessage(websocket.TextMessage, nil)
}
