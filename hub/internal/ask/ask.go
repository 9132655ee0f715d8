// Package ask puts questions to the application and bounds what its answers can
// do: a panic costs one command, and a reason for a refusal goes to the log only.
package ask

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/hub/internal/contain"
	"github.com/surewire/surewire/wire"
)

// An Application is who says who may do what.
type Application struct {
	Authorizer access.Authorizer
	Publisher  *surewire.Publisher
	Logger     *slog.Logger
	Command    func(ctx context.Context, name string) (context.Context, func(error)) // may be nil
}

// Begin tells who wants to know that a client's command begins. The command is
// carried out with the context, and then ended is called.
func (a Application) Begin(ctx context.Context, cmd *wire.Command) (_ context.Context, ended func(error)) {
	if a.Command == nil {
		return ctx, func(error) {}
	}
	return a.Command(ctx, cmd.Name())
}

// Connect asks whether a client may connect, or stay.
func (a Application) Connect(ctx context.Context, r access.ConnectRequest) (s access.Session, err error) {
	err = a.Decide(ctx, r.Client, func() error { s, err = a.Authorizer.Connect(ctx, r); return err })
	return s, err
}

// Subscribe asks whether c may read a channel, or go on reading it.
func (a Application) Subscribe(ctx context.Context, c access.Client, r access.SubscribeRequest) (g access.Grant, err error) {
	err = a.Decide(ctx, c, func() error { g, err = a.Authorizer.Subscribe(ctx, c, r); return err })
	return g, err
}

// Allow asks whether c may do what r says.
func (a Application) Allow(ctx context.Context, c access.Client, r access.ActionRequest) error {
	return a.Decide(ctx, c, func() error { return a.Authorizer.Allow(ctx, c, r) })
}

// Decide asks the application and returns what its refusal becomes: what it says
// itself, or that permission is denied. The reason is for the log. Its error is
// looked at here, and goes no further: its methods may panic too.
func (a Application) Decide(ctx context.Context, c access.Client, application func() error) (err error) {
	defer contain.Panic(&err)
	var d surewire.Disconnect
	var e *wire.Error
	switch err := application(); {
	case err == nil:
		return nil
	case errors.As(err, &d) && d.Code != 0:
		return d
	case errors.As(err, &e) && e != nil:
		return e
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fmt.Errorf("the application: %v", err)
	default:
		a.Logger.LogAttrs(ctx, slog.LevelDebug, "refused", slog.String("client", c.ID), slog.String("reason", fmt.Sprint(err)))
		return wire.ErrPermissionDenied
	}
}

// Tell calls one of the handlers that have no say.
func (a Application) Tell(handler func()) {
	if err := contain.Call(handler); err != nil {
		a.Logger.Error("handler failed", slog.String("error", err.Error()))
	}
}

// Refused reports whether err is a refusal, and not a failure that may pass.
func Refused(err error) bool {
	var d surewire.Disconnect
	var e *wire.Error
	return errors.As(err, &d) || errors.As(err, &e) && !e.Temporary
}

// Untaken is what a client is told whose publication was not taken.
func Untaken(err error) error {
	switch {
	case errors.Is(err, surewire.ErrUnknownChannel):
		return wire.ErrUnknownChannel
	case errors.Is(err, surewire.ErrBreach):
		return wire.ErrPermissionDenied
	case errors.Is(err, surewire.ErrChannel), errors.Is(err, surewire.ErrRepaired), errors.Is(err, surewire.ErrInvalid):
		return wire.ErrBadRequest.With(err.Error())
	case errors.Is(err, surewire.ErrTooLarge):
		return wire.ErrLimitExceeded.With(err.Error())
	case errors.Is(err, surewire.ErrBusy):
		return wire.ErrTooManyRequests
	}
	return err
}

// Encode returns what the application has for others and for a client as JSON
// values, nil for nil. Repairs are reported as those of publications are.
func (a Application) Encode(ctx context.Context, what string, info, data any) (i, d []byte, err error) {
	if info != nil {
		i, _, err = a.Publisher.Encode(ctx, what, info)
	}
	if err == nil && data != nil {
		d, _, err = a.Publisher.Encode(ctx, what, data)
	}
	return i, d, err
}

// Answer returns the application's answer to who as one JSON value.
func (a Application) Answer(ctx context.Context, who access.Client, handler func(access.Client) (any, error)) (data []byte, err error) {
	var v any
	if err = a.Decide(ctx, who, func() error { v, err = handler(who); return err }); err != nil {
		return nil, err
	}
	data, _, err = a.Publisher.Encode(ctx, "rpc", v)
	return data, err
}

// Info is what others may see of a client in a channel.
func Info(c access.Client, chanInfo []byte) *surewire.ClientInfo {
	return &surewire.ClientInfo{Client: c.ID, User: c.User, Conn: c.Info, Chan: chanInfo}
}

// Told returns what a client is told of err, and whether that is all that can be
// said of it. Its second result is not the zero Disconnect where err ends the
// connection instead.
func Told(err error) (e *wire.Error, bye surewire.Disconnect, known bool) {
	switch {
	case errors.As(err, &bye), errors.As(err, &e):
		return e, bye, true
	}
	return wire.ErrInternal, bye, false
}

// Disconnect returns what a client is told that is closed for err.
func Disconnect(err error) surewire.Disconnect {
	var d surewire.Disconnect
	switch {
	case errors.As(err, &d):
		return d
	case errors.Is(err, wire.ErrFrame):
		return surewire.DisconnectBadRequest
	}
	return surewire.DisconnectServerError
}
