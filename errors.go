package surewire

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Errors that a caller branches on. Test with [errors.Is].
var (
	// ErrBusy: the engine has too much to do; nothing was stored; retry later.
	ErrBusy = errors.New("engine is busy: nothing was stored, retry later")

	// ErrUnknown: the outcome is not known; retry with the same ID.
	ErrUnknown = errors.New("outcome is unknown: retry with the same ID")

	// ErrUnavailable: the engine cannot store now, for lack of a quorum or of space.
	ErrUnavailable = errors.New("engine is unavailable")

	// ErrClosed: the engine, hub or connection was closed.
	ErrClosed = errors.New("closed")

	// ErrTooLarge: the encoded value is longer than is allowed; nothing was stored.
	ErrTooLarge = errors.New("publication is too large: nothing was stored")

	// ErrChannel: the channel name is not one; nothing was done.
	ErrChannel = errors.New("bad channel name")

	// ErrInvalid: the publication is not what its channel takes; nothing was stored.
	ErrInvalid = errors.New("the publication is not what the channel takes: nothing was stored")

	// ErrBreach: the publication is for another than the channel is; nothing was stored.
	ErrBreach = errors.New("the publication is for another user than the channel: nothing was stored")

	// ErrRepaired: a strict publisher met a value that needed a repair; nothing was stored.
	ErrRepaired = errors.New("value needed a repair, and the publisher is strict: nothing was stored")
)

// MaxChannelLength is the longest channel name, in bytes.
const MaxChannelLength = 255

// CheckChannel returns nil if name can name a channel: 1 to [MaxChannelLength]
// bytes of printable UTF-8 without spaces. Otherwise the error wraps
// [ErrChannel] and says what is wrong, and where.
func CheckChannel(name string) error {
	if name == "" {
		return fmt.Errorf("%w: it is empty", ErrChannel)
	}
	if len(name) > MaxChannelLength {
		return fmt.Errorf("%w: %d bytes are more than %d", ErrChannel, len(name), MaxChannelLength)
	}
	for i, r := range name {
		if '!' <= r && r <= '~' {
			continue
		}
		if _, n := utf8.DecodeRuneInString(name[i:]); r == utf8.RuneError && n == 1 {
			return fmt.Errorf("%w: byte %#02x at offset %d is not UTF-8", ErrChannel, name[i], i)
		}
		if !unicode.IsPrint(r) || r == ' ' {
			return fmt.Errorf("%w: %U at offset %d is not allowed", ErrChannel, r, i)
		}
	}
	return nil
}
