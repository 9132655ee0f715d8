package natsembed

import (
	"errors"
	"time"
)

// watchEvery is how often the disk is looked at: a disk that takes 500 MiB a
// second fills half of the default of Config.MinFree meanwhile.
const watchEvery = 250 * time.Millisecond

// restartPause is how long a server that failed to write is left alone before
// it is tried again.
const restartPause = time.Second

// watch looks at the disk until Close, and restarts a server that a failed write
// has stopped. A full disk is not told to publishers by JetStream: they time out,
// and do so until the server is restarted.
func (s *Server) watch() {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
			s.look()
			if s.faulty.Load() && !s.full.Load() {
				s.restart()
			}
		}
	}
}

// look asks whether the folder can be written to, and how much room there is. Once
// there is too little, it takes a sixteenth more until there is enough: a disk at
// the border does not flap.
func (s *Server) look() {
	if err := writable(s.config.Dir, lockName); err == nil {
		if s.barred.Swap(nil) != nil {
			s.config.Logger.Info("the data folder can be written to again", "dir", s.config.Dir)
		}
	} else if s.barred.Swap(&err) == nil {
		s.config.Logger.Error("the data folder cannot be written to: publications are refused", "dir", s.config.Dir, "error", err)
	}
	free, ok := freeBytes(s.config.Dir)
	if !ok {
		return
	}
	s.free.Store(free)
	limit := s.config.MinFree
	if s.full.Load() {
		limit += limit / 16
	}
	full := free < limit
	if s.full.Swap(full) != full {
		if full {
			s.config.Logger.Error("the disk is full: publications are refused", "dir", s.config.Dir, "free", free, "min_free", s.config.MinFree)
		} else {
			s.config.Logger.Info("the disk has room again", "dir", s.config.Dir, "free", free)
		}
	}
}

// restart ends the server, and starts one on the same store as soon as that can be
// written to; until then no file is open, so that its disk can be unmounted and
// repaired. Its clients connect again by themselves.
func (s *Server) restart() {
	if !s.down.Swap(true) {
		s.config.Logger.Warn("a write has failed: the store is opened again", "dir", s.config.Dir)
		s.shutdown()
		s.folder.release()
	}
	select {
	case <-s.stop:
		return
	case <-time.After(restartPause):
	}
	if s.look(); s.barred.Load() != nil || s.full.Load() {
		return
	}
	err := s.folder.retake()
	if err == nil {
		err = s.again()
	}
	if err != nil {
		if text := err.Error(); text != s.told { // it may go on for hours
			s.told = text
			s.config.Logger.Error("the store could not be opened; it is tried again", "dir", s.config.Dir, "error", err)
		}
		return
	}
	s.told = ""
	s.restarts.Add(1)
	s.down.Store(false)
}

// again runs a server on a folder that this process has.
func (s *Server) again() error {
	s.faulty.Store(false)
	ns, err := s.run()
	if err != nil {
		s.faulty.Store(true)
		return errors.Join(err, s.folder.release())
	}
	s.mu.Lock()
	s.server = ns
	s.mu.Unlock()
	return nil
}
