package hub

import (
	"context"
	"errors"
)

// A Client is who is at the other end of a connection.
type Client struct {
	ID   string // of the connection
	User string // empty if anonymous
}

// A ConnectRequest is what a client says of itself when it connects.
type ConnectRequest struct {
	Token   string
	Data    []byte // one JSON value of the application's; may be nil
	Name    string // of its software
	Version string
}

// An Authorizer says who may do what. Its methods return nil to allow; a
// [surewire.Disconnect] ends the connection; any other error refuses the
// command, and its text is not shown to the client. They may be called concurrently.
type Authorizer interface {
	// Connect admits a client, and returns the user it is.
	Connect(ctx context.Context, r ConnectRequest) (user string, err error)
	// Subscribe allows c to read channel. token may be empty.
	Subscribe(ctx context.Context, c Client, channel, token string) error
	// Publish allows c to publish to channel.
	Publish(ctx context.Context, c Client, channel string) error
}

// AllowAll lets anybody do anything, without a name. It is for development and
// for networks where everybody is trusted.
type AllowAll struct{}

// Connect implements [Authorizer].
func (AllowAll) Connect(context.Context, ConnectRequest) (string, error) { return "", nil }

// Subscribe implements [Authorizer].
func (AllowAll) Subscribe(context.Context, Client, string, string) error { return nil }

// Publish implements [Authorizer].
func (AllowAll) Publish(context.Context, Client, string) error { return nil }

var errDenied = errors.New("no authorizer is configured")

type denyAll struct{}

func (denyAll) Connect(context.Context, ConnectRequest) (string, error) { return "", errDenied }
func (denyAll) Subscribe(context.Context, Client, string, string) error { return errDenied }
func (denyAll) Publish(context.Context, Client, string) error           { return errDenied }

var (
	_ Authorizer = AllowAll{}
	_ Authorizer = denyAll{}
)
