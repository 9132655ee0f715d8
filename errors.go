package surewire

import (
	"errors"
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

	// ErrUnknownChannel: the channel is of no namespace of the server's; nothing was done.
	ErrUnknownChannel = errors.New("unknown channel")

	// ErrInvalid: the publication is not what its channel takes; nothing was stored.
	ErrInvalid = errors.New("the publication is not what the channel takes: nothing was stored")

	// ErrBreach: the publication is for one user, and the channel may have other readers; nothing was stored.
	ErrBreach = errors.New("the publication is for one user, and the channel may have other readers: nothing was stored")

	// ErrRepaired: a strict publisher met a value that needed a repair; nothing was stored.
	ErrRepaired = errors.New("value needed a repair, and the publisher is strict: nothing was stored")
)
