// Package natsembed runs a NATS server with JetStream inside the process: the
// store of an engine that needs no other service. It listens on nothing, unless
// it is one node of a cluster; connections are made with [Server.InProcessConn].
package natsembed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/surewire/surewire"
)

// Config says where a [Server] keeps its data. Dir is required.
type Config struct {
	Dir          string        // made if it is not there; belongs to one process at a time
	SyncInterval time.Duration // how much time of writing a loss of power may take; 0 means 1s
	SyncAlways   bool          // nothing: each write waits for the disk, which costs nine tenths of the rate
	MaxStore     int64         // bytes; 0 means as much as the disk has
	MinFree      int64         // free bytes of the disk below which nothing more is taken; 0 means 256 MiB, less than 0 none
	MaxPayload   int           // longest message with its headers, in bytes; 0 means 8 MiB
	Cluster      *Cluster      // nil: this server is alone
	Logger       *slog.Logger  // nil means [slog.Default]
}

func (c Config) withDefaults() Config {
	if c.SyncInterval <= 0 {
		c.SyncInterval = time.Second
	}
	if c.MaxStore <= 0 {
		c.MaxStore = 1 << 60
	}
	if c.MinFree == 0 {
		c.MinFree = 256 << 20
	}
	if c.MaxPayload <= 0 {
		c.MaxPayload = 8 << 20
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// startTimeout is how long a server may take to read its store.
const startTimeout = 2 * time.Minute

// A Server is a NATS server in this process. Its methods may be called
// concurrently.
type Server struct {
	// Static after construction.
	config     Config
	generation string
	stop       chan struct{} // closed by Close; ends watch and sync
	watched    sync.WaitGroup

	full     atomic.Bool           // the disk has too little room
	barred   atomic.Pointer[error] // why the folder cannot be written to; nil if it can
	faulty   atomic.Bool           // a write has failed: the server takes nothing until it is restarted
	down     atomic.Bool           // it is not running, because of that
	free     atomic.Int64          // bytes, as watch saw it last
	restarts atomic.Int64
	closed   atomic.Bool

	// Owned by watch, and by Close after it.
	folder *folder // given up while the server is down
	told   string  // the last reason why it stays down

	// mu guards the following.
	mu     sync.Mutex
	server *server.Server // nil while there is none
}

// Start opens the store in c.Dir and runs a server on it. It fails if the folder
// cannot be written to, or if another process has it. Close ends the server, and
// the two goroutines that look after the disk.
func Start(c Config) (*Server, error) {
	c = c.withDefaults()
	if c.Dir == "" {
		return nil, errors.New("natsembed: no folder for the data is given")
	}
	f, err := openFolder(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("natsembed: %w", err)
	}
	s := &Server{config: c, folder: f, stop: make(chan struct{})}
	if err := s.begin(); err != nil {
		f.release()
		return nil, fmt.Errorf("natsembed: %w", err)
	}
	s.watched.Go(s.watch)
	s.watched.Go(s.sync)
	return s, nil
}

func (s *Server) begin() error {
	life, err := s.folder.begin(s.config.SyncAlways)
	if err != nil {
		return err
	}
	if s.config.Cluster == nil { // else the other nodes have what this one may have lost
		s.generation = life
	}
	s.look()
	ns, err := s.run()
	s.server = ns
	return err
}

// run starts a server and waits until it has read its store.
func (s *Server) run() (*server.Server, error) {
	o, err := s.options()
	if err != nil {
		return nil, err
	}
	ns, err := server.NewServer(o)
	if err != nil {
		return nil, err
	}
	l := &logger{Logger: s.config.Logger, faulty: &s.faulty}
	ns.SetLoggerV2(l, false, false, false)
	ns.Start()
	if !s.wait(ns, l) || !ns.JetStreamEnabled() {
		ns.Shutdown()
		ns.WaitForShutdown()
		if text := l.fatal.Load(); text != nil {
			return nil, errors.New(*text)
		}
		return nil, fmt.Errorf("the server was not ready within %v", startTimeout)
	}
	return ns, nil
}

// wait reports whether ns becomes ready. It does not wait for one that has given
// up, nor beyond Close.
func (s *Server) wait(ns *server.Server, l *logger) bool {
	for end := time.Now().Add(startTimeout); l.fatal.Load() == nil && time.Now().Before(end); {
		if ns.ReadyForConnections(100 * time.Millisecond) {
			return l.fatal.Load() == nil
		}
		select {
		case <-s.stop:
			return false
		default:
		}
	}
	return false
}

func (s *Server) options() (*server.Options, error) {
	o := &server.Options{
		ServerName: "surewire", DontListen: true, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: filepath.Join(s.config.Dir, "store"),
		JetStreamMaxStore: s.config.MaxStore, JetStreamMaxMemory: 64 << 20,
		SyncInterval: s.config.SyncInterval, SyncAlways: s.config.SyncAlways,
		MaxPayload: int32(s.config.MaxPayload),
	}
	if s.config.Cluster != nil {
		if err := s.config.Cluster.apply(o); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// running returns the server, nil while there is none.
func (s *Server) running() *server.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server
}

// InProcessConn returns a connection to the server: what nats.go asks of an
// in-process server. It fails while the server is restarted.
func (s *Server) InProcessConn() (net.Conn, error) {
	ns := s.running()
	if ns == nil {
		return nil, fmt.Errorf("natsembed: %w: the server is not running", surewire.ErrUnavailable)
	}
	return ns.InProcessConn()
}

// Generation changes where the store may have lost what had been acknowledged:
// when the machine went down before the store was closed, unless each write
// waited for the disk. It is empty until that happens for the first time, and in
// a cluster, where the other nodes have it.
func (s *Server) Generation() string { return s.generation }

// Healthy returns nil if the store takes what is published, else an error that
// wraps [surewire.ErrUnavailable] or [surewire.ErrClosed]. It does not wait.
func (s *Server) Healthy() error {
	barred := s.barred.Load()
	switch {
	case s.closed.Load():
		return surewire.ErrClosed
	case barred != nil:
		return fmt.Errorf("%w: %s cannot be written to: %w", surewire.ErrUnavailable, s.config.Dir, *barred)
	case s.full.Load():
		return fmt.Errorf("%w: the disk of %s has %d MiB free, and %d MiB are kept free",
			surewire.ErrUnavailable, s.config.Dir, s.free.Load()>>20, s.config.MinFree>>20)
	case s.faulty.Load() || s.down.Load():
		return fmt.Errorf("%w: a write to %s has failed; the store will be opened again", surewire.ErrUnavailable, s.config.Dir)
	}
	return nil
}

// Stats are figures of a [Server].
type Stats struct {
	Free     int64 // bytes of the disk
	Used     int64 // bytes of the store
	Restarts int64 // of the server, after a write that had failed
}

// Stats returns figures as they are now.
func (s *Server) Stats() Stats {
	out := Stats{Free: s.free.Load(), Restarts: s.restarts.Load()}
	if ns := s.running(); ns != nil {
		if info, err := ns.Jsz(nil); err == nil {
			out.Used = int64(info.Store)
		}
	}
	return out
}

// Close ends the server, once what it was given is on the disk. It returns
// [surewire.ErrClosed] the second time, and ctx's error if that is done before.
func (s *Server) Close(ctx context.Context) error {
	if s.closed.Swap(true) {
		return surewire.ErrClosed
	}
	close(s.stop)
	done := make(chan error, 1)
	go func() { // ends when the server has; ctx only ends the waiting
		s.watched.Wait()
		s.shutdown()
		done <- s.folder.finish()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Server) shutdown() {
	s.mu.Lock()
	ns := s.server
	s.server = nil
	s.mu.Unlock()
	if ns != nil {
		s.handOver(ns)
		ns.Shutdown()
		ns.WaitForShutdown()
	}
}
