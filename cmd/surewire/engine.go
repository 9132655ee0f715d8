package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/cmd/surewire/internal/config"
	"github.com/surewire/surewire/memengine"
	"github.com/surewire/surewire/namespace"
	"github.com/surewire/surewire/natsembed"
	"github.com/surewire/surewire/natsengine"
)

// engineFlags say where channels are kept.
type engineFlags struct {
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

// check names flags that do not go together.
func (e *engineFlags) check() error {
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
	return nil
}

// open returns the engine and what closes it, which waits for what it keeps to be
// on the disk.
func (e *engineFlags) open(ctx context.Context, l limitsFlags, set namespace.Set, logger *slog.Logger) (_ surewire.Engine, end func(context.Context) error, err error) {
	if e.Engine == "memory" {
		m := memengine.New(memengine.Config{HistorySize: l.HistorySize, HistoryTTL: l.HistoryTTL, Retention: set.Retention})
		return m, m.Close, nil
	}
	c := natsengine.Config{
		URLs: e.NATS, Credentials: e.Credentials, Replicas: e.Replicas, MaxSize: l.MaxPublication, Logger: logger,
		Profile: profiles(l, set), Shared: len(e.NATS) > 0 || len(e.Peers) > 0,
	}
	var s *natsembed.Server
	if len(e.NATS) == 0 {
		if s, err = e.embed(logger); err != nil {
			return nil, nil, fmt.Errorf("--data %s: %w", e.Data, err)
		}
		c.InProcess, c.Generation, c.Guard = s, s.Generation(), s.Healthy
		if c.Replicas == 0 && len(e.Peers) > 0 {
			c.Replicas = 3
		}
	}
	engine, err := natsengine.Open(ctx, c)
	if err != nil {
		if s != nil {
			err = errors.Join(err, s.Close(context.WithoutCancel(ctx)))
		}
		return nil, nil, err
	}
	return engine, func(ctx context.Context) error {
		err := engine.Close(ctx)
		if s != nil {
			err = errors.Join(err, s.Close(ctx))
		}
		return err
	}, nil
}

// embed starts the NATS server in this process.
func (e *engineFlags) embed(logger *slog.Logger) (*natsembed.Server, error) {
	c := natsembed.Config{Dir: e.Data, Logger: logger}
	if len(e.Peers) > 0 {
		c.Cluster = &natsembed.Cluster{Node: e.Node, Listen: e.Listen, Peers: e.Peers, Secret: string(e.ClusterSecret.Secret)}
	}
	return natsembed.Start(c)
}

// tryTimeout is how long an engine has to answer.
const tryTimeout = 10 * time.Second

// try opens what keeps the channels, and says how it is; a node of a cluster and a
// folder that is not there stay as they are.
func (e *engineFlags) try(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	switch {
	case e.Engine == "memory":
		fmt.Fprintln(out, "\nChannels are kept in memory: what was published ends with the process.")
		return nil
	case len(e.Peers) > 0:
		fmt.Fprintf(out, "\nNode %s is not started for this: the others would take it into their cluster. Once it runs, GET /readyz says how it is.\n", e.Node)
		return nil
	case len(e.NATS) > 0:
		return e.tryNATS(ctx, out)
	}
	if _, err := os.Stat(e.Data); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(out, "\nChannels are kept in %s, which is not there yet: serve makes it.\n", e.Data)
		return nil
	}
	s, err := e.embed(slog.New(slog.DiscardHandler))
	if err != nil {
		return fmt.Errorf("--data %s: %w", e.Data, err)
	}
	n := s.Stats()
	fmt.Fprintf(out, "\nChannels are kept in %s: %d MiB, and %d MiB of the disk are free.\n", e.Data, n.Used>>20, n.Free>>20)
	if err = s.Healthy(); err != nil {
		err = fmt.Errorf("--data %s: nothing can be published: %w", e.Data, err)
	}
	return errors.Join(err, s.Close(ctx))
}

// tryNATS tries a NATS that exists.
func (e *engineFlags) tryNATS(ctx context.Context, out io.Writer) error {
	var shown []string // a URL may hold a password
	for _, text := range e.NATS {
		u, err := url.Parse(text)
		if err != nil {
			return errors.New("--nats: want URLs such as nats://10.0.0.1:4222")
		}
		shown = append(shown, u.Redacted())
	}
	urls := strings.Join(shown, ", ")
	engine, err := natsengine.Open(ctx, natsengine.Config{URLs: e.NATS, Credentials: e.Credentials, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("--nats %s: %w", urls, err)
	}
	if err = engine.Healthy(ctx); err == nil {
		fmt.Fprintf(out, "\nChannels are kept in the NATS at %s: it answers, and has JetStream.\n", urls)
	}
	return errors.Join(err, engine.Close(ctx))
}

// profiles gives a namespace with bounds of its own a profile of its own.
func profiles(l limitsFlags, set namespace.Set) func(channel string) natsengine.Profile {
	return func(channel string) natsengine.Profile {
		r := set.Retention(channel)
		p := natsengine.Profile{Retention: surewire.Retention{Size: l.HistorySize, TTL: l.HistoryTTL}}
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
