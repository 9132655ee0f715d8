// Package engine is what keeps the channels, as flags say it.
package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/cmd/surewire/internal/config"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/namespace"
	"github.com/surewire/surewire/natsembed"
	"github.com/surewire/surewire/natsengine"
	"github.com/surewire/surewire/server"
)

// Flags say where channels are kept.
type Flags struct {
	Engine string `default:"jetstream" enum:"jetstream,memory" env:"ENGINE" help:"What keeps the channels: jetstream, on the disk or in a NATS, or memory, which ends with the process. --dev takes memory."`
	Data   string `default:"surewire-data" placeholder:"FOLDER" env:"DATA" help:"Folder of the channels on the disk. It is made if it is not there, and belongs to one process."`

	NATS        []string `name:"nats" placeholder:"URL" env:"NATS" help:"A NATS that exists, by one or several URLs, in place of the folder: nats://10.0.0.1:4222."`
	Credentials string   `name:"nats-credentials" placeholder:"FILE" env:"NATS_CREDENTIALS" help:"Credentials for it."`
	Replicas    int      `default:"0" env:"REPLICAS" help:"Copies of each channel; 0 means 3 in a cluster, and 1 otherwise."`

	Node          string        `name:"cluster-node" placeholder:"NAME" env:"CLUSTER_NODE" help:"Name of this node of a cluster that Surewires form themselves; the same after a restart."`
	Listen        string        `name:"cluster-listen" placeholder:"HOST:PORT" env:"CLUSTER_LISTEN" help:"Where the other nodes connect to."`
	Peers         []string      `name:"cluster-peers" placeholder:"HOST:PORT" env:"CLUSTER_PEERS" help:"The nodes of the cluster, three or more; this one may be among them."`
	ClusterSecret config.Secret `name:"cluster-secret" placeholder:"SECRET" env:"CLUSTER_SECRET" help:"What nodes show each other. @FILE reads it from a file."`
}

// Check names flags that do not go together.
func (e *Flags) Check() error {
	cluster := len(e.Peers) > 0
	switch {
	case cluster && (e.Node == "" || e.Listen == ""):
		return errors.New("--cluster-peers: a node needs --cluster-node and --cluster-listen too")
	case !cluster && (e.Node != "" || e.Listen != "" || len(e.ClusterSecret.Secret) > 0):
		return errors.New("--cluster-node, --cluster-listen and --cluster-secret are of a cluster: name its nodes with --cluster-peers")
	case cluster && len(e.NATS) > 0:
		return errors.New("--cluster-peers and --nats: a node is part of a cluster, or uses a NATS that exists")
	case e.Credentials != "" && len(e.NATS) == 0:
		return errors.New("--nats-credentials are for --nats")
	case e.Engine == "memory" && (cluster || len(e.NATS) > 0):
		return errors.New("--engine memory keeps channels in this process alone: leave it out for --nats and --cluster-peers")
	}
	_, err := e.urls()
	return err
}

// Limits bound what is kept, where no namespace says otherwise.
type Limits struct {
	surewire.Retention
	MaxPublication int
}

// An Open is an engine with what else there is to it. The engine is not embedded:
// what it can do besides would be hidden.
type Open struct {
	Engine surewire.Engine
	Stats  func() server.EngineStats // nil if it has none
	Store  func() server.StoreStats  // nil if it is not in this process
	Close  func(context.Context) error
}

// Open returns the engine. Its Close waits for what it keeps to be on the disk.
func (e *Flags) Open(ctx context.Context, l Limits, set namespace.Set, logger *slog.Logger) (_ *Open, err error) {
	if e.Engine == "memory" {
		m := memengine.New(memengine.Config{HistorySize: l.Size, HistoryTTL: l.TTL, Retention: set.Retention})
		return &Open{Engine: m, Close: m.Close}, nil
	}
	c := natsengine.Config{
		URLs: e.NATS, Credentials: e.Credentials, Replicas: e.Replicas, MaxSize: l.MaxPublication, Logger: logger,
		Profile: profiles(l, set), Shared: len(e.NATS) > 0 || len(e.Peers) > 0,
	}
	var s *natsembed.Server
	if len(e.NATS) == 0 {
		if s, err = e.embed(logger); err != nil {
			return nil, e.dataError(err)
		}
		c.InProcess, c.Generation, c.Guard, c.Current = s, s.Generation(), s.Healthy, s.Current
		if c.Replicas == 0 && len(e.Peers) > 0 {
			c.Replicas = 3
		}
	}
	late := time.AfterFunc(tryTimeout, func() {
		logger.Warn("the engine is waited for: is JetStream enabled, and does the majority of its nodes run?")
	})
	defer late.Stop()
	engine, err := natsengine.Open(ctx, c)
	if err != nil && s != nil {
		return nil, errors.Join(err, s.Close(context.WithoutCancel(ctx)))
	}
	if err != nil {
		return nil, e.natsError(err)
	}
	o := &Open{Engine: engine, Stats: func() server.EngineStats { return server.EngineStats(engine.Stats()) }, Close: engine.Close}
	if s != nil {
		o.Store = func() server.StoreStats { return server.StoreStats(s.Stats()) }
		o.Close = func(ctx context.Context) error { return errors.Join(engine.Close(ctx), s.Close(ctx)) }
	}
	return o, nil
}

// embed starts the NATS server in this process.
func (e *Flags) embed(logger *slog.Logger) (*natsembed.Server, error) {
	c := natsembed.Config{Dir: e.Data, Logger: logger}
	if len(e.Peers) > 0 {
		c.Cluster = &natsembed.Cluster{Node: e.Node, Listen: e.Listen, Peers: e.Peers, Secret: string(e.ClusterSecret.Secret)}
	}
	return natsembed.Start(c)
}

// profiles gives a namespace with bounds of its own a profile of its own.
func profiles(l Limits, set namespace.Set) func(channel string) natsengine.Profile {
	return func(channel string) natsengine.Profile {
		r := set.Retention(channel)
		p := natsengine.Profile{Retention: l.Retention}
		if r.Size > 0 || r.TTL > 0 {
			p.Name = namespace.Name(channel)
		}
		if r.Size > 0 {
			p.Size = r.Size
		}
		if r.TTL > 0 {
			p.TTL = r.TTL
		}
		return p
	}
}
