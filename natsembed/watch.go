package natsembed

import (
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

// look asks how much room there is. Once there is too little, it takes a
// sixteenth more until there is enough: a disk at the border does not flap.
func (s *Server) look() {
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

// restart ends the server and starts one on the same store. Its clients connect
// again by themselves.
func (s *Server) restart() {
	s.config.Logger.Warn("a write has failed: the store is opened again", "dir", s.config.Dir)
	s.shutdown()
	select {
	case <-s.stop:
		return
	case <-time.After(restartPause):
	}
	s.faulty.Store(false)
	ns, err := s.run()
	if err != nil {
		s.faulty.Store(true)
		s.config.Logger.Error("the store could not be opened", "dir", s.config.Dir, "error", err)
		return
	}
	s.restarts.Add(1)
	s.mu.Lock()
	s.server = ns
	s.mu.Unlock()
}
