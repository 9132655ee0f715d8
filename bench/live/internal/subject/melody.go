//go:build linux

package subject

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/olahol/melody"
)

var melodyServer = Subject{
	Name: "melody", Module: "github.com/olahol/melody",
	About: "`Broadcast` to all, all by default: without channels, history or recovery; gorilla below",
	start: startMelody,
}

func startMelody(l net.Listener) (server, error) {
	m := melody.New()
	m.HandleMessage(func(s *melody.Session, _ []byte) { s.Write([]byte(subscribed)) })
	m.HandleError(func(_ *melody.Session, err error) {
		if errors.Is(err, melody.ErrMessageBufferFull) {
			fmt.Fprintln(os.Stderr, "melody:", err)
		}
	})
	handler := func(w http.ResponseWriter, r *http.Request) { m.HandleRequest(w, r) }
	go http.Serve(l, http.HandlerFunc(handler)) // until the process ends
	return melodyBroadcaster{m}, nil
}

type melodyBroadcaster struct{ melody *melody.Melody }

func (b melodyBroadcaster) publish(channel string, messages []message) error {
	for _, m := range messages {
		if err := b.melody.Broadcast(appendPush(nil, channel, m, time.Now().UnixMilli())); err != nil {
			return err
		}
	}
	return nil
}
