package link

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/hub/internal/live"
	"github.com/surewire/surewire/memengine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A pipe is a transport that takes everything, or as much as a test says.
type pipe struct {
	try    func(b []byte) int // how much TryWrite takes; nil for all
	write  func(b []byte)     // called by Write; may be nil
	mu     sync.Mutex
	got    []byte
	closed surewire.Disconnect
}

func (p *pipe) TryWrite(b []byte) (int, error) {
	n := len(b)
	if p.try != nil {
		n = p.try(b)
	}
	return n, p.take(b[:n])
}

func (p *pipe) Write(b []byte, _ time.Time) error {
	if p.write != nil {
		p.write(b)
	}
	return p.take(b)
}

func (p *pipe) take(b []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, b...)
	return nil
}

func (p *pipe) Close(d surewire.Disconnect) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Code == 0 {
		p.closed = d
	}
	return nil
}

func (p *pipe) has(s string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Contains(p.got, []byte(s))
}

func line(dst, payload []byte) []byte { return append(append(dst, payload...), '\n') }

type framer struct{}

func (framer) AppendMessage(dst []byte, channel string, m *surewire.Message) []byte {
	return fmt.Appendf(dst, "%s:%d\n", channel, m.Position.Offset)
}

// A stage is what a link works with.
type stage struct {
	*testing.T
	engine   *memengine.Engine
	channels *live.Channels
	config   Config
}

// A seat is one cursor's owner.
type seat struct{ Cursor }

func (s *seat) Lost() {}

func onStage(t *testing.T, tailLen int, f func(t *testing.T, s *stage)) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{T: t, engine: memengine.New(memengine.Config{HistorySize: 1 << 20})}
		s.channels = live.New(live.Config{Engine: s.engine, TailLen: tailLen, TailSize: 1 << 20, Budget: 1 << 30})
		s.config = Config{Ping: []byte("ping"), PongTimeout: 8 * time.Second, WriteTimeout: time.Second, CatchUps: 1000, History: s.engine.History}
		f(t, s)
		synctest.Wait()
		s.channels.Close()
		s.engine.Close(context.Background())
	})
}

// open has a link read channels, live.
func (s *stage) open(p *pipe, channels ...string) (*Link, []*seat) {
	l := New(p, line, &s.config)
	var seats []*seat
	var cursors []*Cursor
	for _, name := range channels {
		ch, err := s.channels.Join(s.Context(), name, 0)
		if err != nil {
			s.Fatal(err)
		}
		one := &seat{Cursor{Channel: ch}}
		one.Add(l, one, framer{}, nil)
		seats, cursors = append(seats, one), append(cursors, &one.Cursor)
	}
	l.Begin([]byte("begun"), cursors...)
	l.Flush()
	return l, seats
}

func (s *stage) end(l *Link, seats []*seat) {
	var cursors []*Cursor
	for _, one := range seats {
		cursors = append(cursors, &one.Cursor)
	}
	l.End(nil, cursors)
	for _, one := range seats {
		one.Channel.Remove(&one.Place)
		one.Channel.Leave()
	}
}

func (s *stage) publish(channel string) {
	if _, err := s.engine.Publish(context.Background(), channel, surewire.Publication{Data: []byte("1")}); err != nil {
		s.Error(err)
	}
}

// Who wakes a link whose client gets more all the time must come back to its own
// work: the other readers of its channel, the client's commands, the pings.
func TestTheWriterIsNotKept(t *testing.T) {
	onStage(t, 256, func(t *testing.T, s *stage) {
		const most = 2000
		var seats []*seat
		var writes int
		more := func() {
			if writes++; writes < most && len(seats) > 0 {
				s.publish("c")
				seats[0].Wake() // and so, when the caller looks again, there is more
			}
		}
		p := &pipe{try: func(b []byte) int { more(); return len(b) }}
		var l *Link
		l, seats = s.open(p, "c")
		s.publish("c")
		synctest.Wait()
		p.try, p.write = nil, nil
		writes = 0
		p.try = func(b []byte) int { more(); return len(b) }
		blocked := make(chan struct{})
		p.write = func([]byte) { <-blocked }
		s.publish("c")
		synctest.Wait()
		if writes > 100 {
			t.Errorf("a caller that only woke the link wrote %d times", writes)
		}
		close(blocked)
		synctest.Wait()
		p.mu.Lock()
		got := bytes.Count(p.got, []byte("c:"))
		p.mu.Unlock()
		if head := int(seats[0].Channel.Position().Offset); got != head {
			t.Errorf("the client got %d of %d", got, head)
		}
		s.end(l, seats)
	})
}

// A channel that is always ahead of its reader does not keep the others back.
func TestCatchUpsTakeTurns(t *testing.T) {
	onStage(t, 4, func(t *testing.T, s *stage) {
		busy := 0
		s.config.History = func(ctx context.Context, channel string, after surewire.Position, limit int) (surewire.History, error) {
			h, err := s.engine.History(ctx, channel, after, limit)
			if channel == "busy" && busy < 500 {
				busy++
				for range 5 {
					s.publish("busy")
				}
			}
			return h, err
		}
		full, hold := true, make(chan struct{})
		p := &pipe{try: func(b []byte) int {
			if full {
				return 0
			}
			return len(b)
		}}
		first := true
		var quietAfter int
		p.write = func(b []byte) {
			if first {
				first = false
				<-hold
			}
			if bytes.Contains(b, []byte("quiet2:9\n")) {
				quietAfter = busy
			}
		}
		l, seats := s.open(p, "quiet1", "busy", "quiet2")
		for _, channel := range []string{"quiet1", "busy", "quiet2"} {
			for range 10 {
				s.publish(channel)
			}
			synctest.Wait()
		}
		full = false
		close(hold)
		synctest.Wait()
		if busy < 500 || quietAfter == 0 || quietAfter > 3 {
			t.Errorf("a quiet channel was served after %d reads of the busy one", quietAfter)
		}
		for _, one := range seats {
			head := one.Channel.Position().Offset
			p.mu.Lock()
			got := bytes.Count(p.got, []byte(one.Channel.Name()+":"))
			p.mu.Unlock()
			if got != int(head) {
				t.Errorf("%s: got %d of %d", one.Channel.Name(), got, head)
			}
		}
		if len(l.late) > 0 {
			t.Errorf("%d are late still", len(l.late))
		}
		s.end(l, seats)
	})
}

func TestPongs(t *testing.T) {
	onStage(t, 4, func(t *testing.T, s *stage) {
		p := &pipe{}
		l, _ := s.open(p)
		if l.Pong() == nil {
			t.Error("a pong without a ping was taken")
		}
		l.Ping()
		time.Sleep(30 * time.Millisecond)
		if err := l.Pong(); err != nil || l.Stats().RTT != 30*time.Millisecond {
			t.Errorf("%v, RTT %v", err, l.Stats().RTT)
		}
		if l.Pong() == nil {
			t.Error("a second pong was taken")
		}
		// A client whose command takes long answers two pings when it is heard again.
		l.Working(true)
		l.Ping()
		time.Sleep(25 * time.Second)
		l.CheckPong()
		l.Ping()
		time.Sleep(time.Second)
		l.CheckPong()
		for range 2 {
			if err := l.Pong(); err != nil {
				t.Error(err)
			}
		}
		if l.Pong() == nil || l.Stats().RTT != time.Second {
			t.Errorf("a third pong, or RTT %v", l.Stats().RTT)
		}
		l.Working(false)
		l.CheckPong()
		if !l.IsOpen() {
			t.Fatal("a client that answers was closed")
		}
		l.Ping()
		time.Sleep(7 * time.Second)
		l.CheckPong()
		if !l.IsOpen() {
			t.Error("it was closed early")
		}
		time.Sleep(time.Second)
		l.CheckPong()
		if l.IsOpen() || p.closed != surewire.DisconnectNoPong {
			t.Errorf("a silent client was closed with %v", p.closed)
		}
		l.End(nil, nil)
	})
}

// Work for a link that has ended is not begun, and what works is waited for.
func TestGo(t *testing.T) {
	onStage(t, 4, func(t *testing.T, s *stage) {
		l, _ := s.open(&pipe{})
		done := false
		ctx, release := l.Work(time.Hour)
		defer release()
		l.Go(func() { <-ctx.Done(); time.Sleep(time.Second); done = true })
		l.End(nil, nil)
		if !done {
			t.Error("End did not wait")
		}
		l.Go(func() { t.Error("work for nobody") })
		if ctx, release := l.Work(time.Hour); ctx.Err() == nil {
			t.Error("what works for a link that has ended is not told to end")
		} else {
			release()
		}
	})
}

func TestWhatIsOwedLeavesBeforeTheEnd(t *testing.T) {
	onStage(t, 4, func(t *testing.T, s *stage) {
		for _, takes := range []int{1 << 20, 3, 0} {
			p := &pipe{try: func(b []byte) int { return min(takes, len(b)) }}
			l := New(p, line, &s.config)
			l.Queue([]byte("reply"))
			l.Close(surewire.DisconnectExpired)
			l.Queue([]byte("late"))
			synctest.Wait()
			if p.closed != surewire.DisconnectExpired || !p.has("reply") || p.has("late") {
				t.Errorf("a socket that takes %d got %q and %v", takes, p.got, p.closed)
			}
			if err := l.End(context.Canceled, nil); err != error(surewire.DisconnectExpired) {
				t.Errorf("End returned %v", err)
			}
		}
	})
}

func BenchmarkIdle(b *testing.B) {
	c := &Config{}
	b.ReportAllocs()
	for b.Loop() {
		New(&pipe{}, line, c)
	}
}
