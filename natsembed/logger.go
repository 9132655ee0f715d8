package natsembed

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
)

// A logger is what the server logs to. Its notices, of each start a dozen, are
// for debugging.
type logger struct {
	*slog.Logger
	faulty *atomic.Bool           // set when a write has failed
	fatal  atomic.Pointer[string] // why the server cannot go on; nil if it can
}

func (l *logger) log(level slog.Level, format string, args []any) string {
	text := fmt.Sprintf(format, args...)
	l.Logger.Log(context.Background(), level, text, "from", "nats")
	return text
}

func (l *logger) Noticef(format string, args ...any) { l.log(slog.LevelDebug, format, args) }
func (l *logger) Debugf(format string, args ...any)  { l.log(slog.LevelDebug, format, args) }
func (l *logger) Tracef(format string, args ...any)  { l.log(slog.LevelDebug, format, args) }

func (l *logger) Warnf(format string, args ...any) {
	l.note(l.log(slog.LevelWarn, format, args))
}

func (l *logger) Errorf(format string, args ...any) {
	l.note(l.log(slog.LevelError, format, args))
}

// Fatalf does not end the process: whoever started the server decides.
func (l *logger) Fatalf(format string, args ...any) {
	text := l.log(slog.LevelError, format, args)
	l.fatal.Store(&text)
}

// note looks for the writes that fail: there is no other sign of them.
func (l *logger) note(text string) {
	for _, sign := range []string{"critical write error", "failed to store a msg", "disabling JetStream", "no space left on device"} {
		if strings.Contains(text, sign) {
			l.faulty.Store(true)
		}
	}
}
