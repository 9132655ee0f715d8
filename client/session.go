package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/wire"
)

// A session is one WebSocket to a server.
type session struct {
	conn     net.Conn
	reader   *wsutil.Reader
	patience time.Duration // how long the server may say nothing
	end      sync.Once
}

// maxFrame is the longest frame that a server may send, in bytes.
const maxFrame = 32 << 20

// handshakeTimeout bounds the way to a connection.
const handshakeTimeout = 10 * time.Second

func dial(ctx context.Context, endpoint string) (*session, error) {
	conn, early, _, err := ws.Dialer{Timeout: handshakeTimeout}.Dial(ctx, endpoint)
	if err != nil {
		return nil, refused(err)
	}
	s := &session{conn: conn, patience: handshakeTimeout}
	var source io.Reader = conn
	if early != nil {
		source = early
	}
	control := wsutil.ControlFrameHandler(conn, ws.StateClientSide)
	s.reader = &wsutil.Reader{Source: source, State: ws.StateClientSide, CheckUTF8: true, MaxFrameSize: maxFrame, OnIntermediate: control}
	return s, nil
}

// refused turns an answer that will not change into a stop.
func refused(err error) error {
	var status ws.StatusError
	if errors.As(err, &status) && status >= 400 && status < 500 &&
		status != http.StatusRequestTimeout && status != http.StatusTooManyRequests {
		return &stopError{err}
	}
	return err
}

// send writes the commands in one frame.
func (s *session) send(cmds ...wire.Command) error {
	var frame []byte
	for i, c := range cmds {
		if i > 0 {
			frame = append(frame, '\n')
		}
		frame = wire.AppendCommand(frame, c)
	}
	s.conn.SetWriteDeadline(time.Now().Add(handshakeTimeout))
	return wsutil.WriteClientText(s.conn, frame)
}

// read returns the next message. A close that gives a code is a
// [surewire.Disconnect].
func (s *session) read() ([]byte, error) {
	s.conn.SetReadDeadline(time.Now().Add(s.patience))
	for {
		h, err := s.reader.NextFrame()
		if err != nil {
			return nil, err
		}
		if h.OpCode.IsControl() {
			if err := s.reader.OnIntermediate(h, s.reader); err != nil {
				return nil, closed(err)
			}
			continue
		}
		return io.ReadAll(s.reader)
	}
}

func closed(err error) error {
	var c wsutil.ClosedError
	if errors.As(err, &c) {
		return surewire.Disconnect{Code: uint16(c.Code), Reason: c.Reason}
	}
	return err
}

func (s *session) close() { s.end.Do(func() { s.conn.Close() }) }
