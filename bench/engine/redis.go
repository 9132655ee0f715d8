package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/centrifugal/centrifuge"
)

// withRedis runs fn with a centrifuge node whose broker is a Redis process of its
// own. As JetStream does by default, Redis writes every publication to a file and
// syncs it from time to time.
func withRedis(fn func(*centrifuge.Node) (float64, error)) (rate float64, err error) {
	dir, err := os.MkdirTemp("", "surewire-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "redis")
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "redis-server", "--port", "0", "--unixsocket", socket, "--dir", dir, "--appendonly", "yes", "--save", "")
	if err := cmd.Start(); err != nil {
		stop()
		return 0, fmt.Errorf("%w: install redis-server, or leave it out with -redis=false", err)
	}
	defer func() { stop(); cmd.Wait() }()
	if err := answers(ctx, socket); err != nil {
		return 0, err
	}
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return 0, err
	}
	shard, err := centrifuge.NewRedisShard(node, centrifuge.RedisShardConfig{Address: "unix://" + socket})
	if err != nil {
		return 0, err
	}
	broker, err := centrifuge.NewRedisBroker(node, centrifuge.RedisBrokerConfig{Shards: []*centrifuge.RedisShard{shard}})
	if err != nil {
		return 0, err
	}
	node.SetBroker(broker)
	if err := node.Run(); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, node.Shutdown(context.Background())) }()
	return fn(node)
}

// answers waits until somebody listens at socket.
func answers(ctx context.Context, socket string) error {
	for range 100 {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
		if err == nil {
			return conn.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("redis-server does not answer after 5 s")
}

var kept = centrifuge.WithHistory(1000, 24*time.Hour)

func redisRate(node *centrifuge.Node, names []string, publishers int, d time.Duration) (float64, error) {
	return rate(publishers, d, func(i int) error {
		_, err := node.Publish(names[i%len(names)], payload, kept)
		return err
	})
}

// redisStorm is storm, of the peer.
func redisStorm(node *centrifuge.Node, names []string, clients int) (float64, error) {
	if err := fill(names, func(name string) error {
		_, err := node.Publish(name, payload, kept)
		return err
	}); err != nil {
		return 0, err
	}
	epochs := make([]string, len(names))
	for i, name := range names {
		h, err := node.History(name)
		if err != nil {
			return 0, err
		}
		epochs[i] = h.Epoch
	}
	return recoveries(clients, clients, func(c int) (int, error) {
		since := &centrifuge.StreamPosition{Offset: 90, Epoch: epochs[c%len(names)]}
		h, err := node.History(names[c%len(names)], centrifuge.WithHistoryFilter(centrifuge.HistoryFilter{Since: since, Limit: 300}))
		return len(h.Publications), err
	})
}
