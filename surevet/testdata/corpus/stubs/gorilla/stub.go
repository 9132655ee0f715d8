// Package websocket stands in for github.com/gorilla/websocket.
package websocket

import (
	"io"
	"time"
)

const (
	TextMessage        = 1
	BinaryMessage      = 2
	CloseMessage       = 8
	PingMessage        = 9
	PongMessage        = 10
	CloseNormalClosure = 1000
)

type Conn struct{ _ int }

func (*Conn) WriteJSON(v any) error                              { return nil }
func (*Conn) WriteMessage(messageType int, data []byte) error    { return nil }
func (*Conn) WriteControl(int, []byte, time.Time) error          { return nil }
func (*Conn) NextWriter(messageType int) (io.WriteCloser, error) { return nil, nil }
func (*Conn) WritePreparedMessage(pm *PreparedMessage) error     { return nil }

type PreparedMessage struct{ _ int }

func NewPreparedMessage(messageType int, data []byte) (*PreparedMessage, error) { return nil, nil }
func FormatCloseMessage(code int, text string) []byte                           { return nil }
