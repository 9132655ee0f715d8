//go:build linux

package subject

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/centrifugal/centrifuge"
)

const centrifugeModule = "github.com/centrifugal/centrifuge"

var centrifugeDefault = Subject{
	Name: "centrifuge", Module: centrifugeModule,
	About:    "all by default, with the same history and recovery as surewire",
	Channels: true, Recovery: true,
	start: func(l net.Listener) (server, error) {
		return startCentrifuge(l, centrifuge.WebsocketConfig{}, 0)
	},
}

var centrifugeTuned = Subject{
	Name: "centrifuge-tuned", Module: centrifugeModule,
	About:    "the same with `ReadBufferSize` 256, `UseWriteBufferPool`, `ProcessCommandsOffReadLoop` and `MaxMessagesInFrame` -1",
	Channels: true, Recovery: true,
	start: func(l net.Listener) (server, error) {
		return startCentrifuge(l, centrifuge.WebsocketConfig{
			ReadBufferSize: 256, UseWriteBufferPool: true, ProcessCommandsOffReadLoop: true,
		}, -1)
	},
}

func startCentrifuge(l net.Listener, c centrifuge.WebsocketConfig, maxMessagesInFrame int) (server, error) {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return nil, err
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{}, MaxMessagesInFrame: maxMessagesInFrame}, nil
	})
	node.OnConnect(func(c *centrifuge.Client) {
		c.OnSubscribe(func(_ centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) {
			reply(centrifuge.SubscribeReply{Options: centrifuge.SubscribeOptions{EnableRecovery: true}}, nil)
		})
	})
	if err := node.Run(); err != nil {
		return nil, err
	}
	go http.Serve(l, centrifuge.NewWebsocketHandler(node, c)) // until the process ends
	return centrifugePublisher{node}, nil
}

type centrifugePublisher struct{ node *centrifuge.Node }

func (p centrifugePublisher) publish(channel string, messages []message) error {
	for _, m := range messages {
		if _, err := p.node.Publish(channel, m.data, centrifuge.WithHistory(1000, 24*time.Hour)); err != nil {
			return err
		}
	}
	return nil
}
