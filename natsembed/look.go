package natsembed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nats-io/nats-server/v2/server"
)

// A Place is a data folder that no server was started on.
type Place struct {
	There bool  // else [Start] makes it
	Free  int64 // bytes of the disk
}

// Look says how dir is, and leaves it as it is: it returns the error that [Start]
// would, as far as that can be known. A server that starts at the same moment may
// find the folder in use.
func Look(dir string) (Place, error) {
	p := Place{There: true}
	at := dir
	for {
		info, err := os.Stat(at)
		if err == nil && !info.IsDir() {
			return p, fmt.Errorf("natsembed: the data folder cannot be made: %s is a file", at)
		}
		if err == nil {
			break
		}
		above := filepath.Dir(at)
		if !errors.Is(err, fs.ErrNotExist) || above == at {
			return p, fmt.Errorf("natsembed: the data folder cannot be made: %w", err)
		}
		p.There, at = false, above
	}
	p.Free, _ = freeBytes(at)
	if err := writable(at, lockName); err != nil {
		return p, fmt.Errorf("natsembed: the data folder cannot be written to: %w", &fs.PathError{Op: "access", Path: at, Err: err})
	}
	if !p.There {
		return p, nil
	}
	lock, err := os.Open(filepath.Join(dir, lockName))
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("natsembed: the data folder cannot be read: %w", err)
	}
	defer lock.Close()
	if err := lockFile(lock); err != nil {
		return p, fmt.Errorf("natsembed: the data folder %s is in use by another process: %w", dir, err)
	}
	return p, nil
}

// Contents are what the store of a [Server] keeps.
type Contents struct {
	Streams  int
	Subjects int // with a message
	Messages uint64
}

// Contents counts what is kept. It goes over all streams.
func (s *Server) Contents() (c Contents, err error) {
	ns := s.running()
	if ns == nil {
		return c, errors.New("natsembed: the server is not running")
	}
	err = eachStream(ns, func(_ streamID, stream *server.StreamDetail) {
		c.Streams++
		c.Subjects += stream.State.NumSubjects
		c.Messages += stream.State.Msgs
	})
	if err != nil {
		return c, fmt.Errorf("natsembed: %w", err)
	}
	return c, nil
}
