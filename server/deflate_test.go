package server_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/server"
	"github.com/surewire/surewire/wire"
)

// A client that offers permessage-deflate gets its publications compressed where
// the server is told so, and plain where not.
func TestCompression(t *testing.T) {
	text := strings.Repeat("the same words, again and again. ", 30)
	for _, on := range []bool{true, false} {
		t.Run(fmt.Sprint(on), func(t *testing.T) {
			s, web := open(t, server.Config{Authorizer: access.AllowAll{}, Compression: on})
			conn, err := net.Dial("tcp", web.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			fmt.Fprintf(conn, "GET /connection/websocket HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", web.Listener.Addr())
			r := bufio.NewReader(conn)
			var agreed bool
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					t.Fatal(err)
				}
				agreed = agreed || strings.HasPrefix(strings.ToLower(line), "sec-websocket-extensions: permessage-deflate")
				if line == "\r\n" {
					break
				}
			}
			if agreed != on {
				t.Fatalf("compression was agreed on: %v", agreed)
			}
			frame := wire.AppendCommand(nil, wire.Command{ID: 1, Connect: &wire.Connect{}})
			frame = wire.AppendCommand(append(frame, '\n'), wire.Command{ID: 2, Subscribe: &wire.Subscribe{Channel: "c"}})
			if err := ws.WriteFrame(conn, ws.MaskFrame(ws.NewTextFrame(frame))); err != nil {
				t.Fatal(err)
			}
			for {
				h, err := ws.ReadHeader(r)
				if err != nil {
					t.Fatal(err)
				}
				payload := make([]byte, h.Length)
				if _, err := io.ReadFull(r, payload); err != nil {
					t.Fatal(err)
				}
				if bytes.Contains(payload, []byte(`"subscribe"`)) && !h.Rsv1() {
					if _, err := s.Publish(t.Context(), "c", text); err != nil {
						t.Fatal(err)
					}
					continue
				}
				if h.Length < 100 && !h.Rsv1() {
					continue // the answer to connect
				}
				if h.Rsv1() != on {
					t.Fatalf("the publication came compressed: %v, in %d bytes", h.Rsv1(), h.Length)
				}
				if on {
					plain, _ := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(payload), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))))
					payload = plain
				}
				if !bytes.Contains(payload, []byte(text)) {
					t.Errorf("got %.200q", payload)
				}
				return
			}
		})
	}
}
