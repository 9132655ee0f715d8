package socket_test

import (
	"net/http"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/socket"
)

// An echo: what TryWrite does not take at once goes by Write, under a deadline.
func ExampleAccept() {
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		c, err := socket.Accept(w, r, socket.Options{})
		if err != nil {
			return // the client was told
		}
		go func() { // ends when Read fails, and that is when the connection is over
			for {
				message, err := c.Read()
				if err != nil {
					return
				}
				frame := socket.AppendText(nil, message)
				n, err := c.TryWrite(frame)
				if err == nil && n < len(frame) {
					err = c.Write(frame[n:], time.Now().Add(10*time.Second))
				}
				if err != nil {
					c.Close(surewire.DisconnectWriteError)
				}
			}
		}()
	})
}
